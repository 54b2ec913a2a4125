"""What staff do unasked, a little every day: blocks, preferences, tickets, opt-outs, promises taken back.

Without it a stretch of days would never see half of what the engine obeys.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from sqlmodel import col, select

from maatpak.demo.people import Act, Office
from maatpak.demo.worklist import Paper, Papers
from maatpak.demo.world import World
from maatpak.kernel.words import Channel, HoldReason
from maatpak.ledger.tables import Debtor, Hold, Promise, Ticket
from tasks.desk import Desk
from tasks.holds import lift_hold, set_hold
from tasks.preferences import opt_out_of, set_preference
from tasks.promises import cancel_promise
from tasks.tickets import close_ticket, open_ticket

CASES_IN_ROUNDS = """
SELECT k.id AS case_id, d.debtor_no, k.currency, d.id AS debtor_id FROM round r JOIN "case" k ON k.id = r.case_id
JOIN debtor d ON d.id = k.debtor_id WHERE k.creditor_id = :creditor AND r.closed_at IS NULL
ORDER BY d.debtor_no, k.currency
"""


@dataclass(frozen=True)
class Errand:
    """Something that staff do now and then to a case in a round."""

    what: str
    who: str
    share: float
    """Of the cases in rounds, a day."""
    do: Callable[[Desk, Paper, Random], object]


def _hold(reason: HoldReason, days: int, scope: str = "case", source: str = "person") -> Callable[..., object]:
    def do(desk: Desk, paper: Paper, random: Random) -> object:
        case = desk.case(paper.row.case_id)
        until = desk.in_working_days(case.debtor_id, random.randint(2, days))
        item_id = None
        if scope == "item":
            items = desk.items_named(case, None)
            item_id = items[0].item_id if items else None
        chosen = "case" if scope == "item" and item_id is None else scope
        return set_hold(desk, case, reason, until, "asked for it", scope=chosen, item_id=item_id, source=source)

    return do


def _lift(desk: Desk, paper: Paper, random: Random) -> object:
    del random
    hold = desk.session.exec(
        select(Hold)
        .where(Hold.debtor_id == paper.row.debtor_id, Hold.state == "active", col(Hold.replaced_at).is_(None))
        .order_by(col(Hold.from_on), col(Hold.id))
    ).first()
    return lift_hold(desk, hold.hold_no, "no longer needed") if hold is not None else None


def _prefer(name: str, values: Sequence[str]) -> Callable[..., object]:
    def do(desk: Desk, paper: Paper, random: Random) -> object:
        return set_preference(desk, _debtor(desk, paper), name, random.choice(values))

    return do


def _opt_out(desk: Desk, paper: Paper, random: Random) -> object:
    del random
    return opt_out_of(desk, desk.case(paper.row.case_id), Channel.EMAIL)


def _take_back(desk: Desk, paper: Paper, random: Random) -> object:
    del random
    promise = desk.session.exec(
        select(Promise).where(
            Promise.case_id == paper.row.case_id, Promise.state == "open", col(Promise.replaced_at).is_(None)
        )
    ).first()
    return cancel_promise(desk, promise.promise_no) if promise is not None else None


def _complain(desk: Desk, paper: Paper, random: Random) -> object:
    return open_ticket(desk, _debtor(desk, paper), random.choice(("complaint", "undelivered_order", "query")))


def _settle_complaint(desk: Desk, paper: Paper, random: Random) -> object:
    del random
    ticket = desk.session.exec(
        select(Ticket)
        .where(
            Ticket.debtor_id == paper.row.debtor_id, col(Ticket.closed_on).is_(None), col(Ticket.replaced_at).is_(None)
        )
        .order_by(Ticket.ticket_no)
    ).first()
    return close_ticket(desk, _debtor(desk, paper), ticket.ticket_no) if ticket is not None else None


def _debtor(desk: Desk, paper: Paper) -> Debtor:
    return desk.debtor(int(paper.row.debtor_id))


ERRANDS: tuple[Errand, ...] = (
    Errand("hold: data", "operator", 0.004, _hold(HoldReason.DATA, 6)),
    Errand("hold: disaster", "manager1", 0.002, _hold(HoldReason.DISASTER, 20, "party")),
    Errand("hold: dispute", "collector1", 0.003, _hold(HoldReason.DISPUTE, 8, "item")),
    Errand("hold: claimed paid", "collector2", 0.003, _hold(HoldReason.CLAIMED_PAID, 4)),
    Errand("hold: promise", "collector1", 0.003, _hold(HoldReason.PROMISE, 6)),
    Errand("hold: plan", "collector2", 0.003, _hold(HoldReason.PLAN, 6)),
    Errand("hold: hardship", "collector2", 0.003, _hold(HoldReason.HARDSHIP, 15, "debtor")),
    Errand("hold: complaint", "account2", 0.003, _hold(HoldReason.COMPLAINT, 8)),
    Errand("hold: account manager talks", "account1", 0.003, _hold(HoldReason.ACCOUNT_MANAGER_TALKS, 4)),
    Errand("hold: legal", "operator", 0.0015, _hold(HoldReason.LEGAL_STOP, 30, "party", "breathing_space")),
    Errand("hold lifted", "manager2", 0.02, _lift),
    Errand("pay run", "collector1", 0.004, _prefer("pay_run", ("friday", "wednesday", "15,30"))),
    Errand("channel", "operator", 0.003, _prefer("channel", ("email", "post", "sms"))),
    Errand("language", "operator", 0.003, _prefer("language", ("nl", "en"))),
    Errand("statement day", "operator", 0.003, _prefer("statement_day", ("3", "10", "20"))),
    Errand("opted out", "operator", 0.001, _opt_out),
    Errand("promise taken back", "collector2", 0.004, _take_back),
    Errand("ticket", "operator", 0.004, _complain),
    Errand("ticket closed", "operator", 0.05, _settle_complaint),
)


def errands(office: Office, world: World, papers: Papers) -> list[Act]:
    """What they do of their own accord today: each errand strikes its share of the cases in rounds."""
    in_rounds = papers.read(CASES_IN_ROUNDS)
    acts = []
    for errand in ERRANDS:
        for paper in in_rounds:
            random = world.chance("errand", errand.what, paper.about, office.as_of)
            if random.random() < errand.share:
                acts.append(Act(errand.who, errand.what, _bound(errand, paper, random)))
    return acts


def _bound(errand: Errand, paper: Paper, random: Random) -> Callable[[Desk], Any]:
    return lambda desk: errand.do(desk, paper, random)
