"""An outbox to send from: messages that the engine wrote itself, of customers who are made up."""

import time
from datetime import timedelta
from pathlib import Path

from benchmarks.population import AS_OF, KNOWN_AT, populate
from connectors.message import Outgoing
from maatpak.kernel.settings import Settings
from maatpak.kernel.words import Channel
from maatpak.ledger.database import Database
from maatpak.ledger.packs import publish_pack
from maatpak.ledger.tables import CreditorPack
from maatpak.ledger.workspace import Workspace
from policies.pack import standard_pack_files
from tasks.engine import Engine
from tasks.execute import execute_all

CREDITOR = 1
EVIDENCE = "evidence"
NOON = KNOWN_AT + timedelta(hours=6)
"""An instant of the day at which messages may leave."""
STEPS = {
    Channel.EMAIL: ("remind", "reminder", "reminder", "preferred"),
    Channel.SMS: ("solve", "second_text", "second_notice", "sms"),
    Channel.POST: ("remind", "reminder", "reminder", "preferred"),
}
"""Channel → stage, step, template and channel rule of the one action that each customer has."""
ONE_ACTION_EACH = """
TRUNCATE message, message_action, evidence, touch, contact_result, hold, promise, dispute, stated_reason, payment,
  action_item, address_state CASCADE;
DELETE FROM action WHERE step <> 'reminder';
UPDATE item_version SET item_type = 'invoice', amount = 500 + id % 1500,
  open_amount = CASE WHEN open_amount = 0 THEN 0 ELSE 500 + id % 1500 END;
UPDATE item SET item_type = 'invoice';
INSERT INTO action_item (action_id, item_id, amount)
  SELECT a.id, v.item_id, v.open_amount FROM action a JOIN item_version v ON v.debtor_id = a.case_id
  WHERE v.open_amount > 0 AND v.due_on < DATE '{day}' - 10;
DELETE FROM action a WHERE NOT EXISTS (SELECT 1 FROM action_item i WHERE i.action_id = a.id);
UPDATE action a SET state = 'approved', stage = '{stage}', step = '{step}', template = '{template}',
  channel = '{channel}', executed_on = NULL, started_at = NULL, ended_at = NULL, result = NULL,
  due_on = DATE '{day}', business_date = DATE '{day}',
  amount = (SELECT sum(i.amount) FROM action_item i WHERE i.action_id = a.id);
UPDATE creditor SET iban = 'NL91ABNA0417164300', street = 'Oudegracht 12', postal_code = '3511 AB', city = 'Utrecht';
UPDATE debtor_profile SET preferred_channel = '{preferred}', kind = 'consumer', country = 'NL',
  phone = '+316' || lpad(debtor_id::text, 8, '1'),
  email = 'payables' || debtor_id || '@example.test'
"""
"""As if each had been asked for the first time today, and nothing else were known; small amounts, so that texts go."""


def fill(database: Database, folder: Path, channel: Channel, customers: int) -> tuple[float, int]:
    """Approved actions of so many customers, carried out: the seconds that it took, and how many messages wait.

    Their words lie in `folder`.
    """
    with database.session() as session:
        pack = publish_pack(session, "standard", standard_pack_files(), "bench", "bench", AS_OF, KNOWN_AT)
        assert pack.id is not None
        pack_id = pack.id
    populate(database, customers, pack_ids=(pack_id,), segments=("forgetful",))
    stage, step, template, rule = STEPS[channel]
    made = ONE_ACTION_EACH.format(stage=stage, step=step, template=template, channel=rule, preferred=channel, day=AS_OF)
    with database.frames() as frames:
        frames.execute("SET LOCAL session_replication_role = replica")
        for statement in made.strip().split(";\n"):
            frames.execute(statement)
    with database.session() as session:
        chosen = CreditorPack(
            creditor_id=CREDITOR, pack_id=pack_id, actor="bench", valid_from=AS_OF, recorded_at=KNOWN_AT
        )
        session.add(chosen)
    workspace = folder / "writing"
    Workspace(workspace).create()
    settings = Settings(workspace=workspace, database_url=database.url, evidence_url=str(folder / EVIDENCE))
    engine = Engine(settings, database)
    engine.pack(pack_id)
    started = time.perf_counter()
    summary = execute_all(engine, CREDITOR, AS_OF, KNOWN_AT)
    return time.perf_counter() - started, summary.counts["queued"]


def waiting(engine: Engine, channel: Channel) -> list[Outgoing]:
    """The messages of the outbox that will leave by a channel; a few customers can only be reached by another."""
    with engine.database.frames(read_only=True) as frames:
        keys = frames.read(f"SELECT content FROM message WHERE channel = '{channel}' ORDER BY id")["content"].to_list()
    return [Outgoing.from_json(engine.store.get(key)) for key in keys]
