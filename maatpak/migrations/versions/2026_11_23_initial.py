"""The first schema: its tables, and the guards of the .sql beside."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_23_initial"
down_revision = None
branch_labels = None
depends_on = None

GUARDS = Path(__file__).with_suffix(".sql")


def upgrade() -> None:
    # Rather fail than queue behind a long reader, with everybody else queueing behind us.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "breaker",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("openings", sa.Integer(), nullable=False),
        sa.Column("open_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("trying_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("mend", sa.String(), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('email', 'sms', 'post')", name=op.f("ck_breaker_channel_known")),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_breaker")),
    )
    op.create_table(
        "case_standing",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("party_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_no", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("account_manager", sa.String(), nullable=False),
        sa.Column("key_account", sa.Boolean(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("round_no", sa.Integer(), nullable=False),
        sa.Column("round_opened_on", sa.Date(), nullable=False),
        sa.Column("last_step", sa.String(), nullable=False),
        sa.Column("last_step_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("next_step", sa.String(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=False),
        sa.Column("asked_amount", sa.BigInteger(), nullable=False),
        sa.Column("overdue_open", sa.BigInteger(), nullable=False),
        sa.Column("not_due_open", sa.BigInteger(), nullable=False),
        sa.Column("disputed_open", sa.BigInteger(), nullable=False),
        sa.Column("in_plan_open", sa.BigInteger(), nullable=False),
        sa.Column("promised_open", sa.BigInteger(), nullable=False),
        sa.Column("largest_item", sa.BigInteger(), nullable=False),
        sa.Column("value_at_risk", sa.BigInteger(), nullable=False),
        sa.Column("items_overdue", sa.Integer(), nullable=False),
        sa.Column("oldest_due_on", sa.Date(), nullable=False),
        sa.Column("non_payment_reason", sa.String(), nullable=False),
        sa.Column("experience_balance", sa.Integer(), nullable=False),
        sa.Column("risk_class", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple', translate(debtor_no || ' ' || name, '-/.@_:+', '       '))", persisted=True
            ),
            nullable=False,
        ),
        sa.CheckConstraint("asked_amount >= 0", name=op.f("ck_case_standing_asked_amount_not_negative")),
        sa.CheckConstraint("disputed_open >= 0", name=op.f("ck_case_standing_disputed_open_not_negative")),
        sa.CheckConstraint("in_plan_open >= 0", name=op.f("ck_case_standing_in_plan_open_not_negative")),
        sa.CheckConstraint("items_overdue >= 0", name=op.f("ck_case_standing_items_overdue_not_negative")),
        sa.CheckConstraint("largest_item >= 0", name=op.f("ck_case_standing_largest_item_not_negative")),
        sa.CheckConstraint("not_due_open >= 0", name=op.f("ck_case_standing_not_due_open_not_negative")),
        sa.CheckConstraint("overdue_open >= 0", name=op.f("ck_case_standing_overdue_open_not_negative")),
        sa.CheckConstraint("promised_open >= 0", name=op.f("ck_case_standing_promised_open_not_negative")),
        sa.CheckConstraint("value_at_risk >= 0", name=op.f("ck_case_standing_value_at_risk_not_negative")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_standing")),
    )
    op.create_index(
        "ix_case_standing_account_manager_overdue_open",
        "case_standing",
        ["creditor_id", sa.literal_column("account_manager"), sa.literal_column("overdue_open DESC"), "case_id"],
        unique=False,
    )
    op.create_index(
        "ix_case_standing_asked_amount",
        "case_standing",
        ["creditor_id", sa.literal_column("asked_amount DESC"), "case_id"],
        unique=False,
    )
    op.create_index("ix_case_standing_debtor", "case_standing", ["debtor_id"], unique=False)
    op.create_index(
        "ix_case_standing_experience_balance",
        "case_standing",
        ["creditor_id", sa.literal_column("experience_balance"), "case_id"],
        unique=False,
    )
    op.create_index(
        "ix_case_standing_name", "case_standing", ["creditor_id", sa.literal_column("name"), "case_id"], unique=False
    )
    op.create_index(
        "ix_case_standing_next_on",
        "case_standing",
        ["creditor_id", sa.literal_column("next_on"), "case_id"],
        unique=False,
    )
    op.create_index(
        "ix_case_standing_oldest_due_on",
        "case_standing",
        ["creditor_id", sa.literal_column("oldest_due_on"), "case_id"],
        unique=False,
    )
    op.create_index(
        "ix_case_standing_overdue_open",
        "case_standing",
        ["creditor_id", sa.literal_column("overdue_open DESC"), "case_id"],
        unique=False,
    )
    op.create_index(
        "ix_case_standing_segment_overdue_open",
        "case_standing",
        ["creditor_id", sa.literal_column("segment"), sa.literal_column("overdue_open DESC"), "case_id"],
        unique=False,
    )
    op.create_index(
        "ix_case_standing_value_at_risk",
        "case_standing",
        ["creditor_id", sa.literal_column("value_at_risk DESC"), "case_id"],
        unique=False,
    )
    op.create_index("ix_case_standing_words", "case_standing", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "creditor",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("iban", sa.String(), nullable=True),
        sa.Column("bic", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("street", sa.String(), nullable=True),
        sa.Column("postal_code", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("registration_no", sa.String(), nullable=True),
        sa.Column("vat_no", sa.String(), nullable=True),
        sa.Column("payment_url", sa.String(), nullable=True),
        sa.Column("business_date", sa.Date(), nullable=True),
        sa.Column("looked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_creditor")),
        sa.UniqueConstraint("code", name=op.f("uq_creditor_code")),
    )
    op.create_table(
        "event",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=True),
        sa.Column("debtor_id", sa.BigInteger(), nullable=True),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("action_id", sa.BigInteger(), nullable=True),
        sa.Column("business_date", sa.Date(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("flow_run", sa.String(), nullable=True),
        sa.Column("policy_hash", sa.String(), nullable=True),
        sa.Column("snapshot_hash", sa.String(), nullable=True),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event")),
    )
    op.create_index("ix_event_actor", "event", ["actor", "seq"], unique=False)
    op.create_index(
        "ix_event_case", "event", ["case_id", "seq"], unique=False, postgresql_where=sa.text("case_id IS NOT NULL")
    )
    op.create_index("ix_event_creditor", "event", ["creditor_id", "business_date", "seq"], unique=False)
    op.create_index("ix_event_creditor_seq", "event", ["creditor_id", "seq"], unique=False)
    op.create_index(
        "ix_event_debtor",
        "event",
        ["debtor_id", "seq"],
        unique=False,
        postgresql_where=sa.text("debtor_id IS NOT NULL"),
    )
    op.create_index(
        "ix_event_flow_run",
        "event",
        ["flow_run", "seq"],
        unique=False,
        postgresql_where=sa.text("flow_run IS NOT NULL"),
    )
    op.create_index("ix_event_kind", "event", ["kind", "seq"], unique=False)
    op.create_index(
        "ix_event_policy",
        "event",
        ["policy_hash", "seq"],
        unique=False,
        postgresql_where=sa.text("policy_hash IS NOT NULL"),
    )
    op.create_table(
        "event_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_event_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_head")),
    )
    op.create_table(
        "party",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("party_ref", sa.String(), nullable=False),
        sa.Column("shard_key", sa.Integer(), nullable=False),
        sa.Column("merged_into", sa.BigInteger(), nullable=True),
        sa.Column("merged_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("(merged_into IS NULL) = (merged_at IS NULL)", name=op.f("ck_party_merged_is_dated")),
        sa.CheckConstraint("merged_into <> id", name=op.f("ck_party_merged_into_another")),
        sa.ForeignKeyConstraint(["merged_into"], ["party.id"], name=op.f("fk_party_merged_into_party")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sa.UniqueConstraint("party_ref", name=op.f("uq_party_party_ref")),
    )
    op.create_index(
        "ix_party_merged", "party", ["merged_into"], unique=False, postgresql_where=sa.text("merged_into IS NOT NULL")
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("approval_limit", sa.BigInteger(), nullable=False),
        sa.Column("limit_currency", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("deputy", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('operator', 'collector', 'account_manager', 'credit_manager', 'finance_director', 'auditor', 'administrator')",
            name=op.f("ck_person_role_known"),
        ),
        sa.CheckConstraint("approval_limit >= 0", name=op.f("ck_person_approval_limit_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("login", name=op.f("uq_person_login")),
    )
    op.create_table(
        "policy_pack",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("files", postgresql.JSONB(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("published_by", sa.String(), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_pack")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_policy_pack_content_hash")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_policy_pack_name_version")),
    )
    op.create_table(
        "send_turn",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("next_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_send_turn")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.CheckConstraint("scope IN ('read', 'write')", name=op.f("ck_api_token_scope_known")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_api_token_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(
        "uq_api_token_live",
        "api_token",
        ["person_id", "name"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "call_once",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("outcome", postgresql.JSONB(), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_call_once_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", "key", name=op.f("pk_call_once")),
    )
    op.create_table(
        "change_request",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("creditor_id", sa.BigInteger(), nullable=True),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'asked') = (decided_at IS NULL)", name=op.f("ck_change_request_decided_once")),
        sa.CheckConstraint(
            "state <> 'confirmed' OR decided_by <> asked_by", name=op.f("ck_change_request_two_persons")
        ),
        sa.CheckConstraint("state IN ('asked', 'confirmed', 'refused')", name=op.f("ck_change_request_state_known")),
        sa.CheckConstraint("(person_id IS NULL) <> (creditor_id IS NULL)", name=op.f("ck_change_request_of_one")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_change_request_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_change_request_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_request")),
    )
    op.create_index(
        "uq_change_request_creditor",
        "change_request",
        ["creditor_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_index(
        "uq_change_request_person",
        "change_request",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_table(
        "console_session",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("seen_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_console_session_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_console_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_console_session_token_hash")),
    )
    op.create_index(op.f("ix_console_session_person_id"), "console_session", ["person_id"], unique=False)
    op.create_table(
        "credential",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_credential_failures_not_negative")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_credential_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_credential")),
    )
    op.create_table(
        "creditor_pack",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("pack_id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_creditor_pack_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["pack_id"], ["policy_pack.id"], name=op.f("fk_creditor_pack_pack_id_policy_pack")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_creditor_pack")),
    )
    op.create_index(
        "uq_creditor_pack_current",
        "creditor_pack",
        ["creditor_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "debtor",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("party_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_no", sa.String(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_debtor_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_debtor_party_id_party")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_debtor")),
        sa.UniqueConstraint("creditor_id", "debtor_no", name=op.f("uq_debtor_creditor_id_debtor_no")),
    )
    op.create_index(op.f("ix_debtor_party_id"), "debtor", ["party_id"], unique=False)
    op.create_table(
        "figure",
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("dimension", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_figure_creditor_id_creditor")),
        sa.PrimaryKeyConstraint(
            "creditor_id", "business_date", "name", "dimension", "key", "currency", name=op.f("pk_figure")
        ),
    )
    op.create_index(
        "ix_figure_series",
        "figure",
        ["creditor_id", "name", "business_date"],
        unique=False,
        postgresql_where=sa.text("dimension = ''"),
    )
    op.create_table(
        "journey_figure",
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("pack_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_journey_figure_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["pack_id"], ["policy_pack.id"], name=op.f("fk_journey_figure_pack_id_policy_pack")),
        sa.PrimaryKeyConstraint(
            "creditor_id", "as_of", "segment", "pack_id", "step", "name", "key", name=op.f("pk_journey_figure")
        ),
    )
    op.create_table(
        "pack_draft",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("files", postgresql.JSONB(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("bases", postgresql.JSONB(), nullable=False),
        sa.Column("move_running", sa.Boolean(), nullable=False),
        sa.Column("submitted_by", sa.String(), nullable=False),
        sa.Column("submitted_on", sa.Date(), nullable=False),
        sa.Column("submitted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("pack_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state = 'published') = (pack_id IS NOT NULL)", name=op.f("ck_pack_draft_published_whole")),
        sa.CheckConstraint("(state = 'submitted') = (ended_at IS NULL)", name=op.f("ck_pack_draft_ended_whole")),
        sa.CheckConstraint("(state = 'submitted') = (ended_by IS NULL)", name=op.f("ck_pack_draft_ended_by_whom")),
        sa.CheckConstraint("state <> 'published' OR ended_by <> submitted_by", name=op.f("ck_pack_draft_four_eyes")),
        sa.CheckConstraint(
            "state IN ('submitted', 'published', 'withdrawn', 'refused')", name=op.f("ck_pack_draft_state_known")
        ),
        sa.ForeignKeyConstraint(["pack_id"], ["policy_pack.id"], name=op.f("fk_pack_draft_pack_id_policy_pack")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_draft")),
    )
    op.create_index(
        "ix_pack_draft_pack", "pack_draft", ["pack_id"], unique=False, postgresql_where=sa.text("pack_id IS NOT NULL")
    )
    op.create_table(
        "person_creditor",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_person_creditor_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_creditor_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", "creditor_id", name=op.f("pk_person_creditor")),
    )
    op.create_table(
        "snapshot",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("tables", postgresql.JSONB(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("report", sa.String(), nullable=True),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("quarantined_count", sa.Integer(), nullable=False),
        sa.Column("warning_count", sa.Integer(), nullable=False),
        sa.Column("balances", postgresql.JSONB(), nullable=False),
        sa.Column("accepted_bounds", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("flow_run", sa.String(), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('full', 'delta', 'history')", name=op.f("ck_snapshot_kind_known")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_snapshot_creditor_id_creditor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot")),
    )
    op.create_table(
        "tick",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("shards", sa.Integer(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("known_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("engine_version", sa.String(), nullable=False),
        sa.Column("case_count", sa.Integer(), nullable=False),
        sa.Column("action_count", sa.Integer(), nullable=False),
        sa.Column("facts_evidence", sa.String(), nullable=False),
        sa.Column("steps_evidence", sa.String(), nullable=False),
        sa.Column("decisions_evidence", sa.String(), nullable=False),
        sa.Column("packs", postgresql.JSONB(), nullable=False),
        sa.Column("snapshots", postgresql.JSONB(), nullable=False),
        sa.Column("flow_run", sa.String(), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_tick_creditor_id_creditor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tick")),
    )
    op.create_index("ix_tick_creditor", "tick", ["creditor_id", "business_date"], unique=False)
    op.create_table(
        "wake",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_wake_creditor_id_creditor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wake")),
    )
    op.create_index("ix_wake_creditor", "wake", ["creditor_id"], unique=False)
    op.create_table(
        "webhook",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("kinds", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("looked_to", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_webhook_creditor_id_creditor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "address_state",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("salt", sa.String(), server_default=sa.text("(gen_random_uuid())::text"), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.CheckConstraint("channel IN ('email', 'sms', 'post', 'phone')", name=op.f("ck_address_state_channel_known")),
        sa.CheckConstraint(
            "state IN ('unproven', 'proven', 'doubtful', 'dead', 'opted_out')",
            name=op.f("ck_address_state_state_known"),
        ),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_address_state_debtor_id_debtor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_state")),
    )
    op.create_index(
        "ix_address_state_lost",
        "address_state",
        ["valid_from", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('dead', 'doubtful') AND replaced_at IS NULL"),
    )
    op.create_index(
        "ix_address_state_opted_out",
        "address_state",
        ["address"],
        unique=False,
        postgresql_where=sa.text("state = 'opted_out' AND replaced_at IS NULL"),
    )
    op.create_index(
        "uq_address_state_current",
        "address_state",
        ["debtor_id", "channel", "address"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "case",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("party_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("shard_key", sa.Integer(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_case_debtor_id_debtor")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_case_party_id_party")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
        sa.UniqueConstraint("debtor_id", "currency", name=op.f("uq_case_debtor_id_currency")),
    )
    op.create_index("ix_case_creditor", "case", ["creditor_id", "shard_key"], unique=False)
    op.create_index(op.f("ix_case_party_id"), "case", ["party_id"], unique=False)
    op.create_table(
        "contact_person",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.CheckConstraint(
            "role IN ('payables', 'decision_maker', 'invoice', 'escalation')", name=op.f("ck_contact_person_role_known")
        ),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_contact_person_debtor_id_debtor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_person")),
    )
    op.create_index(
        "uq_contact_person_current",
        "contact_person",
        ["debtor_id", "role", "name"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "debtor_profile",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("street", sa.String(), nullable=True),
        sa.Column("postal_code", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("contact_name", sa.String(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=True),
        sa.Column("preferred_channel", sa.String(), nullable=False),
        sa.Column("account_manager", sa.String(), nullable=True),
        sa.Column("parent_no", sa.String(), nullable=True),
        sa.Column("payer_no", sa.String(), nullable=True),
        sa.Column("customer_since", sa.Date(), nullable=True),
        sa.Column("key_account", sa.Boolean(), nullable=False),
        sa.Column("revenue_12m", sa.BigInteger(), nullable=True),
        sa.Column("payment_terms", sa.String(), nullable=True),
        sa.Column("credit_limit", sa.BigInteger(), nullable=True),
        sa.Column("risk_class", sa.String(), nullable=False),
        sa.Column("insured_amount", sa.BigInteger(), nullable=True),
        sa.Column("insurer_notify_by", sa.Date(), nullable=True),
        sa.Column("hardship_until", sa.Date(), nullable=True),
        sa.Column("legal_stop", sa.String(), nullable=False),
        sa.CheckConstraint("kind IN ('consumer', 'business', 'public')", name=op.f("ck_debtor_profile_kind_known")),
        sa.CheckConstraint(
            "legal_stop IN ('none', 'insolvent', 'deceased', 'breathing_space', 'represented')",
            name=op.f("ck_debtor_profile_legal_stop_known"),
        ),
        sa.CheckConstraint(
            "preferred_channel IN ('email', 'sms', 'post')", name=op.f("ck_debtor_profile_preferred_channel_known")
        ),
        sa.CheckConstraint(
            "risk_class IN ('A', 'B', 'C', 'D', 'E', 'none')", name=op.f("ck_debtor_profile_risk_class_known")
        ),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_debtor_profile_debtor_id_debtor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_debtor_profile")),
    )
    op.create_index("ix_debtor_profile_creditor", "debtor_profile", ["creditor_id", "valid_from"], unique=False)
    op.create_index("ix_debtor_profile_debtor", "debtor_profile", ["debtor_id"], unique=False)
    op.create_index(
        "ix_debtor_profile_parent",
        "debtor_profile",
        ["creditor_id", "parent_no"],
        unique=False,
        postgresql_where=sa.text("parent_no IS NOT NULL"),
    )
    op.create_index(
        "ix_debtor_profile_payer",
        "debtor_profile",
        ["creditor_id", "payer_no"],
        unique=False,
        postgresql_where=sa.text("payer_no IS NOT NULL"),
    )
    op.create_index(
        "uq_debtor_profile_current",
        "debtor_profile",
        ["debtor_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "finding",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("row_no", sa.BigInteger(), nullable=True),
        sa.Column("column_name", sa.String(), nullable=True),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("advice", sa.String(), nullable=False),
        sa.CheckConstraint("severity IN ('reject', 'quarantine', 'warn')", name=op.f("ck_finding_severity_known")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_finding_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    op.create_index(op.f("ix_finding_snapshot_id"), "finding", ["snapshot_id"], unique=False)
    op.create_table(
        "item",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("item_type", sa.String(), nullable=False),
        sa.Column("document_no", sa.String(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "item_type IN ('invoice', 'debit_note', 'credit_note', 'payment')", name=op.f("ck_item_item_type_known")
        ),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_item_debtor_id_debtor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint(
            "creditor_id",
            "debtor_id",
            "item_type",
            "document_no",
            "issued_on",
            name=op.f("uq_item_creditor_id_debtor_id_item_type_document_no_issued_on"),
        ),
    )
    op.create_table(
        "preference",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.CheckConstraint(
            "name IN ('channel', 'language', 'pay_run', 'cut_off', 'statement_day', 'call_hours', 'contact_role', 'po_needed', 'portal')",
            name=op.f("ck_preference_name_known"),
        ),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_preference_debtor_id_debtor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preference")),
    )
    op.create_index(
        "uq_preference_current",
        "preference",
        ["debtor_id", "name"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "quarantined_row",
        sa.Column("salt", sa.String(), server_default=sa.text("(gen_random_uuid())::text"), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_no", sa.String(), nullable=True),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("row_no", sa.BigInteger(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("raw", postgresql.JSONB(), nullable=False),
        sa.Column("rules", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("correction", postgresql.JSONB(), nullable=True),
        sa.Column("resolved_by", sa.String(), nullable=True),
        sa.Column("resolved_reason", sa.String(), nullable=True),
        sa.Column("resolved_on", sa.Date(), nullable=True),
        sa.Column("resolved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'released', 'discarded', 'superseded')", name=op.f("ck_quarantined_row_state_known")
        ),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_quarantined_row_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_row")),
    )
    op.create_index(
        "ix_quarantined_row_open",
        "quarantined_row",
        ["creditor_id", "debtor_no"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "text_consent",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("salt", sa.String(), server_default=sa.text("(gen_random_uuid())::text"), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_text_consent_debtor_id_debtor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_text_consent")),
    )
    op.create_index(
        "uq_text_consent_current",
        "text_consent",
        ["debtor_id", "number"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "ticket",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_no", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_ticket_debtor_id_debtor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
    )
    op.create_index(
        "uq_ticket_current",
        "ticket",
        ["debtor_id", "ticket_no"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("webhook_id", sa.BigInteger(), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("said", sa.String(), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'waiting') = (ended_at IS NULL)", name=op.f("ck_webhook_delivery_ended_when_over")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'given_up')", name=op.f("ck_webhook_delivery_state_known")
        ),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_webhook_delivery_tries_not_negative")),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id_webhook")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("webhook_id", "event_seq", name=op.f("uq_webhook_delivery_webhook_id_event_seq")),
    )
    op.create_index(
        "ix_webhook_delivery_due",
        "webhook_delivery",
        ["webhook_id", "next_at"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_webhook_delivery_given_up",
        "webhook_delivery",
        ["webhook_id"],
        unique=False,
        postgresql_where=sa.text("state = 'given_up'"),
    )
    op.create_table(
        "case_note",
        sa.Column("salt", sa.String(), server_default=sa.text("(gen_random_uuid())::text"), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("written_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_case_note_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_note")),
    )
    op.create_index("ix_case_note_case", "case_note", ["case_id"], unique=False)
    op.create_table(
        "claimed_payment",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("claim_no", sa.String(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("items", postgresql.JSONB(), nullable=True),
        sa.Column("claimed_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'found', 'not_found')", name=op.f("ck_claimed_payment_state_known")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_claimed_payment_amount_positive")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_claimed_payment_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claimed_payment")),
    )
    op.create_index("ix_claimed_payment_case", "claimed_payment", ["case_id"], unique=False)
    op.create_index(
        "uq_claimed_payment_current",
        "claimed_payment",
        ["claim_no"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "contact_wait",
        sa.Column("party_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("first_from", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "stage IN ('prepare', 'remind', 'listen', 'solve', 'demand', 'handoff')",
            name=op.f("ck_contact_wait_stage_known"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_contact_wait_amount_not_negative")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_contact_wait_case_id_case")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_contact_wait_party_id_party")),
        sa.PrimaryKeyConstraint("party_id", "case_id", name=op.f("pk_contact_wait")),
    )
    op.create_table(
        "dispute",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("dispute_no", sa.String(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("accepted_amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'part_accepted', 'rejected', 'withdrawn')",
            name=op.f("ck_dispute_state_known"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_dispute_amount_positive")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_dispute_case_id_case")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_dispute_item_id_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
    )
    op.create_index("ix_dispute_case", "dispute", ["case_id"], unique=False)
    op.create_index(
        "uq_dispute_current", "dispute", ["dispute_no"], unique=True, postgresql_where=sa.text("replaced_at IS NULL")
    )
    op.create_table(
        "hold",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("hold_no", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("party_id", sa.BigInteger(), nullable=True),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.CheckConstraint("(scope = 'case') <= (case_id IS NOT NULL)", name=op.f("ck_hold_case_scope")),
        sa.CheckConstraint("(scope = 'item') <= (item_id IS NOT NULL)", name=op.f("ck_hold_item_scope")),
        sa.CheckConstraint("(scope = 'party') <= (party_id IS NOT NULL)", name=op.f("ck_hold_party_scope")),
        sa.CheckConstraint(
            "reason IN ('none', 'legal_stop', 'hardship', 'dispute', 'claimed_paid', 'complaint', 'promise', 'plan', 'account_manager_talks', 'data', 'disaster')",
            name=op.f("ck_hold_reason_known"),
        ),
        sa.CheckConstraint("scope IN ('party', 'debtor', 'case', 'item')", name=op.f("ck_hold_scope_known")),
        sa.CheckConstraint("state IN ('active', 'lifted')", name=op.f("ck_hold_state_known")),
        sa.CheckConstraint("until_on >= from_on", name=op.f("ck_hold_until_after_from")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_hold_case_id_case")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_hold_debtor_id_debtor")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_hold_item_id_item")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_hold_party_id_party")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index("ix_hold_debtor", "hold", ["debtor_id"], unique=False)
    op.create_index(
        "uq_hold_current", "hold", ["hold_no"], unique=True, postgresql_where=sa.text("replaced_at IS NULL")
    )
    op.create_table(
        "item_version",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=True),
        sa.Column("item_type", sa.String(), nullable=False),
        sa.Column("document_no", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("open_amount", sa.BigInteger(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("settled_estimated", sa.Boolean(), nullable=False),
        sa.Column("left_after", sa.Date(), nullable=True),
        sa.Column("disputed_amount", sa.BigInteger(), nullable=False),
        sa.Column("disputed_on", sa.Date(), nullable=True),
        sa.Column("dispute_outcome", sa.String(), nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("payment_method", sa.String(), nullable=True),
        sa.Column("collect_on", sa.Date(), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("return_code", sa.String(), nullable=True),
        sa.Column("po_number", sa.String(), nullable=True),
        sa.Column("ordered_on", sa.Date(), nullable=True),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("invoice_sent_on", sa.Date(), nullable=True),
        sa.Column("invoice_channel", sa.String(), nullable=True),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("document_path", sa.String(), nullable=True),
        sa.CheckConstraint(
            "item_type IN ('invoice', 'debit_note', 'credit_note', 'payment')",
            name=op.f("ck_item_version_item_type_known"),
        ),
        sa.CheckConstraint(
            "settled_by IN ('payment', 'debit', 'credit_note', 'write_off', 'transfer', 'left_ledger')",
            name=op.f("ck_item_version_settled_by_known"),
        ),
        sa.CheckConstraint("(open_amount = 0) OR (settled_on IS NULL)", name=op.f("ck_item_version_settled_is_closed")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_item_version_amount_not_negative")),
        sa.CheckConstraint("disputed_amount >= 0", name=op.f("ck_item_version_disputed_amount_not_negative")),
        sa.CheckConstraint("due_on >= issued_on", name=op.f("ck_item_version_due_after_issue")),
        sa.CheckConstraint("open_amount <= amount", name=op.f("ck_item_version_open_within_amount")),
        sa.CheckConstraint("open_amount >= 0", name=op.f("ck_item_version_open_amount_not_negative")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_version_item_id_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_version")),
    )
    op.create_index("ix_item_version_creditor", "item_version", ["creditor_id", "valid_from"], unique=False)
    op.create_index("ix_item_version_debtor", "item_version", ["debtor_id"], unique=False)
    op.create_index(
        "ix_item_version_open_amount",
        "item_version",
        ["creditor_id", "open_amount", "item_id", "due_on", "currency", "item_type"],
        unique=False,
        postgresql_where=sa.text("replaced_at IS NULL AND open_amount > 0"),
    )
    op.create_index(
        "ix_item_version_open_due",
        "item_version",
        ["creditor_id", "due_on", "item_id", "currency", "item_type"],
        unique=False,
        postgresql_where=sa.text("replaced_at IS NULL AND open_amount > 0"),
    )
    op.create_index(
        "ix_item_version_sending",
        "item_version",
        ["creditor_id"],
        unique=False,
        postgresql_where=sa.text("invoice_sent_on IS NOT NULL OR invoice_channel IS NOT NULL"),
    )
    op.create_index(
        "ix_item_version_written_off",
        "item_version",
        ["creditor_id", "settled_on"],
        unique=False,
        postgresql_where=sa.text("replaced_at IS NULL AND settled_by = 'write_off'"),
    )
    op.create_index(
        "uq_item_version_current",
        "item_version",
        ["item_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("instead_of", sa.String(), nullable=True),
        sa.Column("switch_reason", sa.String(), nullable=True),
        sa.Column("switch_cause", sa.String(), nullable=True),
        sa.Column("switch_on", sa.Date(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("content_key", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("message_ref", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("written", sa.Boolean(), nullable=False),
        sa.Column("reply_by", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("queued_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("send_after", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.Column("leased_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_tried_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("service_ref", sa.String(), nullable=True),
        sa.Column("resolved_by", sa.String(), nullable=True),
        sa.Column("reported_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'failed') <= (failure IS NOT NULL)", name=op.f("ck_message_failed_says_why")),
        sa.CheckConstraint("(state = 'sent') <= (sent_on IS NOT NULL)", name=op.f("ck_message_sent_is_dated")),
        sa.CheckConstraint("channel IN ('email', 'sms', 'post')", name=op.f("ck_message_channel_known")),
        sa.CheckConstraint("instead_of IN ('email', 'sms', 'post')", name=op.f("ck_message_instead_of_known")),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'failed', 'unknown', 'cancelled')",
            name=op.f("ck_message_state_known"),
        ),
        sa.CheckConstraint(
            "switch_reason IN ('no_address', 'dead', 'opted_out', 'doubtful', 'no_consent', 'no_words', 'failed')",
            name=op.f("ck_message_switch_reason_known"),
        ),
        sa.CheckConstraint("(instead_of IS NULL) = (switch_reason IS NULL)", name=op.f("ck_message_switch_says_why")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_message_case_id_case")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_message_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_message_debtor_id_debtor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("message_ref", name=op.f("uq_message_message_ref")),
        sa.UniqueConstraint(
            "recipient",
            "channel",
            "content_key",
            "attempt",
            name=op.f("uq_message_recipient_channel_content_key_attempt"),
        ),
    )
    op.create_index(op.f("ix_message_case_id"), "message", ["case_id"], unique=False)
    op.create_index(
        "ix_message_day",
        "message",
        ["creditor_id", "business_date", "id"],
        unique=False,
        postgresql_include=["channel"],
    )
    op.create_index("ix_message_debtor", "message", ["debtor_id"], unique=False)
    op.create_index(
        "ix_message_due",
        "message",
        ["channel", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_index(
        "ix_message_service",
        "message",
        ["service_ref"],
        unique=False,
        postgresql_where=sa.text("service_ref IS NOT NULL"),
    )
    op.create_index(
        "ix_message_unknown",
        "message",
        ["creditor_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'unknown'"),
    )
    op.create_index(
        "ix_message_unreported",
        "message",
        ["creditor_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NOT NULL AND reported_at IS NULL"),
    )
    op.create_table(
        "payment",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=True),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=True),
        sa.Column("payment_no", sa.String(), nullable=False),
        sa.Column("document_no", sa.String(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("applied", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_payment_amount_not_negative")),
        sa.CheckConstraint("applied >= 0", name=op.f("ck_payment_applied_not_negative")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_payment_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_payment_debtor_id_debtor")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_payment_item_id_item")),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshot.id"], name=op.f("fk_payment_snapshot_id_snapshot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("creditor_id", "payment_no", name=op.f("uq_payment_creditor_id_payment_no")),
    )
    op.create_index(op.f("ix_payment_debtor_id"), "payment", ["debtor_id"], unique=False)
    op.create_table(
        "placement_check",
        sa.Column("salt", sa.String(), server_default=sa.text("(gen_random_uuid())::text"), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=True),
        sa.Column("agency", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("item_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'agency_licence') = (agency IS NOT NULL)", name=op.f("ck_placement_check_licence_of_agency")
        ),
        sa.CheckConstraint(
            "(kind = 'agency_licence') = (country IS NOT NULL)", name=op.f("ck_placement_check_licence_of_country")
        ),
        sa.CheckConstraint(
            "(kind = 'agency_licence') = (debtor_id IS NULL)", name=op.f("ck_placement_check_of_customer_or_creditor")
        ),
        sa.CheckConstraint(
            "(kind = 'limitation') = (item_id IS NOT NULL)", name=op.f("ck_placement_check_limitation_of_item")
        ),
        sa.CheckConstraint(
            "(result = 'insolvent') <= (kind = 'insolvency_register')",
            name=op.f("ck_placement_check_insolvent_by_register"),
        ),
        sa.CheckConstraint(
            "kind IN ('identity', 'address', 'limitation', 'insolvency_register', 'agency_licence')",
            name=op.f("ck_placement_check_kind_known"),
        ),
        sa.CheckConstraint("result IN ('clear', 'failed', 'insolvent')", name=op.f("ck_placement_check_result_known")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_placement_check_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_placement_check_debtor_id_debtor")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_placement_check_item_id_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement_check")),
    )
    op.create_index("ix_placement_check_debtor", "placement_check", ["debtor_id", "kind"], unique=False)
    op.create_index(
        "ix_placement_check_licence",
        "placement_check",
        ["creditor_id", "country"],
        unique=False,
        postgresql_where=sa.text("debtor_id IS NULL"),
    )
    op.create_table(
        "round",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("(closed_on IS NULL) = (closed_at IS NULL)", name=op.f("ck_round_closed_whole")),
        sa.CheckConstraint("closed_on >= opened_on", name=op.f("ck_round_closed_after_opened")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_round_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_round_case_id_number")),
    )
    op.create_index(
        "ix_round_closed", "round", ["closed_on", "id"], unique=False, postgresql_where=sa.text("closed_on IS NOT NULL")
    )
    op.create_index("uq_round_open", "round", ["case_id"], unique=True, postgresql_where=sa.text("closed_at IS NULL"))
    op.create_table(
        "stated_reason",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("stated_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('none', 'lost_invoice', 'forgot', 'approval_pending', 'po_missing', 'wrong_invoice', 'wrong_entity', 'price', 'quantity', 'not_delivered', 'our_failure', 'cash_flow', 'waits_for_customer', 'policy', 'pay_run', 'paid_already', 'payment_failed', 'set_off', 'verifying_iban', 'unwilling', 'insolvent', 'deceased', 'represented')",
            name=op.f("ck_stated_reason_reason_known"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_stated_reason_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stated_reason")),
    )
    op.create_index("ix_stated_reason_case", "stated_reason", ["case_id"], unique=False)
    op.create_table(
        "action",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("round_id", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("occurrence", sa.Date(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("pack_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("template", sa.String(), nullable=True),
        sa.Column("written", sa.Boolean(), nullable=False),
        sa.Column("payer_party_id", sa.BigInteger(), nullable=True),
        sa.Column("escalating", sa.Boolean(), nullable=False),
        sa.Column("approval_role", sa.String(), nullable=True),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("overdue_amount", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=True),
        sa.Column("proposal", sa.String(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("tick_id", sa.BigInteger(), nullable=True),
        sa.Column("proposed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("approved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("executed_on", sa.Date(), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("retry_on", sa.Date(), nullable=True),
        sa.Column("retry_step", sa.String(), nullable=True),
        sa.CheckConstraint(
            "(state = 'executed') <= (executed_on IS NOT NULL)", name=op.f("ck_action_executed_is_dated")
        ),
        sa.CheckConstraint(
            "(state IN ('skipped', 'cancelled')) <= (reason IS NOT NULL)", name=op.f("ck_action_ended_with_reason")
        ),
        sa.CheckConstraint(
            "kind IN ('message', 'statement', 'call', 'plan_offer', 'consult', 'review', 'notify', 'wait', 'handoff', 'decide')",
            name=op.f("ck_action_kind_known"),
        ),
        sa.CheckConstraint(
            "stage IN ('prepare', 'remind', 'listen', 'solve', 'demand', 'handoff')", name=op.f("ck_action_stage_known")
        ),
        sa.CheckConstraint(
            "state IN ('proposed', 'awaiting_approval', 'approved', 'in_progress', 'executed', 'skipped', 'rejected', 'cancelled', 'failed', 'unknown')",
            name=op.f("ck_action_state_known"),
        ),
        sa.CheckConstraint(
            "NOT escalating OR approval_role IS NOT NULL", name=op.f("ck_action_escalating_needs_approval")
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_action_amount_not_negative")),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_action_attempt_from_one")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_action_case_id_case")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_action_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["pack_id"], ["policy_pack.id"], name=op.f("fk_action_pack_id_policy_pack")),
        sa.ForeignKeyConstraint(["payer_party_id"], ["party.id"], name=op.f("fk_action_payer_party_id_party")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_action_round_id_round")),
        sa.ForeignKeyConstraint(["tick_id"], ["tick.id"], name=op.f("fk_action_tick_id_tick")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action")),
        sa.UniqueConstraint(
            "case_id",
            "round_id",
            "stage",
            "step",
            "attempt",
            "occurrence",
            name=op.f("uq_action_case_id_round_id_stage_step_attempt_occurrence"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_action_creditor_date", "action", ["creditor_id", "business_date"], unique=False)
    op.create_index(
        "ix_action_open",
        "action",
        ["creditor_id", "state", "segment", "step"],
        unique=False,
        postgresql_where=sa.text("state IN ('proposed', 'awaiting_approval', 'approved', 'in_progress')"),
    )
    op.create_index(
        "ix_action_payer",
        "action",
        ["payer_party_id", "business_date"],
        unique=False,
        postgresql_where=sa.text("payer_party_id IS NOT NULL"),
    )
    op.create_table(
        "answer",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("answer_no", sa.String(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("read_on", sa.Date(), nullable=True),
        sa.Column("read_by", sa.String(), nullable=True),
        sa.Column("content", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_answer_case_id_case")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_answer_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_answer_debtor_id_debtor")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_answer_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    op.create_index(op.f("ix_answer_debtor_id"), "answer", ["debtor_id"], unique=False)
    op.create_index(
        "ix_answer_received",
        "answer",
        ["creditor_id", "received_on", "id"],
        unique=False,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_index(
        "ix_answer_unread",
        "answer",
        ["creditor_id", "received_on"],
        unique=False,
        postgresql_where=sa.text("read_on IS NULL AND replaced_at IS NULL"),
    )
    op.create_index(
        "uq_answer_current", "answer", ["answer_no"], unique=True, postgresql_where=sa.text("replaced_at IS NULL")
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("said", sa.String(), nullable=True),
        sa.Column("observed_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('accepted', 'delivered', 'answered', 'spoken', 'link_used', 'receipt', 'printed', 'handed_over', 'bounced', 'returned')",
            name=op.f("ck_evidence_kind_known"),
        ),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_evidence_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint(
            "message_id", "kind", "observed_on", "source", name=op.f("uq_evidence_message_id_kind_observed_on_source")
        ),
    )
    op.create_table(
        "incoming",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("incoming_key", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=True),
        sa.Column("creditor_id", sa.BigInteger(), nullable=True),
        sa.Column("debtor_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('taken', 'unassigned', 'dropped')", name=op.f("ck_incoming_state_known")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_incoming_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_incoming_debtor_id_debtor")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_incoming_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming")),
        sa.UniqueConstraint("incoming_key", name=op.f("uq_incoming_incoming_key")),
    )
    op.create_index(op.f("ix_incoming_debtor_id"), "incoming", ["debtor_id"], unique=False)
    op.create_index(
        "ix_incoming_unassigned", "incoming", ["id"], unique=False, postgresql_where=sa.text("state = 'unassigned'")
    )
    op.create_index(
        "ix_incoming_word",
        "incoming",
        ["sender", "id"],
        unique=False,
        postgresql_where=sa.text("kind IN ('stop', 'start')"),
    )
    op.create_table(
        "promise",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("promise_no", sa.String(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("round_id", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("items", postgresql.JSONB(), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'kept', 'partly_kept', 'broken', 'superseded', 'cancelled')",
            name=op.f("ck_promise_state_known"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_promise_amount_positive")),
        sa.CheckConstraint("received >= 0", name=op.f("ck_promise_received_not_negative")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_promise_case_id_case")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_promise_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
    )
    op.create_index("ix_promise_case", "promise", ["case_id"], unique=False)
    op.create_index(
        "ix_promise_date",
        "promise",
        ["promised_on", "id"],
        unique=False,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_index(
        "uq_promise_current", "promise", ["promise_no"], unique=True, postgresql_where=sa.text("replaced_at IS NULL")
    )
    op.create_table(
        "round_course",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("pack_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_stage", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "entry_stage IN ('prepare', 'remind', 'listen', 'solve', 'demand', 'handoff')",
            name=op.f("ck_round_course_entry_stage_known"),
        ),
        sa.ForeignKeyConstraint(["pack_id"], ["policy_pack.id"], name=op.f("fk_round_course_pack_id_policy_pack")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_round_course_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_course")),
    )
    op.create_index(
        "uq_round_course_current",
        "round_course",
        ["round_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "round_item",
        sa.Column("round_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_round_item_item_id_item")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_round_item_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "item_id", name=op.f("pk_round_item")),
    )
    op.create_table(
        "action_item",
        sa.Column("action_id", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_action_item_amount_not_negative")),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name=op.f("fk_action_item_action_id_action")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_action_item_item_id_item")),
        sa.PrimaryKeyConstraint("action_id", "item_id", name=op.f("pk_action_item")),
    )
    op.create_index("ix_action_item_item", "action_item", ["item_id"], unique=False)
    op.create_table(
        "approval",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("action_id", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("next_step", sa.String(), nullable=True),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("lapses_on", sa.Date(), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "verdict = 'approved' OR (next_step IS NOT NULL AND next_on IS NOT NULL)",
            name=op.f("ck_approval_no_says_what_next"),
        ),
        sa.CheckConstraint("verdict IN ('approved', 'rejected', 'postponed')", name=op.f("ck_approval_verdict_known")),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name=op.f("fk_approval_action_id_action")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        sa.UniqueConstraint(
            "action_id",
            "actor",
            "content_hash",
            "verdict",
            name=op.f("uq_approval_action_id_actor_content_hash_verdict"),
        ),
    )
    op.create_index(op.f("ix_approval_action_id"), "approval", ["action_id"], unique=False)
    op.create_table(
        "contact_slot",
        sa.Column("party_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("action_id", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name=op.f("fk_contact_slot_action_id_action")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_contact_slot_party_id_party")),
        sa.PrimaryKeyConstraint("party_id", "day", "slot", name=op.f("pk_contact_slot")),
    )
    op.create_index(op.f("ix_contact_slot_action_id"), "contact_slot", ["action_id"], unique=False)
    op.create_table(
        "message_action",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("action_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name=op.f("fk_message_action_action_id_action")),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_message_action_message_id_message")),
        sa.PrimaryKeyConstraint("message_id", "action_id", name=op.f("pk_message_action")),
    )
    op.create_index(op.f("ix_message_action_action_id"), "message_action", ["action_id"], unique=False)
    op.create_table(
        "placement",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("placement_no", sa.String(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("action_id", sa.BigInteger(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("items", postgresql.JSONB(), nullable=False),
        sa.Column("dossier", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.CheckConstraint("state IN ('placed', 'recalled', 'closed')", name=op.f("ck_placement_state_known")),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name=op.f("fk_placement_action_id_action")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_placement_case_id_case")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_placement_creditor_id_creditor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement")),
    )
    op.create_index(op.f("ix_placement_case_id"), "placement", ["case_id"], unique=False)
    op.create_index(
        "uq_placement_current",
        "placement",
        ["placement_no"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "plan",
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaced_from", sa.Date(), nullable=True),
        sa.Column("replaced_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("plan_no", sa.String(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("action_id", sa.BigInteger(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("items", postgresql.JSONB(), nullable=False),
        sa.Column("instalments", postgresql.JSONB(), nullable=False),
        sa.Column("offered_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("breached_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.CheckConstraint(
            "state IN ('none', 'offered', 'active', 'finished', 'breached', 'cancelled', 'declined', 'lapsed')",
            name=op.f("ck_plan_state_known"),
        ),
        sa.CheckConstraint("total > 0", name=op.f("ck_plan_total_positive")),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name=op.f("fk_plan_action_id_action")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_plan_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    op.create_index("ix_plan_case", "plan", ["case_id"], unique=False)
    op.create_index(
        "uq_plan_current", "plan", ["plan_no"], unique=True, postgresql_where=sa.text("replaced_at IS NULL")
    )
    op.create_table(
        "touch",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("party_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("action_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("record_no", sa.String(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("wrongful", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("touched_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("rating BETWEEN -12 AND 1", name=op.f("ck_touch_rating_in_scale")),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name=op.f("fk_touch_action_id_action")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_touch_case_id_case")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_touch_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_touch_party_id_party")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touch")),
    )
    op.create_index("ix_touch_party", "touch", ["party_id", "touched_on"], unique=False)
    op.create_index(
        "ix_touch_wrongful",
        "touch",
        ["creditor_id", "touched_on", "id"],
        unique=False,
        postgresql_where=sa.text("wrongful"),
    )
    op.create_index(
        "uq_touch_record",
        "touch",
        ["kind", "record_no"],
        unique=True,
        postgresql_where=sa.text("record_no IS NOT NULL"),
    )
    op.create_table(
        "work_task",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("action_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("assignee", sa.String(), nullable=True),
        sa.Column("record_no", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("asked_by", sa.String(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("blocks", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("done_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'done') <= (outcome IS NOT NULL AND done_on IS NOT NULL)",
            name=op.f("ck_work_task_done_has_outcome"),
        ),
        sa.CheckConstraint("channel IN ('email', 'phone', 'post')", name=op.f("ck_work_task_channel_known")),
        sa.CheckConstraint(
            "kind IN ('call', 'consult', 'review', 'decide', 'notice', 'repair', 'cash', 'department', 'reply')",
            name=op.f("ck_work_task_kind_known"),
        ),
        sa.CheckConstraint("state IN ('open', 'done', 'cancelled')", name=op.f("ck_work_task_state_known")),
        sa.ForeignKeyConstraint(["action_id"], ["action.id"], name=op.f("fk_work_task_action_id_action")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_work_task_case_id_case")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_work_task_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_work_task_debtor_id_debtor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_task")),
    )
    op.create_index(op.f("ix_work_task_action_id"), "work_task", ["action_id"], unique=False)
    op.create_index(
        "ix_work_task_answered",
        "work_task",
        ["creditor_id", "done_on"],
        unique=False,
        postgresql_where=sa.text("state = 'done' AND kind = 'department'"),
    )
    op.create_index("ix_work_task_case", "work_task", ["case_id"], unique=False)
    op.create_index(
        "ix_work_task_open",
        "work_task",
        ["creditor_id", "due_on", "id"],
        unique=False,
        postgresql_include=["kind"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_work_task_repair",
        "work_task",
        ["debtor_id", "channel"],
        unique=True,
        postgresql_where=sa.text("kind = 'repair' AND state = 'open'"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "call_reservation",
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["work_task.id"], name=op.f("fk_call_reservation_task_id_work_task")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_call_reservation")),
    )
    op.create_table(
        "contact_result",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("creditor_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("debtor_id", sa.BigInteger(), nullable=False),
        sa.Column("payer_party_id", sa.BigInteger(), nullable=True),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("day_part", sa.String(), nullable=False),
        sa.Column("callback_on", sa.Date(), nullable=True),
        sa.Column("called_on", sa.Date(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("recorded_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "code IN ('no_answer', 'voicemail', 'wrong_number', 'left_company', 'third_party', 'callback_agreed', 'promised', 'plan_asked', 'spoke_no_commitment', 'refuses', 'complaint', 'distress', 'do_not_call')",
            name=op.f("ck_contact_result_code_known"),
        ),
        sa.CheckConstraint(
            "day_part IN ('morning', 'afternoon', 'evening')", name=op.f("ck_contact_result_day_part_known")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_contact_result_case_id_case")),
        sa.ForeignKeyConstraint(["creditor_id"], ["creditor.id"], name=op.f("fk_contact_result_creditor_id_creditor")),
        sa.ForeignKeyConstraint(["debtor_id"], ["debtor.id"], name=op.f("fk_contact_result_debtor_id_debtor")),
        sa.ForeignKeyConstraint(["payer_party_id"], ["party.id"], name=op.f("fk_contact_result_payer_party_id_party")),
        sa.ForeignKeyConstraint(["task_id"], ["work_task.id"], name=op.f("fk_contact_result_task_id_work_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_result")),
    )
    op.create_index("ix_contact_result_case", "contact_result", ["case_id"], unique=False)
    op.create_index(
        "ix_contact_result_payer",
        "contact_result",
        ["payer_party_id"],
        unique=False,
        postgresql_where=sa.text("payer_party_id IS NOT NULL"),
    )

    op.execute(GUARDS.read_text(encoding="utf-8"))
    op.execute("INSERT INTO event_head (id, seq, hash) VALUES (1, 0, repeat('0', 64))")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP FUNCTION maatpak_refuse_state() CASCADE; DROP FUNCTION maatpak_refuse() CASCADE;")
    op.drop_index(
        "ix_contact_result_payer", table_name="contact_result", postgresql_where=sa.text("payer_party_id IS NOT NULL")
    )
    op.drop_index("ix_contact_result_case", table_name="contact_result")
    op.drop_table("contact_result")
    op.drop_table("call_reservation")
    op.drop_index(
        "uq_work_task_repair",
        table_name="work_task",
        postgresql_where=sa.text("kind = 'repair' AND state = 'open'"),
        postgresql_nulls_not_distinct=True,
    )
    op.drop_index(
        "ix_work_task_open",
        table_name="work_task",
        postgresql_include=["kind"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index("ix_work_task_case", table_name="work_task")
    op.drop_index(
        "ix_work_task_answered",
        table_name="work_task",
        postgresql_where=sa.text("state = 'done' AND kind = 'department'"),
    )
    op.drop_index(op.f("ix_work_task_action_id"), table_name="work_task")
    op.drop_table("work_task")
    op.drop_index("uq_touch_record", table_name="touch", postgresql_where=sa.text("record_no IS NOT NULL"))
    op.drop_index("ix_touch_wrongful", table_name="touch", postgresql_where=sa.text("wrongful"))
    op.drop_index("ix_touch_party", table_name="touch")
    op.drop_table("touch")
    op.drop_index("uq_plan_current", table_name="plan", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_index("ix_plan_case", table_name="plan")
    op.drop_table("plan")
    op.drop_index("uq_placement_current", table_name="placement", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_index(op.f("ix_placement_case_id"), table_name="placement")
    op.drop_table("placement")
    op.drop_index(op.f("ix_message_action_action_id"), table_name="message_action")
    op.drop_table("message_action")
    op.drop_index(op.f("ix_contact_slot_action_id"), table_name="contact_slot")
    op.drop_table("contact_slot")
    op.drop_index(op.f("ix_approval_action_id"), table_name="approval")
    op.drop_table("approval")
    op.drop_index("ix_action_item_item", table_name="action_item")
    op.drop_table("action_item")
    op.drop_table("round_item")
    op.drop_index("uq_round_course_current", table_name="round_course", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_table("round_course")
    op.drop_index("uq_promise_current", table_name="promise", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_index("ix_promise_date", table_name="promise", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_index("ix_promise_case", table_name="promise")
    op.drop_table("promise")
    op.drop_index("ix_incoming_word", table_name="incoming", postgresql_where=sa.text("kind IN ('stop', 'start')"))
    op.drop_index("ix_incoming_unassigned", table_name="incoming", postgresql_where=sa.text("state = 'unassigned'"))
    op.drop_index(op.f("ix_incoming_debtor_id"), table_name="incoming")
    op.drop_table("incoming")
    op.drop_table("evidence")
    op.drop_index("uq_answer_current", table_name="answer", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_index(
        "ix_answer_unread", table_name="answer", postgresql_where=sa.text("read_on IS NULL AND replaced_at IS NULL")
    )
    op.drop_index("ix_answer_received", table_name="answer", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_index(op.f("ix_answer_debtor_id"), table_name="answer")
    op.drop_table("answer")
    op.drop_index("ix_action_payer", table_name="action", postgresql_where=sa.text("payer_party_id IS NOT NULL"))
    op.drop_index(
        "ix_action_open",
        table_name="action",
        postgresql_where=sa.text("state IN ('proposed', 'awaiting_approval', 'approved', 'in_progress')"),
    )
    op.drop_index("ix_action_creditor_date", table_name="action")
    op.drop_table("action")
    op.drop_index("ix_stated_reason_case", table_name="stated_reason")
    op.drop_table("stated_reason")
    op.drop_index("uq_round_open", table_name="round", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_index("ix_round_closed", table_name="round", postgresql_where=sa.text("closed_on IS NOT NULL"))
    op.drop_table("round")
    op.drop_index(
        "ix_placement_check_licence", table_name="placement_check", postgresql_where=sa.text("debtor_id IS NULL")
    )
    op.drop_index("ix_placement_check_debtor", table_name="placement_check")
    op.drop_table("placement_check")
    op.drop_index(op.f("ix_payment_debtor_id"), table_name="payment")
    op.drop_table("payment")
    op.drop_index(
        "ix_message_unreported",
        table_name="message",
        postgresql_where=sa.text("ended_at IS NOT NULL AND reported_at IS NULL"),
    )
    op.drop_index("ix_message_unknown", table_name="message", postgresql_where=sa.text("state = 'unknown'"))
    op.drop_index("ix_message_service", table_name="message", postgresql_where=sa.text("service_ref IS NOT NULL"))
    op.drop_index("ix_message_due", table_name="message", postgresql_where=sa.text("state IN ('queued', 'sending')"))
    op.drop_index("ix_message_debtor", table_name="message")
    op.drop_index("ix_message_day", table_name="message", postgresql_include=["channel"])
    op.drop_index(op.f("ix_message_case_id"), table_name="message")
    op.drop_table("message")
    op.drop_index("uq_item_version_current", table_name="item_version", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_index(
        "ix_item_version_written_off",
        table_name="item_version",
        postgresql_where=sa.text("replaced_at IS NULL AND settled_by = 'write_off'"),
    )
    op.drop_index(
        "ix_item_version_sending",
        table_name="item_version",
        postgresql_where=sa.text("invoice_sent_on IS NOT NULL OR invoice_channel IS NOT NULL"),
    )
    op.drop_index(
        "ix_item_version_open_due",
        table_name="item_version",
        postgresql_where=sa.text("replaced_at IS NULL AND open_amount > 0"),
    )
    op.drop_index(
        "ix_item_version_open_amount",
        table_name="item_version",
        postgresql_where=sa.text("replaced_at IS NULL AND open_amount > 0"),
    )
    op.drop_index("ix_item_version_debtor", table_name="item_version")
    op.drop_index("ix_item_version_creditor", table_name="item_version")
    op.drop_table("item_version")
    op.drop_index("uq_hold_current", table_name="hold", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_index("ix_hold_debtor", table_name="hold")
    op.drop_table("hold")
    op.drop_index("uq_dispute_current", table_name="dispute", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_index("ix_dispute_case", table_name="dispute")
    op.drop_table("dispute")
    op.drop_table("contact_wait")
    op.drop_index(
        "uq_claimed_payment_current", table_name="claimed_payment", postgresql_where=sa.text("replaced_at IS NULL")
    )
    op.drop_index("ix_claimed_payment_case", table_name="claimed_payment")
    op.drop_table("claimed_payment")
    op.drop_index("ix_case_note_case", table_name="case_note")
    op.drop_table("case_note")
    op.drop_index(
        "ix_webhook_delivery_given_up", table_name="webhook_delivery", postgresql_where=sa.text("state = 'given_up'")
    )
    op.drop_index(
        "ix_webhook_delivery_due", table_name="webhook_delivery", postgresql_where=sa.text("state = 'waiting'")
    )
    op.drop_table("webhook_delivery")
    op.drop_index("uq_ticket_current", table_name="ticket", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_table("ticket")
    op.drop_index("uq_text_consent_current", table_name="text_consent", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_table("text_consent")
    op.drop_index("ix_quarantined_row_open", table_name="quarantined_row", postgresql_where=sa.text("state = 'open'"))
    op.drop_table("quarantined_row")
    op.drop_index("uq_preference_current", table_name="preference", postgresql_where=sa.text("replaced_at IS NULL"))
    op.drop_table("preference")
    op.drop_table("item")
    op.drop_index(op.f("ix_finding_snapshot_id"), table_name="finding")
    op.drop_table("finding")
    op.drop_index(
        "uq_debtor_profile_current", table_name="debtor_profile", postgresql_where=sa.text("replaced_at IS NULL")
    )
    op.drop_index(
        "ix_debtor_profile_payer", table_name="debtor_profile", postgresql_where=sa.text("payer_no IS NOT NULL")
    )
    op.drop_index(
        "ix_debtor_profile_parent", table_name="debtor_profile", postgresql_where=sa.text("parent_no IS NOT NULL")
    )
    op.drop_index("ix_debtor_profile_debtor", table_name="debtor_profile")
    op.drop_index("ix_debtor_profile_creditor", table_name="debtor_profile")
    op.drop_table("debtor_profile")
    op.drop_index(
        "uq_contact_person_current", table_name="contact_person", postgresql_where=sa.text("replaced_at IS NULL")
    )
    op.drop_table("contact_person")
    op.drop_index(op.f("ix_case_party_id"), table_name="case")
    op.drop_index("ix_case_creditor", table_name="case")
    op.drop_table("case")
    op.drop_index(
        "uq_address_state_current", table_name="address_state", postgresql_where=sa.text("replaced_at IS NULL")
    )
    op.drop_index(
        "ix_address_state_opted_out",
        table_name="address_state",
        postgresql_where=sa.text("state = 'opted_out' AND replaced_at IS NULL"),
    )
    op.drop_index(
        "ix_address_state_lost",
        table_name="address_state",
        postgresql_where=sa.text("state IN ('dead', 'doubtful') AND replaced_at IS NULL"),
    )
    op.drop_table("address_state")
    op.drop_table("webhook")
    op.drop_index("ix_wake_creditor", table_name="wake")
    op.drop_table("wake")
    op.drop_index("ix_tick_creditor", table_name="tick")
    op.drop_table("tick")
    op.drop_table("snapshot")
    op.drop_table("person_creditor")
    op.drop_index("ix_pack_draft_pack", table_name="pack_draft", postgresql_where=sa.text("pack_id IS NOT NULL"))
    op.drop_table("pack_draft")
    op.drop_table("journey_figure")
    op.drop_index("ix_figure_series", table_name="figure", postgresql_where=sa.text("dimension = ''"))
    op.drop_table("figure")
    op.drop_index(op.f("ix_debtor_party_id"), table_name="debtor")
    op.drop_table("debtor")
    op.drop_index(
        "uq_creditor_pack_current", table_name="creditor_pack", postgresql_where=sa.text("replaced_at IS NULL")
    )
    op.drop_table("creditor_pack")
    op.drop_table("credential")
    op.drop_index(op.f("ix_console_session_person_id"), table_name="console_session")
    op.drop_table("console_session")
    op.drop_index("uq_change_request_person", table_name="change_request", postgresql_where=sa.text("state = 'asked'"))
    op.drop_index(
        "uq_change_request_creditor", table_name="change_request", postgresql_where=sa.text("state = 'asked'")
    )
    op.drop_table("change_request")
    op.drop_table("call_once")
    op.drop_index("uq_api_token_live", table_name="api_token", postgresql_where=sa.text("revoked_at IS NULL"))
    op.drop_table("api_token")
    op.drop_table("send_turn")
    op.drop_table("policy_pack")
    op.drop_table("person")
    op.drop_index("ix_party_merged", table_name="party", postgresql_where=sa.text("merged_into IS NOT NULL"))
    op.drop_table("party")
    op.drop_table("event_head")
    op.drop_index("ix_event_policy", table_name="event", postgresql_where=sa.text("policy_hash IS NOT NULL"))
    op.drop_index("ix_event_kind", table_name="event")
    op.drop_index("ix_event_flow_run", table_name="event", postgresql_where=sa.text("flow_run IS NOT NULL"))
    op.drop_index("ix_event_debtor", table_name="event", postgresql_where=sa.text("debtor_id IS NOT NULL"))
    op.drop_index("ix_event_creditor_seq", table_name="event")
    op.drop_index("ix_event_creditor", table_name="event")
    op.drop_index("ix_event_case", table_name="event", postgresql_where=sa.text("case_id IS NOT NULL"))
    op.drop_index("ix_event_actor", table_name="event")
    op.drop_table("event")
    op.drop_table("creditor")
    op.drop_index("ix_case_standing_words", table_name="case_standing", postgresql_using="gin")
    op.drop_index("ix_case_standing_value_at_risk", table_name="case_standing")
    op.drop_index("ix_case_standing_segment_overdue_open", table_name="case_standing")
    op.drop_index("ix_case_standing_overdue_open", table_name="case_standing")
    op.drop_index("ix_case_standing_oldest_due_on", table_name="case_standing")
    op.drop_index("ix_case_standing_next_on", table_name="case_standing")
    op.drop_index("ix_case_standing_name", table_name="case_standing")
    op.drop_index("ix_case_standing_experience_balance", table_name="case_standing")
    op.drop_index("ix_case_standing_debtor", table_name="case_standing")
    op.drop_index("ix_case_standing_asked_amount", table_name="case_standing")
    op.drop_index("ix_case_standing_account_manager_overdue_open", table_name="case_standing")
    op.drop_table("case_standing")
    op.drop_table("breaker")
