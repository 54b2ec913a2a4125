"""What the staff of the made-up houses do with the work on their desks: scripted, seeded, and never a clock.

Each plan is a list of acts (`maatpak.demo.people`). What a customer then means to do goes into the world.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from maatpak.demo.behaviour import Talk, answer_call, answer_offer, keep_promise, settle_reason, speak
from maatpak.demo.characters import choose
from maatpak.demo.checking import look_up
from maatpak.demo.people import COLLECTORS, MANAGERS, Act, Office
from maatpak.demo.sayings import meaning
from maatpak.demo.worklist import OFFERS, OPEN_DISPUTES, OPEN_WORK, Paper, Papers
from maatpak.demo.world import Document, Intention, World
from maatpak.kernel.calendars import working_days_between
from maatpak.kernel.words import (
    ATTEMPT_ONLY_RESULTS,
    CallResult,
    ConsultAnswer,
    DisputeState,
    HoldReason,
    NonPaymentReason,
    Role,
    WorkKind,
)
from tasks.calls import Call, record_call
from tasks.desk import Desk
from tasks.disputes import DISPUTE_REASONS, decide_dispute
from tasks.plans import OFFER, accept_plan, decline_plan, offer_plan
from tasks.promises import make_promise
from tasks.reasons import state_reason
from tasks.work import REFUSED, Outcome, finish_work
from tasks.worklist import CHECK_FIRST, WAIVE_CALL

DAY_PARTS = ("morning", "afternoon")
TALK_NOTE = "as told on the phone"
OURS = frozenset(
    {
        NonPaymentReason.LOST_INVOICE,
        NonPaymentReason.PO_MISSING,
        NonPaymentReason.NOT_DELIVERED,
        NonPaymentReason.OUR_FAILURE,
        *DISPUTE_REASONS,
    }
)
"""Reasons that we must see to before the customer moves."""


class Staff:
    """Plans the acts of one house's people for one day."""

    def __init__(self, office: Office, world: World, papers: Papers, seeing_to: dict[str, str]) -> None:
        self.office = office
        self.world = world
        self.papers = papers
        self.seeing_to = seeing_to
        """Case → the reason for non-payment that we see to."""

    @property
    def today(self) -> date:
        """The business date."""
        return self.office.as_of

    def work(self) -> list[Act]:
        """Everything they mean to do today."""
        acts: list[Act] = []
        for paper in self.papers.read(OPEN_WORK):
            acts += PLANS[WorkKind(paper.row.kind)](self, paper)
        for paper in self.papers.read(OPEN_DISPUTES):
            acts += self._dispute(paper)
        for paper in self.papers.read(OFFERS):
            acts += self._offer(paper)
        return acts

    def _ripe(self, paper: Paper, low: int, high: int) -> bool:
        """Whether they come to it today: a number of working days after it came in, drawn once."""
        row = paper.row
        wait = self.world.chance("wait", paper.about, row.kind, row.subject, row.opened_on).randint(low, high)
        return working_days_between(row.opened_on, self.today, paper.customer.country) >= wait

    def _collector(self, paper: Paper) -> str:
        return COLLECTORS[sum(map(ord, paper.customer.no)) % len(COLLECTORS)]

    def _manager(self, paper: Paper) -> str:
        """A manager, but not the one who asked for a second word."""
        asked = (paper.row.asked_by or "").partition(".")[2]
        first = sum(map(ord, paper.customer.no)) % len(MANAGERS)
        chosen = MANAGERS[first]
        return MANAGERS[1 - first] if chosen == asked else chosen

    def _whose(self, paper: Paper) -> str:
        """The person whose work it is, by name or by role."""
        if paper.row.assignee:
            return str(paper.row.assignee.partition(".")[2])
        if paper.row.role == Role.ACCOUNT_MANAGER:
            return (paper.customer.account_manager or "x.account1").partition(".")[2]
        by_role = {Role.OPERATOR: "operator", Role.FINANCE_DIRECTOR: "director", Role.COLLECTOR: self._collector(paper)}
        return by_role.get(paper.row.role, self._manager(paper))

    def _end(self, paper: Paper, code: str, who: str | None = None, note: str | None = None) -> Act:
        task_id = paper.row.id
        what = f"{paper.row.kind} → {code}"
        return Act(who or self._whose(paper), what, lambda desk: finish_work(desk, task_id, Outcome(code, note)))

    # Calls ------------------------------------------------------------------------------------------------------------

    def _call(self, paper: Paper) -> Iterator[Act]:
        row = paper.row
        if row.due_on > self.today:
            return
        about = f"{row.currency}:{row.subject}:{row.opened_on}"
        talk = answer_call(self.world, paper.customer, about, row.tries, self.today)
        part = DAY_PARTS[row.tries % len(DAY_PARTS)]
        documents = self.papers.overdue(paper, self.today)
        if talk.promised_on is not None and not documents:
            talk = Talk(CallResult.SPOKE_NO_COMMITMENT)  # nothing is due yet: there is nothing to promise
        call = self._told(paper, talk, part, documents)
        plain = Call(CallResult.SPOKE_NO_COMMITMENT, part, note=TALK_NOTE)
        task_id = row.id
        yield Act(
            self._collector(paper),
            f"call → {talk.result}",
            lambda desk: self._record_call(desk, paper, task_id, call, talk, documents),
            None if talk.result in ATTEMPT_ONLY_RESULTS else lambda desk: record_call(desk, task_id, plain),
        )

    def _told(self, paper: Paper, talk: Talk, part: str, documents: list[str]) -> Call:
        promised = self._open_of(paper, documents) if talk.result == CallResult.PROMISED else 0
        whole = talk.share == 1.0
        return Call(
            code=talk.result,
            day_part=part,
            callback_on=talk.callback_on,
            promised_on=talk.promised_on,
            promised_amount=None if whole else max(1, round(promised * talk.share)),
            documents=documents if whole and documents else None,
            reason=talk.reason if talk.reason != NonPaymentReason.NONE and documents else None,
            note=TALK_NOTE,
        )

    def _record_call(
        self, desk: Desk, paper: Paper, task_id: int, call: Call, talk: Talk, documents: list[str]
    ) -> None:
        record_call(desk, task_id, call)
        self._expect(paper, talk, documents)

    def _expect(self, paper: Paper, talk: Talk, documents: list[str]) -> None:
        """What the customer means to do after a talk or an answer."""
        named = tuple(documents)
        about = f"{paper.row.currency}:{self.today}"
        if talk.promised_on is not None:
            amount = round(self._open_of(paper, documents) * talk.share)
            keep_promise(self.world, paper.customer, named, amount, talk.promised_on, about)
        elif talk.reason in OURS:
            self.seeing_to[paper.about] = talk.reason
        elif talk.reason != NonPaymentReason.NONE:
            settle_reason(self.world, paper.customer, talk.reason, named, self.today)

    def _open_of(self, paper: Paper, documents: list[str]) -> int:
        house = paper.customer.house
        return sum(self.world.documents[house, number].open_amount for number in documents)

    # Other work -------------------------------------------------------------------------------------------------------

    def _consult(self, paper: Paper) -> Iterator[Act]:
        if paper.row.role == Role.CREDIT_MANAGER and paper.customer.account_manager:
            yield self._end(paper, ConsultAnswer.NOT_HEARD, self._manager(paper))
            return
        random = self.world.chance("consult", paper.about, paper.row.opened_on, paper.row.assignee)
        silent = random.random() < 0.15
        if silent or not self._ripe(paper, 0, 2):
            return
        answer = choose(random, {ConsultAnswer.AGREE: 0.8, ConsultAnswer.I_TALK: 0.1, ConsultAnswer.NO: 0.1})
        if answer == ConsultAnswer.I_TALK and random.random() < 0.5:
            self._mean_to_pay(paper)
        yield self._end(paper, answer, note="they have always been good for it")

    def _mean_to_pay(self, paper: Paper) -> None:
        wait = self.world.chance("talked", paper.about, self.today).randint(2, 6)
        for number in self.papers.overdue(paper, self.today):
            self.world.intend(paper.customer, self.today + timedelta(days=wait), Intention(number))

    def _review(self, paper: Paper) -> Iterator[Act]:
        row = paper.row
        if row.subject == OFFER:
            yield Act(self._collector(paper), "plan offered", lambda desk: offer_plan(desk, desk.case(row.case_id)))
            yield self._end(paper, "done")
            return
        if row.subject == CHECK_FIRST:
            if self._ripe(paper, 0, 1):
                yield from look_up(paper, self.world.chance("checks", paper.about, row.opened_on))
            return
        if not self._ripe(paper, 1, 3):
            return
        random = self.world.chance("review", paper.about, row.subject, row.opened_on)
        second = row.asked_by is not None
        weights = {"agreed": 0.85, "refused": 0.15} if second else {"done": 0.6, "agreed": 0.3, "refused": 0.1}
        code = choose(random, {**weights, "supply_stopped": 1.0} if row.step == "supply_stop" else weights)
        if row.subject == WAIVE_CALL:
            code = REFUSED
        who = self._manager(paper) if row.role == Role.CREDIT_MANAGER else None
        yield self._end(paper, code, who, note="looked at")

    def _decide(self, paper: Paper) -> Iterator[Act]:
        if not self._ripe(paper, 1, 4):
            return
        random = self.world.chance("decide", paper.about, paper.row.opened_on)
        code = choose(
            random,
            {"continue": 0.3, "plan": 0.2, "hold": 0.2, "write_off": 0.1, "legal": 0.1, "statement_only": 0.1},
        )
        until = self.today + timedelta(days=14)
        reason = random.choice((HoldReason.HARDSHIP, HoldReason.DATA, HoldReason.PROMISE))
        outcome = Outcome(code, "decided on the papers", until if code == "hold" else None, reason)
        if code == "write_off" and random.random() < 0.8:
            outcome = Outcome(code, "not worth the cost")
        task_id = paper.row.id
        yield Act(self._manager(paper), f"decide → {code}", lambda desk: finish_work(desk, task_id, outcome))

    def _notice(self, paper: Paper) -> Iterator[Act]:
        if self._ripe(paper, 0, 1):
            yield self._end(paper, "seen")

    def _repair(self, paper: Paper) -> Iterator[Act]:
        if not self._ripe(paper, 2, 5):
            return
        random = self.world.chance("repair", paper.about, paper.row.subject, paper.row.opened_on)
        found = random.random() < 0.8
        if found:
            self.world.mend(paper.customer, paper.row.subject)
        yield self._end(paper, "repaired" if found else "not_found")

    def _cash(self, paper: Paper) -> Iterator[Act]:
        if self._ripe(paper, 1, 2):
            paid = not self.papers.overdue(paper, self.today)
            yield self._end(paper, "found" if paid else "not_found", "operator")

    def _department(self, paper: Paper) -> Iterator[Act]:
        if not self._ripe(paper, 1, 4):
            return
        random = self.world.chance("department", paper.about, paper.row.subject, paper.row.opened_on)
        code = choose(random, {"done": 0.9, "not_ours": 0.1})
        reason = self.seeing_to.pop(paper.about, None)
        if reason is not None:
            documents = tuple(self.papers.overdue(paper, self.today))
            settle_reason(self.world, paper.customer, reason, documents, self.today)
        yield self._end(paper, code)

    def _reply(self, paper: Paper) -> Iterator[Act]:
        if not self._ripe(paper, 0, 2):
            return
        means = meaning(self.papers.text(paper.row.answer)) if paper.row.answer else None
        if means is None:
            yield self._end(paper, "answered")
            return
        yield self._end(paper, "answered", self._collector(paper))
        yield from self._note_answer(paper, means)

    def _note_answer(self, paper: Paper, said: str) -> Iterator[Act]:
        """An answer was read: what it says goes on record."""
        talk = speak(self.world, paper.customer, said, f"answer:{paper.row.currency}:{paper.row.opened_on}", self.today)
        documents = self.papers.overdue(paper, self.today)
        if not documents:
            return
        case_id, who = paper.row.case_id, self._collector(paper)
        if talk.promised_on is not None:
            by = talk.promised_on
            yield Act(
                who,
                "promise",
                lambda desk: make_promise(desk, desk.case(case_id), by, documents=documents, source="answer"),
            )
        if talk.reason != NonPaymentReason.NONE:
            named = documents[:1] if talk.reason in DISPUTE_REASONS else documents
            yield Act(
                who, "reason",
                lambda desk: state_reason(desk, desk.case(case_id), talk.reason, documents=named, source="answer"),
            )  # fmt: skip
        self._expect(paper, talk, documents)

    # Records that run ------------------------------------------------------------------------------------------------

    def _dispute(self, paper: Paper) -> Iterator[Act]:
        row = paper.row
        random = self.world.chance("dispute", paper.about, row.document_no, row.opened_on)
        if working_days_between(row.opened_on, self.today, paper.customer.country) < random.randint(3, 11):
            return
        state = choose(
            random,
            {
                DisputeState.ACCEPTED: 0.3,
                DisputeState.PART_ACCEPTED: 0.2,
                DisputeState.REJECTED: 0.35,
                DisputeState.WITHDRAWN: 0.15,
            },
        )
        accepted = row.amount if state == DisputeState.ACCEPTED else 0
        if state == DisputeState.PART_ACCEPTED:
            accepted = row.amount // 2
            if not 0 < accepted < row.amount:
                state, accepted = DisputeState.REJECTED, 0
        part = accepted if state == DisputeState.PART_ACCEPTED else None

        def decide(desk: Desk) -> None:
            decide_dispute(desk, row.dispute_no, DisputeState(state), "checked with the order", accepted_amount=part)
            if accepted:
                self._credit(paper, accepted)
            settle_reason(self.world, paper.customer, row.reason, (row.document_no,), self.today)

        yield Act(self._collector(paper), f"dispute → {state}", decide)

    def _credit(self, paper: Paper, amount: int) -> None:
        """Bookkeeping makes out a credit note for what we accepted."""
        row, today = paper.row, self.today
        number = f"K{row.document_no[1:]}-{(today - self.world.starts_on).days:03d}"
        self.world.issue_now(
            Document(
                paper.customer, number, "credit_note", today, today, row.currency, amount, amount,
                reference=row.document_no,
            )
        )  # fmt: skip

    def _offer(self, paper: Paper) -> Iterator[Act]:
        row, customer = paper.row, paper.customer
        about = f"{paper.about}:{row.offered_on}"
        random = self.world.chance("offer", about)
        if working_days_between(row.offered_on, self.today, customer.country) != random.randint(1, 6):
            return
        answer = answer_offer(self.world, customer, about)
        if answer == "ignore":
            return
        keeps = random.random() < 0.3 + 0.6 * customer.nature.keeps_word

        def settle(desk: Desk) -> None:
            if answer == "accept":
                accept_plan(desk, row.plan_no)
                self._mean_to_keep(paper, keeps)
            else:
                decline_plan(desk, row.plan_no)

        yield Act(self._collector(paper), f"plan → {answer}", settle)

    def _mean_to_keep(self, paper: Paper, keeps: bool) -> None:  # noqa: FBT001
        """The customer means to pay every instalment, or only the first."""
        for instalment in paper.row.instalments if keeps else paper.row.instalments[:1]:
            due_on = date.fromisoformat(instalment["due_on"])
            self.world.intend(paper.customer, due_on, Intention("", instalment["amount"]))


PLANS: dict[WorkKind, Callable[[Staff, Paper], Iterator[Act]]] = {
    WorkKind.CALL: Staff._call,
    WorkKind.CONSULT: Staff._consult,
    WorkKind.REVIEW: Staff._review,
    WorkKind.DECIDE: Staff._decide,
    WorkKind.NOTICE: Staff._notice,
    WorkKind.REPAIR: Staff._repair,
    WorkKind.CASH: Staff._cash,
    WorkKind.DEPARTMENT: Staff._department,
    WorkKind.REPLY: Staff._reply,
}
"""How each kind of work is done."""
