"""A made-up creditor of any size, put straight into PostgreSQL: what the benchmarks look at.

Nothing here goes through the intake or the engine: the rows are those that months of daily runs would have left behind.
Numbers come from one seeded generator, so the same call gives the same rows.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from maatpak.ledger.database import Database, Frames

AS_OF = date(2026, 6, 10)
KNOWN_AT = datetime.combine(AS_OF, time(6), UTC)
OPEN_ITEMS = 5
SETTLED_ITEMS = 5
COUNTRIES = ("NL", "BE", "GB", "DE", "FR")
STEPS = (
    ("remind", "reminder", "message", "executed", None),
    ("listen", "call", "call", "executed", "spoke_no_commitment"),
    ("solve", "second_notice", "message", "executed", None),
    ("solve", "terms_review", "review", "skipped", None),
)
"""The four earlier steps of a case: stage, step, kind, state, result."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Population:
    """What was made."""

    creditor_id: int
    debtors: int
    open_items: int
    as_of: date
    known_at: datetime


def populate(
    database: Database,
    debtors: int,
    *,
    pack_ids: tuple[int, ...] = (1, 2, 3),
    segments: tuple[str, ...] = ("forgetful",),
    seed: int = 1,
) -> Population:
    """A creditor with so many debtors, five open and five settled items each, and four earlier steps a case."""
    maker = _Maker(debtors, np.random.default_rng(seed), pack_ids, segments)
    with database.frames() as frames:
        frames.execute("SET LOCAL session_replication_role = replica")
        maker.creditor(frames)
        maker.masters(frames)
        maker.items(frames)
        maker.steps(frames)
        maker.records(frames)
        _advance_sequences(frames)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    return Population(1, debtors, debtors * OPEN_ITEMS, AS_OF, KNOWN_AT)


def _append(frames: Frames, table: str, frame: pl.DataFrame) -> None:
    with frames.connection.cursor() as cursor:
        cursor.adbc_ingest(table, frame.to_arrow(compat_level=pl.CompatLevel.oldest()), mode="append")


def _advance_sequences(frames: Frames) -> None:
    tables = frames.read(
        "SELECT table_name, pg_get_serial_sequence(quote_ident(table_name), 'id') AS sequence"
        " FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'id'"
    ).drop_nulls()
    for table, sequence in tables.iter_rows():
        frames.read(f"SELECT setval('{sequence}', coalesce(max(id), 0) + 1, false) FROM \"{table}\"")


