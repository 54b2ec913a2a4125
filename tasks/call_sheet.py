"""What a collector has before them while they ring: who, about what, what was said, what we owe, and what follows.

The script is made of facts, sentence by sentence, in the order in which they matter on the phone: first what is ours
to mend, then what is open, then what was said and promised. What follows from each result is told in the words of the
pack, by which `tasks.calls` acts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlmodel import Session

from maatpak.kernel.errors import UsageError
from maatpak.kernel.money import format_money
from tasks.call_choices import ResultChoice, choices, counted
from tasks.call_hours import HOURS_OF, call_window, ringing
from tasks.current_pack import current_pack

if TYPE_CHECKING:
    from tasks.engine import Engine

MOST_ITEMS, MOST_CONTACTS = 20, 8

CASE = """
SELECT r.id AS task_id, r.case_id, r.debtor_id, r.creditor_id, cr.code AS creditor, cr.name AS creditor_name,
  cr.business_date, cr.currency AS own_currency, d.debtor_no, d.party_id, k.currency, r.subject, r.due_on, r.assignee,
  r.state, r.outcome, r.done_on, r.done_by, b.login AS reserved_by, COALESCE(p.name, '') AS name,
  COALESCE(p.kind, 'business') AS kind,
  p.contact_name, p.account_manager,
  p.customer_since, y.debtor_no AS payer_no, z.name AS payer_name, COALESCE(z.debtor_id, r.debtor_id) AS called_id,
  CASE WHEN z.id IS NULL THEN p.phone ELSE z.phone END AS phone, COALESCE(s.segment, '') AS segment,
  COALESCE(s.asked_amount, 0) AS asked_amount, COALESCE(s.value_at_risk, 0) AS value_at_risk,
  COALESCE(s.experience_balance, 0) AS experience_balance
FROM work_task r JOIN creditor cr ON cr.id = r.creditor_id JOIN debtor d ON d.id = r.debtor_id
JOIN "case" k ON k.id = r.case_id
LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
LEFT JOIN debtor y ON y.creditor_id = d.creditor_id AND y.debtor_no = p.payer_no AND y.id <> d.id
LEFT JOIN debtor_profile z ON z.debtor_id = y.id AND z.replaced_at IS NULL
LEFT JOIN case_standing s ON s.case_id = r.case_id
LEFT JOIN call_reservation b ON b.task_id = r.id AND b.until > :now
WHERE r.id = :task AND r.kind = 'call' AND r.creditor_id = ANY(:creditors)
"""

PEOPLE = """
SELECT name, role, COALESCE(phone, '') AS phone FROM contact_person
WHERE debtor_id = :called AND replaced_at IS NULL AND role <> 'invoice' ORDER BY role, name LIMIT 8
"""

ITEMS = """
SELECT document_no, due_on, amount, open_amount, disputed_amount, :day - due_on AS days_late
FROM item_version WHERE debtor_id = :debtor AND currency = :currency AND item_type IN ('invoice', 'debit_note')
  AND open_amount > 0 AND replaced_at IS NULL
ORDER BY due_on, document_no
"""

CONTACTS = f"""
SELECT * FROM (
  (SELECT c.called_on AS day, 'call' AS way, c.code AS what, c.actor AS who, COALESCE(w.note, '') AS words
   FROM contact_result c LEFT JOIN work_task w ON w.id = c.task_id AND w.outcome = c.code WHERE c.case_id = :case
   ORDER BY c.id DESC LIMIT {MOST_CONTACTS})
  UNION ALL
  (SELECT COALESCE(sent_on, business_date), channel, template, state, '' FROM message WHERE case_id = :case
   ORDER BY id DESC LIMIT {MOST_CONTACTS})
  UNION ALL
  (SELECT received_on, channel, 'answer', COALESCE(read_by, 'unread'), '' FROM answer
   WHERE debtor_id = :debtor AND replaced_at IS NULL ORDER BY id DESC LIMIT {MOST_CONTACTS})
  UNION ALL
  (SELECT written_on, 'note', 'note', actor, body FROM case_note WHERE case_id = :case
   ORDER BY id DESC LIMIT {MOST_CONTACTS})
) told ORDER BY day DESC LIMIT {MOST_CONTACTS}
"""  # noqa: S608 - a number of our own

SAID = """
SELECT 'promise' AS what, promised_on AS day, amount, state AS word FROM (
  SELECT * FROM promise WHERE case_id = :case AND replaced_at IS NULL ORDER BY id DESC LIMIT 1) p
