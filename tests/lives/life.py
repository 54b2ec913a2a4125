"""One customer's random life: what its ledger does, what it says, and what people do about it, from one seed.

Lives know nothing of each other. `Lives` moves them all through the same days in one database.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from maatpak.demo.people import COLLECTORS, MANAGERS, Act
from maatpak.kernel.checks import CUSTOMER_CHECKS, CheckKind, CheckResult
from maatpak.kernel.words import (
    CallResult,
    Channel,
    ConsultAnswer,
    DisputeState,
    EvidenceKind,
    HoldReason,
    LegalStop,
    NonPaymentReason,
    WorkKind,
)
from tasks.answers import record_answer
from tasks.approvals import approve, reject
from tasks.calls import Call, record_call
from tasks.checking import RESULTS, record_check
from tasks.claims import claim_payment
from tasks.desk import Desk
from tasks.disputes import DISPUTE_REASONS, decide_dispute, open_dispute
from tasks.evidence import note_evidence
from tasks.holds import set_hold
from tasks.plans import accept_plan, decline_plan, offer_plan
from tasks.preferences import set_preference
from tasks.promises import make_promise
from tasks.reasons import state_reason
from tasks.tickets import open_ticket
from tasks.work import Outcome, finish_work, outcomes_of
from tasks.worklist import CHECK_FIRST
from tests.lives.ledger import Account, Ledger

REASONS = [reason for reason in NonPaymentReason if reason != NonPaymentReason.NONE]
HOLDS = [reason for reason in HoldReason if reason not in (HoldReason.NONE, HoldReason.LEGAL_STOP)]
CAME_BACK = {
    EvidenceKind.BOUNCED: 0.1,
    EvidenceKind.RETURNED: 0.1,
    EvidenceKind.DELIVERED: 0.5,
    EvidenceKind.LINK_USED: 0.3,
}
"""What is heard of a message, and how often: addresses that die without end would leave nobody to write to."""
HEARD = ("account1", "account2", "account3", *MANAGERS)


@dataclass
class Life:
    """One customer."""

    seed: str
    account: Account
    pays: float
    """The chance a day that something overdue is paid."""
    talks: float
    """The chance a day that something is said or recorded."""
    works: float
    """The chance a day that a piece of work is done."""
    items: list[int] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """What happened, for whoever has to understand a breach."""

    def random(self, *about: object) -> Random:
        """A generator for one subject."""
        return Random(":".join(map(str, (self.seed, *about))))

    def tell(self, day: date, what: str) -> None:
        """Note it."""
        self.told.append(f"{day} {what}")


def born(ledger: Ledger, seed: str, number: int, on: date) -> Life:
    """A customer with a past and a nature drawn from the seed."""
    random = Random(f"{seed}:{number}")
    shared = random.random() < 0.05
    # One in eight is paid for by a neighbour that was there before, so some pay for several.
    paid_for = number % 5 != 0 and Random(f"{seed}:{number}:payer").random() < 0.16
    account = ledger.open_account(
        f"D{number:05d}",
        on,
        party_ref=f"shared-{number // 2}" if shared else None,
        kind=random.choices(["business", "consumer", "public"], [0.7, 0.25, 0.05])[0],
        email=None if random.random() < 0.05 else f"d{number}@customer.example",
        phone=None if random.random() < 0.05 else f"+3197000{number % 10_000:04d}",
        street=None if random.random() < 0.05 else "Molenweg 1",
        preferred_channel=random.choices(["email", "post", "sms"], [0.8, 0.15, 0.05])[0],
        account_manager=None if random.random() < 0.1 else f"life.account{random.randint(1, 3)}",
        customer_since=on - timedelta(days=random.choice((40, 200, 900, 3000))),
        key_account=random.random() < 0.05,
        payer_no=f"D{number - number % 5:05d}" if paid_for else None,
    )
    late = random.choice((0, 0, 3, 12, 25))
    for _ in range(random.randint(0, 8)):
        due = on - timedelta(days=random.randint(40, 700))
        paid = due + timedelta(days=random.randint(-5, 2) + random.randint(0, late))
        ledger.book(account, random.randint(1_000, 90_000), due - timedelta(days=30), due, on=on, settled_on=paid)
    life = Life(
        seed=f"{seed}:{number}",
        account=account,
        pays=random.choice((0.0, 0.01, 0.03, 0.1)),
        talks=random.choice((0.0, 0.02, 0.06)),
        works=random.choice((0.2, 0.6, 0.95)),
    )
    for _ in range(random.randint(1, 3)):
        due = on + timedelta(days=random.randint(-60, 15))
        issued = due - timedelta(days=30)
        life.items.append(ledger.book(account, random.randint(300, 300_000), issued, due, on=max(on, issued)))
    return life


def night(life: Life, ledger: Ledger, day: date) -> None:
    """What the books of the night bring: invoices, money, credit notes."""
    random = life.random("night", day)
    if random.random() < 0.03:
        due = day + timedelta(days=random.choice((0, 7, 14)))
        life.items.append(ledger.book(life.account, random.randint(300, 200_000), day, due))
        life.tell(day, f"invoice due {due}")
    if random.random() < 0.008:
        kind = random.choice(("credit_note", "payment"))
        ledger.book(life.account, random.randint(100, 50_000), day, day, kind=kind)
        life.tell(day, kind)
    for item_id in life.items:
        if random.random() >= life.pays:
            continue
        open_amount = ledger.open_of(item_id)
        if open_amount:
            part = None if random.random() < 0.7 else max(1, round(open_amount * random.random()))
            by = random.choices(["payment", "credit_note", "write_off"], [0.9, 0.08, 0.02])[0]
            taken = ledger.settle(item_id, day, part, by=by)
            life.tell(day, f"{by} of {taken} on item {item_id}")


def day_acts(life: Life, rows: dict[str, list[Any]], day: date) -> Iterator[Act]:
    """What people do on a day: the work that lies there, and what the customer brings up."""
    random = life.random("day", day)
    for row in rows.get("work", []):
        if random.random() < life.works:
            yield _work(life, row, random, day)
    for row in rows.get("approvals", []):
        yield from _verdict(life, row, random, day)
    for row in rows.get("sent", []):
        if random.random() < 0.2:
            (kind,) = random.choices(list(CAME_BACK), list(CAME_BACK.values()))
            yield _act(life, day, "operator", f"evidence {kind}", _noted(row.message_ref, kind))
    for row in rows.get("plans", []):
        settle = accept_plan if random.random() < 0.6 else decline_plan
        if random.random() < 0.3:
            yield _act(life, day, "collector1", settle.__name__, _settled(settle, row.plan_no))
    for row in rows.get("disputes", []):
        if random.random() < 0.2:
            states = (DisputeState.ACCEPTED, DisputeState.REJECTED, DisputeState.WITHDRAWN)
            state = random.choice(states)
            yield _act(life, day, "collector2", f"dispute {state}", _decided(row.dispute_no, state))
    if random.random() < life.talks:
        what = random.choice(list(BROUGHT_UP))
        yield _act(life, day, *BROUGHT_UP[what][:1], what, _bound(BROUGHT_UP[what][1], life, random))


def _act(life: Life, day: date, who: str, what: str, do: Callable[[Desk], object]) -> Act:
    def told(desk: Desk) -> object:
        result = do(desk)
        life.tell(day, f"{who}: {what}")
        return result

    return Act(who, what, told)


def _noted(message_ref: str, kind: EvidenceKind) -> Callable[[Desk], object]:
    return lambda desk: note_evidence(desk, message_ref, kind, "life")


def _settled(settle: Callable[[Desk, str], object], number: str) -> Callable[[Desk], object]:
    return lambda desk: settle(desk, number)


def _decided(number: str, state: DisputeState) -> Callable[[Desk], object]:
    return lambda desk: decide_dispute(desk, number, state, "looked at")


def _bound(do: Callable[[Desk, Life, Random], object], life: Life, random: Random) -> Callable[[Desk], object]:
    return lambda desk: do(desk, life, random)


def _work(life: Life, row: Any, random: Random, day: date) -> Act:
    kind = WorkKind(row.kind)
    if row.subject == CHECK_FIRST:
        results = {
            known: random.choice(RESULTS[known]) if random.random() < 0.1 else CheckResult.CLEAR
            for known in CUSTOMER_CHECKS
        }
        return _act(life, day, "operator", f"checked {results}", lambda desk: _check(desk, life, results))
    if kind == WorkKind.CALL and random.random() < 0.97:
        heard = random.choice(list(CallResult))
        soon = day + timedelta(days=random.randint(0, 12))
        reason = random.choice(REASONS) if random.random() < 0.3 else None
        call = Call(
            code=heard,
            day_part=random.choice(("morning", "afternoon")),
            callback_on=soon if heard == CallResult.CALLBACK_AGREED else None,
            promised_on=soon if heard == CallResult.PROMISED else None,
            reason=reason,
            note="said so",
        )
        who = random.choice(COLLECTORS)
        return _act(life, day, who, f"call {heard}, {reason}", lambda desk: record_call(desk, row.id, call))
    code = random.choice(outcomes_of(kind, row.subject, supply="supply" in row.subject))
    if kind == WorkKind.CONSULT:
        code = random.choices([*ConsultAnswer][2:], [0.7, 0.1, 0.1, 0.1])[0]
    outcome = Outcome(str(code), "because", day + timedelta(days=6), random.choice(HOLDS))
    who = (row.assignee or "").partition(".")[2] or random.choice(("operator", *COLLECTORS, *HEARD, "director"))
    return _act(life, day, who, f"{kind} {row.subject} → {code}", lambda desk: finish_work(desk, row.id, outcome))


def _check(desk: Desk, life: Life, results: dict[CheckKind, CheckResult]) -> None:
    """All that a placement waits for is looked up, with these results."""
    for kind, result in results.items():
        until = desk.as_of + timedelta(days=900) if kind is CheckKind.LIMITATION else None
        debtor = desk.debtor(life.account.debtor_id)
        record_check(desk, debtor, kind, result, "looked up", until=until, case=_case(desk, life))


def _verdict(life: Life, row: Any, random: Random, day: date) -> Iterator[Act]:
    luck = random.random()
    if luck < 0.1:
        again = day + timedelta(days=random.randint(1, 9))
        yield _act(
            life, day, "manager1", f"{row.step} rejected", lambda desk: reject(desk, row.id, "no", row.step, again)
        )
    elif luck < 0.7:
        for who in (*MANAGERS, "director"):
            yield _act(life, day, who, f"{row.step} approved", lambda desk: approve(desk, [row.id], "yes"))


def _case(desk: Desk, life: Life) -> Any:
    return desk.case(life.account.case_id)


def _promise(desk: Desk, life: Life, random: Random) -> object:
    by = desk.in_working_days(life.account.debtor_id, random.randint(0, 10))
    return make_promise(desk, _case(desk, life), by)


def _dispute(desk: Desk, life: Life, random: Random) -> object:
    items = desk.open_items(_case(desk, life))
    if not items:
        return None
    item = random.choice(items)
    reason = random.choice(sorted(DISPUTE_REASONS))
    amount = max(1, round(item.open_amount * random.random()))
    return open_dispute(desk, _case(desk, life), item.document_no, reason, amount=amount)


def _hold(desk: Desk, life: Life, random: Random) -> object:
    until = desk.in_working_days(life.account.debtor_id, random.randint(0, 4))
    scope = random.choice(("party", "debtor", "case"))
    return set_hold(desk, _case(desk, life), random.choice(HOLDS), until, "asked", scope=scope, by_engine_rule=True)


def _stop(desk: Desk, life: Life, random: Random) -> object:
    until = desk.in_working_days(life.account.debtor_id, 20)
    source = random.choice(list(LegalStop)[1:])
    return set_hold(desk, _case(desk, life), HoldReason.LEGAL_STOP, until, "told", scope="party", source=source)


def _write(desk: Desk, life: Life, random: Random) -> object:
    return record_answer(desk, _case(desk, life), random.choice((Channel.EMAIL, Channel.POST)), content=b"hello")


def _prefer(desk: Desk, life: Life, random: Random) -> object:
    wishes = {"pay_run": "friday", "channel": "post", "language": "nl", "statement_day": "7", "cut_off": "5"}
    wishes |= {"portal": "Ariba", "po_needed": "yes", "call_hours": "09:00-12:00"}
    name, value = random.choice(sorted(wishes.items()))
    return set_preference(desk, desk.debtor(life.account.debtor_id), name, value)


BROUGHT_UP: dict[str, tuple[str, Callable[[Desk, Life, Random], object]]] = {
    "promise": ("collector1", _promise),
    "dispute": ("collector2", _dispute),
    "reason": ("collector1", lambda desk, life, random: state_reason(desk, _case(desk, life), random.choice(REASONS))),
    "hold": ("manager1", _hold),
    "legal stop": ("operator", _stop),
    "claim": ("operator", lambda desk, life, _: claim_payment(desk, _case(desk, life))),
    "plan": ("collector2", lambda desk, life, _: offer_plan(desk, _case(desk, life))),
    "answer": ("operator", _write),
    "ticket": (
        "operator",
        lambda desk, life, _: open_ticket(desk, desk.debtor(life.account.debtor_id), "complaint"),
    ),
    "preference": ("operator", _prefer),
}
"""What comes up by itself: who records it, and how."""