class _Maker:
    def __init__(
        self, debtors: int, random: np.random.Generator, pack_ids: tuple[int, ...], segments: tuple[str, ...]
    ) -> None:
        self.count = debtors
        self.random = random
        self.pack_ids = pack_ids
        self.segments = segments
        self.debtor = np.arange(1, debtors + 1)
        self.past = KNOWN_AT - timedelta(days=200)
        self.due: Numbers = np.zeros(0, dtype=np.int64)
        self.item: Numbers = np.zeros(0, dtype=np.int64)
        self.item_debtor: Numbers = np.zeros(0, dtype=np.int64)

    def creditor(self, frames: Frames) -> None:
        at = f"TIMESTAMPTZ '{self.past.isoformat()}'"
        frames.execute(
            "INSERT INTO creditor (id, code, name, country, language, currency, time_zone, business_date, recorded_at)"
            f" VALUES (1, 'BENCH', 'Bench', 'NL', 'en', 'EUR', 'Europe/Amsterdam', DATE '{AS_OF}', {at})"
        )
        for pack in self.pack_ids:
            frames.execute(
                "INSERT INTO policy_pack (id, name, version, content_hash, files, note, published_by, recorded_at)"
                f" VALUES ({pack}, 'bench', {pack}, 'bench-{pack}', '{{}}', '', 'bench', {at}) ON CONFLICT DO NOTHING"
            )
        frames.execute(
            "INSERT INTO snapshot (creditor_id, source, kind, as_of, tables, content_hash, evidence, row_count,"
            " quarantined_count, warning_count, balances, accepted_bounds, actor, recorded_at) VALUES"
            f" (1, 'bench', 'full', DATE '{AS_OF}', jsonb_build_array('items'), 'bench', '[]', 0, 0, 0, '{{}}', '{{}}',"
            f" 'bench', {at})"
        )

    def masters(self, frames: Frames) -> None:
        n, random = self.count, self.random
        recorded = pl.lit(self.past, dtype=pl.Datetime("us", "UTC"))
        base = pl.DataFrame({"id": self.debtor}).with_columns(recorded_at=recorded)
        shard = pl.Series(random.integers(0, 32768, n), dtype=pl.Int32)
        _append(frames, "party", base.with_columns(party_ref="P" + pl.col("id").cast(pl.String), shard_key=shard))
        _append(
            frames,
            "debtor",
            base.with_columns(
                creditor_id=pl.lit(1), party_id=pl.col("id"), debtor_no="D" + pl.col("id").cast(pl.String)
            ).with_columns(pl.col("creditor_id").cast(pl.Int64)),
        )
        _append(
            frames,
            "case",
            base.with_columns(
                creditor_id=pl.lit(1, pl.Int64),
                debtor_id=pl.col("id"),
                party_id=pl.col("id"),
                currency=pl.lit("EUR"),
                shard_key=shard,
            ),
        )
        number = pl.col("id").cast(pl.String)
        profile = base.with_columns(
            valid_from=pl.lit(AS_OF - timedelta(days=200)),
            debtor_id=pl.col("id"),
            creditor_id=pl.lit(1, pl.Int64),
            name="Customer " + number,
            kind=pl.Series(random.choice(["business", "business", "business", "consumer"], n)),
            country=pl.Series(random.choice(list(COUNTRIES), n, p=[0.5, 0.2, 0.1, 0.1, 0.1])),
            language=pl.Series(random.choice(["nl", "en"], n)),
            email=pl.when(pl.Series(random.random(n) < 0.95)).then("payables" + number + "@example.test"),
            phone=pl.when(pl.Series(random.random(n) < 0.85)).then("+3120" + number.str.zfill(7)),
            street="Street " + number,
            postal_code=pl.lit("1000 AA"),
            city=pl.lit("Amsterdam"),
            preferred_channel=pl.lit("email"),
            customer_since=pl.Series(
                (AS_OF - date(1970, 1, 1)).days - random.integers(100, 4000, n), dtype=pl.Int32
            ).cast(pl.Date),
            key_account=pl.Series(random.random(n) < 0.02),
            credit_limit=pl.when(pl.Series(random.random(n) < 0.5)).then(
                pl.Series(random.integers(10_000, 9_000_000, n))
            ),
            risk_class=pl.Series(random.choice(["A", "B", "C", "none"], n)),
            legal_stop=pl.lit("none"),
            parent_no=pl.when(pl.Series(random.random(n) < 0.05)).then(
                "D" + pl.Series(random.integers(1, n + 1, n)).cast(pl.String)
            ),
        )
        _append(frames, "debtor_profile", profile)

    def items(self, frames: Frames) -> None:
        n, random = self.count, self.random
        total = n * (OPEN_ITEMS + SETTLED_ITEMS)
        today = (AS_OF - date(1970, 1, 1)).days
        is_open = np.tile(np.arange(OPEN_ITEMS + SETTLED_ITEMS) < OPEN_ITEMS, n)
        debtor = np.repeat(self.debtor, OPEN_ITEMS + SETTLED_ITEMS)
        due = np.where(is_open, today + random.integers(-70, 30, total), today - random.integers(10, 720, total))
        delay = np.clip(np.repeat(random.integers(-5, 25, n), OPEN_ITEMS + SETTLED_ITEMS), -5, 30) + random.integers(
            -5, 6, total
        )
        amount = random.integers(1_000, 2_000_000, total)
        kind = np.where(is_open & (random.random(total) < 0.02), "credit_note", "invoice")
        order = random.permutation(total)  # the heap of a living table is in no order of debtors
        frame = pl.DataFrame(
            {
                "id": np.arange(1, total + 1)[order],
                "debtor_id": debtor[order],
                "item_type": kind[order],
                "due": due[order],
                "amount": amount[order],
                "settled": (due + delay)[order],
                "open": is_open[order],
            }
        ).with_columns(
            creditor_id=pl.lit(1, pl.Int64),
            document_no="INV" + pl.col("id").cast(pl.String),
            issued_on=(pl.col("due") - 30).cast(pl.Int32).cast(pl.Date),
            due_on=pl.col("due").cast(pl.Int32).cast(pl.Date),
            settled_on=pl.when(~pl.col("open")).then(
                pl.col("settled").clip(upper_bound=today).cast(pl.Int32).cast(pl.Date)
            ),
            currency=pl.lit("EUR"),
            recorded_at=pl.lit(self.past, dtype=pl.Datetime("us", "UTC")),
        )
        _append(
            frames,
            "item",
            frame.select(
                "id", "creditor_id", "debtor_id", "item_type", "document_no", "issued_on", "currency", "recorded_at"
            ),
        )
        _append(
            frames,
            "item_version",
            frame.select(
                pl.col("id").alias("item_id"),
                *("id", "creditor_id", "debtor_id", "item_type", "document_no", "issued_on", "due_on", "currency"),
                *("amount", "recorded_at", "settled_on"),
                valid_from=pl.lit(AS_OF - timedelta(days=200)),
                open_amount=pl.when("open").then("amount").otherwise(0),
                settled_by=pl.when(~pl.col("open")).then(pl.lit("payment")),
                settled_estimated=pl.lit(value=False),
                disputed_amount=pl.lit(0, pl.Int64),
            ),
        )
        overdue = is_open & (due < today - 25) & (kind == "invoice")
        self.item, self.item_debtor, self.due = np.arange(1, total + 1)[overdue], debtor[overdue], due[overdue]

    def steps(self, frames: Frames) -> None:
        n, random = self.count, self.random
        opened = AS_OF - timedelta(days=30)
        at = pl.lit(KNOWN_AT - timedelta(days=30), dtype=pl.Datetime("us", "UTC"))
        rounds = pl.DataFrame({"id": self.debtor, "case_id": self.debtor}).with_columns(
            number=pl.lit(1, pl.Int32), opened_on=pl.lit(opened), opened_at=at
        )
        _append(frames, "round", rounds)
        _append(
            frames,
            "round_course",
            pl.DataFrame({"round_id": self.debtor}).with_columns(
                valid_from=pl.lit(opened),
                recorded_at=at,
                segment=pl.Series(random.choice(list(self.segments), n)),
                pack_id=pl.Series(random.choice(list(self.pack_ids), n), dtype=pl.Int64),
                entry_stage=pl.lit("prepare"),
                cause=pl.lit("opened"),
                actor=pl.lit("engine"),
                by_hand=pl.lit(value=False),
            ),
        )
        named = pl.DataFrame({"round_id": self.item_debtor, "item_id": self.item})
        _append(frames, "round_item", named.with_columns(joined_on=pl.lit(opened), recorded_at=at))
        actions = pl.concat([self._step(position, *step) for position, step in enumerate(STEPS)])
        _append(frames, "action", actions)
        naming = actions.filter(pl.col("state") == "executed").select("id", "round_id")
        _append(
            frames,
            "action_item",
            naming.join(named, on="round_id").select(
                pl.col("id").alias("action_id"), "item_id", amount=pl.lit(1_000, pl.Int64)
            ),
        )
        self._messages(frames, actions.filter(pl.col("kind") == "message"))
        self._calls(frames, actions.filter(pl.col("kind") == "call"))

    def _step(self, position: int, stage: str, step: str, kind: str, state: str, result: str | None) -> pl.DataFrame:
        on = AS_OF - timedelta(days=28 - 7 * position)
        at = pl.lit(KNOWN_AT - timedelta(days=28 - 7 * position), dtype=pl.Datetime("us", "UTC"))
        done = state == "executed"
        return pl.DataFrame({"id": self.debtor + position * self.count, "case_id": self.debtor}).with_columns(
            creditor_id=pl.lit(1, pl.Int64),
            round_id=pl.col("case_id"),
            stage=pl.lit(stage),
            step=pl.lit(step),
            attempt=pl.lit(1, pl.Int32),
            kind=pl.lit(kind),
            segment=pl.lit("forgetful"),
            pack_id=pl.lit(self.pack_ids[0], pl.Int64),
            state=pl.lit(state),
            reason=pl.lit(None if done else "condition_false", pl.String),
            channel=pl.lit("preferred"),
            template=pl.lit(step if kind == "message" else None, pl.String),
            written=pl.lit(kind == "message"),
            escalating=pl.lit(value=False),
            approvals_needed=pl.lit(0, pl.Int32),
            amount=pl.lit(10_000, pl.Int64),
            overdue_amount=pl.lit(10_000, pl.Int64),
            due_on=pl.lit(on),
            business_date=pl.lit(on),
            proposed_at=at,
            started_at=at if done else pl.lit(None, pl.Datetime("us", "UTC")),
            executed_on=pl.lit(on if done else None, pl.Date),
            ended_at=at,
            result=pl.lit(result, pl.String),
        )

    def _messages(self, frames: Frames, actions: pl.DataFrame) -> None:
        """A mail each, and a letter beside the second notice."""
        both = pl.concat(
            [
                actions.with_columns(channel=pl.lit("email")),
                actions.filter(pl.col("step") == "second_notice").with_columns(channel=pl.lit("post")),
            ]
        ).with_row_index("message_id", offset=1)
        number = pl.col("message_id").cast(pl.String)
        _append(
            frames,
            "message",
            both.select(
                pl.col("message_id").cast(pl.Int64).alias("id"),
                "creditor_id",
                pl.col("case_id").alias("debtor_id"),
                *("case_id", "channel", "template", "business_date", "attempt"),
                recipient="payables" + pl.col("case_id").cast(pl.String) + "@example.test",
                language=pl.lit("en"),
                content_key="c" + number,
                message_ref="m" + number,
                content=pl.lit("message/00/00.json"),
                written=pl.lit(value=True),
                state=pl.lit("sent"),
                queued_at=pl.col("proposed_at"),
                tries=pl.lit(1, pl.Int32),
                sent_on=pl.col("executed_on"),
                sent_at=pl.col("ended_at"),
                ended_at=pl.col("ended_at"),
            ),
        )
        _append(
            frames,
            "message_action",
            both.select(pl.col("message_id").cast(pl.Int64), pl.col("id").alias("action_id")),
        )
        seen = both.filter(pl.Series(self.random.random(both.height) < 0.05))
        _append(
            frames,
            "evidence",
            seen.select(
                pl.col("message_id").cast(pl.Int64),
                kind=pl.Series(self.random.choice(["bounced", "delivered", "answered"], seen.height)),
                source=pl.lit("bench"),
                observed_on=pl.col("executed_on") + pl.duration(days=1),
                recorded_at=pl.col("ended_at") + pl.duration(days=1),
            ),
        )
        letters = both.filter(pl.col("channel") == "post")
        _append(
            frames,
            "touch",
            letters.select(
                "creditor_id",
                pl.col("case_id").alias("party_id"),
                "case_id",
                pl.col("id").alias("action_id"),
                kind=pl.col("step"),
                rating=pl.lit(-1, pl.Int32),
                wrongful=pl.lit(value=False),
                touched_on=pl.col("executed_on"),
                recorded_at=pl.col("ended_at"),
            ),
        )

    def _calls(self, frames: Frames, actions: pl.DataFrame) -> None:
        _append(
            frames,
            "contact_result",
            actions.select(
                "creditor_id",
                "case_id",
                pl.col("case_id").alias("debtor_id"),
                code=pl.lit("spoke_no_commitment"),
                day_part=pl.lit("morning"),
                called_on=pl.col("executed_on"),
                actor=pl.lit("bench"),
                recorded_at=pl.col("ended_at"),
            ),
        )

    def records(self, frames: Frames) -> None:
        """Two in a hundred cases with a record of each kind; a part payment for one case in five."""
        recorded = pl.lit(KNOWN_AT - timedelta(days=6), dtype=pl.Datetime("us", "UTC"))
        soon, lately = AS_OF + timedelta(days=4), AS_OF - timedelta(days=6)

        def some(share: float) -> pl.DataFrame:
            chosen = self.debtor[self.random.random(self.count) < share]
            return pl.DataFrame({"case_id": chosen}).with_columns(
                valid_from=pl.lit(lately), recorded_at=recorded, actor=pl.lit("bench")
            )

        number = pl.col("case_id").cast(pl.String)
        _append(
            frames,
            "hold",
            some(0.02).with_columns(
                debtor_id=pl.col("case_id"),
                hold_no="H" + number,
                scope=pl.lit("case"),
                reason=pl.lit("complaint"),
                source=pl.lit("bench"),
                from_on=pl.lit(lately),
                until_on=pl.lit(soon),
                state=pl.lit("active"),
                note=pl.lit(""),
            ),
        )
        _append(
            frames,
            "promise",
            some(0.02).with_columns(
                promise_no="P" + number,
                amount=pl.lit(50_000, pl.Int64),
                made_on=pl.lit(lately),
                promised_on=pl.lit(soon),
                received=pl.lit(0, pl.Int64),
                source=pl.lit("call"),
                state=pl.lit("open"),
            ),
        )
        _append(
            frames,
            "stated_reason",
            some(0.05).with_columns(reason=pl.lit("forgot"), stated_on=pl.lit(lately), source=pl.lit("call")),
        )
        disputed = (
            pl.DataFrame({"case_id": self.item_debtor, "item_id": self.item})
            .unique("case_id", keep="first", maintain_order=True)
            .join(some(0.02), on="case_id")
        )
        _append(
            frames,
            "dispute",
            disputed.with_columns(
                dispute_no="Q" + number,
                amount=pl.lit(20_000, pl.Int64),
                accepted_amount=pl.lit(0, pl.Int64),
                reason=pl.lit("price"),
                owner=pl.lit("sales"),
                opened_on=pl.lit(lately),
                answer_by=pl.lit(soon),
                state=pl.lit("open"),
                source=pl.lit("call"),
            ),
        )
        paid = (
            pl.DataFrame({"debtor_id": self.item_debtor, "item_id": self.item})
            .unique("debtor_id", keep="first", maintain_order=True)
            .filter(pl.col("debtor_id") % 5 == 0)
        )
        _append(
            frames,
            "payment",
            paid.with_columns(
                creditor_id=pl.lit(1, pl.Int64),
                payment_no="PAY" + pl.col("item_id").cast(pl.String),
                paid_on=pl.lit(lately),
                currency=pl.lit("EUR"),
                amount=pl.lit(500, pl.Int64),
                applied=pl.lit(500, pl.Int64),
                valid_from=pl.lit(lately),
                recorded_at=recorded,
            ),
        )