UNION ALL SELECT 'reason', stated_on, 0, reason FROM (
  SELECT * FROM stated_reason WHERE case_id = :case AND replaced_at IS NULL ORDER BY stated_on DESC, id DESC LIMIT 1) s
UNION ALL SELECT 'plan', offered_on, total, state FROM (
  SELECT * FROM plan WHERE case_id = :case AND replaced_at IS NULL ORDER BY id DESC LIMIT 1) l
"""

OURS = """
SELECT 'The dispute of ' || i.document_no || ' (' || replace(r.reason, '_', ' ') || ')' AS what, r.answer_by AS due_on
FROM dispute r JOIN item i ON i.id = r.item_id
WHERE r.case_id = :case AND r.replaced_at IS NULL AND r.state = 'open'
UNION ALL SELECT subject, due_on FROM work_task
WHERE case_id = :case AND state = 'open' AND kind IN ('department', 'reply', 'cash')
UNION ALL SELECT 'Ticket ' || ticket_no || ' (' || replace(kind, '_', ' ') || ')', NULL FROM ticket
WHERE debtor_id = :debtor AND replaced_at IS NULL AND closed_on IS NULL
ORDER BY due_on NULLS LAST, what
"""

TRIES = "SELECT code, called_on FROM contact_result WHERE case_id = :case AND task_id = :task ORDER BY id"
OF_CASE = (
    *("task_id", "case_id", "debtor_id", "creditor", "debtor_no", "name", "currency", "subject", "due_on", "assignee"),
    *("phone", "payer_no", "payer_name", "account_manager", "contact_name", "state", "outcome", "done_on", "done_by"),
    *("reserved_by", "business_date", "segment", "asked_amount", "value_at_risk", "experience_balance"),
)


@dataclass(frozen=True)
class Contact:
    """Something said or written between us."""

    day: date
    way: str
    """`call`, `note`, or the channel of a message or answer."""
    what: str
    """The call's result, the message's template, `answer`, or `note`."""
    who: str
    """Of a call or note: who made it; of a message: its state; of an answer: who read it, else `unread`."""
    words: str
    """Of a call or note: what was written down."""


@dataclass(frozen=True)
class CalledItem:
    """An open invoice or debit note. Amounts in minor units."""

    document_no: str
    due_on: date
    amount: int
    open_amount: int
    disputed_amount: int
    """As the ledger flags it."""
    days_late: int
    """Calendar days past the contractual date; not above 0: not late."""


@dataclass(frozen=True)
class Owed:
    """Something that is ours to do for the customer."""

    what: str
    due_on: date | None


@dataclass(frozen=True)
class CallSheet:
    """Everything for one call."""

    task_id: int
    case_id: int
    debtor_id: int
    creditor: str
    debtor_no: str
    name: str
    currency: str
    subject: str
    """What the call is about, in the words of the journey's step."""
    due_on: date
    assignee: str | None
    reserved_by: str | None
    """Who is about to make it."""
    state: str
    outcome: str | None
    """Of a call that is done: its result, `tried`, or `waived`."""
    done_on: date | None
    done_by: str | None
    business_date: date
    contact_name: str | None
    """Whom to ask for."""
    phone: str | None
    """Of who is called: the account that pays, where it is another one."""
    payer_no: str | None
    payer_name: str | None
    people: tuple[tuple[str, str, str], ...]
    """(name, role, phone) of the contact persons."""
    account_manager: str | None
    hours: str
    """When the customer may be rung, in words."""
    there: datetime
    """The instant by the customer's clock."""
    may_ring: bool
    ring_from: datetime | None
    script: tuple[str, ...]
    items: tuple[CalledItem, ...]
    """The oldest; `item_count` says how many there are."""
    item_count: int
    overdue: int
    """Open and past the contractual date, in minor units."""
    asked_amount: int
    """As of the newest run, as `value_at_risk`, `segment` and `experience_balance`."""
    value_at_risk: int
    segment: str
    contacts: tuple[Contact, ...]
    """The last ones, newest first."""
    owed: tuple[Owed, ...]
    experience_balance: int
    tries: int
    """Attempts made for this call."""
    rung_today: bool
    """Whether the customer was rung on this business date, about whatever it was."""
    results: tuple[ResultChoice, ...]


def call_sheet(
    engine: "Engine", session: Session, creditor_ids: Sequence[int], task_id: int, now: datetime
) -> CallSheet:
    """The sheet of a call, as of the creditor's business date.

    Raises:
        UsageError: there is no such call of these creditors, or its creditor has not begun a day.
    """
    found = _rows(session, CASE, task=task_id, creditors=list(creditor_ids), now=now)
    if not found or found[0]["business_date"] is None:
        raise UsageError(f"There is no call {task_id}.", advice="`maatpak tasks list` shows the open ones.")
    case = found[0]
    today, names = case["business_date"], {"case": case["case_id"], "debtor": case["debtor_id"]}
    pack = engine.pack(current_pack(session, case["creditor_id"]))
    owing = _rows(session, ITEMS, day=today, currency=case["currency"], debtor=case["debtor_id"])
    items = [CalledItem(**row) for row in owing]
    said = {row["what"]: row for row in _rows(session, SAID, case=case["case_id"])}
    owed = tuple(Owed(**row) for row in _rows(session, OURS, **names))
    contacts = tuple(Contact(**row) for row in _rows(session, CONTACTS, **names))
    tries = _rows(session, TRIES, case=case["case_id"], task=task_id)
    (customer,) = _rows(session, HOURS_OF, debtors=[case["debtor_id"]])
    window = call_window(customer, pack.guardrails.hours)
    ring_from, may_ring = ringing(customer, pack.guardrails.hours, today, case["due_on"], now)
    people = _rows(session, PEOPLE, called=case["called_id"])
    overdue = sum(item.open_amount for item in items if item.days_late > 0)
    return CallSheet(
        **{name: case[name] for name in OF_CASE},
        people=tuple((each["name"], each["role"], each["phone"]) for each in people),
        hours=window.said(),
        there=window.local(now),
        may_ring=may_ring,
        ring_from=ring_from,
        script=tuple(
            _script(case, items, said, owed, contacts, wary=case["experience_balance"] <= pack.scale.no_notice_at)
        ),
        items=tuple(items[:MOST_ITEMS]),
        item_count=len(items),
        overdue=overdue,
        contacts=contacts,
        owed=owed,
        tries=len(tries),
        rung_today=customer["called_on"] == today,
        results=choices(pack.call_results, [(each["code"], each["called_on"]) for each in tries], today),
    )


def _rows(session: Session, query: str, **values: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in session.connection().execute(text(query), values).mappings()]


def _script(
    case: dict[str, Any],
    items: list[CalledItem],
    said: dict[str, dict[str, Any]],
    owed: tuple[Owed, ...],
    contacts: tuple[Contact, ...],
    *,
    wary: bool,
) -> list[str]:
    """The talk, point by point; `wary`: no machine writes to them any more, and a person chooses what is next."""

    def money(amount: int) -> str:
        return format_money(amount, case["currency"])

    who = case["contact_name"] or "whoever pays the invoices"
    points = [f"Ask for {who}. Say your name, and {case['creditor_name']}; nothing of it is for anybody else."]
    if wary:
        points.append("We have cost this customer a lot of goodwill: begin by asking what we did wrong.")
    if any(each.what == "answer" and each.who == "unread" for each in contacts):
        points.append("They have written to us and nobody has read it yet: read it before you ring.")
    points += [f"Ours to mend first: {each.what}{_by(each.due_on)}." for each in owed]
    late = [item for item in items if item.days_late > 0]
    if late:
        total, oldest = sum(item.open_amount for item in late), late[0]
        points.append(
            f"Open and due: {money(total)} in {counted(len(late), 'document')}; the oldest is {oldest.document_no},"
            f" {money(oldest.open_amount)}, due {_day(oldest.due_on)}, {counted(oldest.days_late, 'day')} late."
        )
    disputed = sum(item.disputed_amount for item in items)
    if disputed:
        points.append(f"{money(disputed)} of it is contested and not to be asked for.")
    last = next((each for each in contacts if each.way != "note"), None)
    if last is not None:
        points.append(f"Last contact: {last.way}, {last.what.replace('_', ' ')}, on {_day(last.day)}.")
    promise, reason, plan = (said.get(name) for name in ("promise", "reason", "plan"))
    if promise is not None:
        points.append(f"They promised {money(promise['amount'])} for {_day(promise['day'])}: {_word(promise)}.")
    if plan is not None:
        points.append(f"A plan over {money(plan['amount'])} of {_day(plan['day'])}: {_word(plan)}.")
    if reason is not None:
        points.append(f"Why they did not pay, as told on {_day(reason['day'])}: {_word(reason)}. Is it still so?")
    points.append(case["subject"])
    if reason is None:
        points.append("Ask why it is open, and listen: the reason decides what we do next.")
    points.append("End with a date and an amount, or with what each of us does next, and repeat it.")
    return points


def _word(row: dict[str, Any]) -> str:
    return str(row["word"]).replace("_", " ")


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _by(day: date | None) -> str:
    return "" if day is None else f", by {_day(day)}"
