"""A scripted staff that does what the engine asks of people, day by day, so that a case runs to its end."""

from contextlib import suppress
from datetime import date, timedelta

from maatpak.kernel.calendars import add_working_days
from maatpak.kernel.checks import CUSTOMER_CHECKS, CheckKind, CheckResult
from maatpak.kernel.errors import RefusedError
from maatpak.kernel.words import CallResult, StepKind
from maatpak.ledger.tables import Action, Case, Creditor, WorkTask
from tasks.approvals import approve
from tasks.calls import Call, record_call
from tasks.checking import record_check, record_licence
from tasks.day import DaySummary, run_day
from tasks.work import REFUSED, Outcome, finish_work
from tasks.worklist import CHECK_FIRST, WAIVE_CALL
from tests.tasks.act.house import House, at

ENDINGS = {"consult": "agree", "review": "done", "notice": "seen", "repair": "repaired", "reply": "answered"}
PARTS = ("morning", "afternoon")


class Script:
    """Plays business days of a house with people who are reached by nobody and agree to everything."""

    def __init__(
        self,
        house: House,
        *,
        approving: bool = True,
        calling: bool = True,
        consulting: bool = True,
        replying: bool = True,
    ) -> None:
        self.house = house
        self.approving = approving
        self.calling = calling
        self.consulting = consulting
        self.replying = replying

    def day(self) -> DaySummary:
        """The next working day: the run, then the people."""
        house = self.house
        following = add_working_days(house.day, 1, "NL")
        house.day = following
        house.snapshot(following)
        summary = run_day(house.engine, house.creditor_id, following, at(following, 6))
        self.people()
        return summary

    def until(self, step: str, state: str = "executed", most: int = 120) -> Action:
        """Play until some action of a step is in a state."""
        for _ in range(most):
            found = self.house.rows(Action, step=step, state=state, creditor_id=self.house.creditor_id)
            if found:
                action: Action = found[-1]
                return action
            self.day()
        steps = [(each.step, each.state, each.reason) for each in self.house.rows(Action)]
        raise AssertionError(f"{step} never became {state}: {steps}")

    def people(self) -> None:
        """What the staff do today."""
        for task in self.house.rows(WorkTask, state="open", creditor_id=self.house.creditor_id):
            if task.kind == "call":
                if self.calling and task.due_on <= self.house.day:
                    self._call(task)
            elif task.kind == "consult":
                if self.consulting:
                    self._end(task)
            elif task.kind == "reply" and not self.replying:
                continue
            elif task.kind in ENDINGS and task.subject != CHECK_FIRST:
                self._end(task)
        if self.approving:
            for action in self.house.rows(Action, state="awaiting_approval", creditor_id=self.house.creditor_id):
                self.approve(action.id)

    def approve(self, action_id: int) -> None:
        """Everybody who may says yes, to a placement when all was looked up."""
        if self.house.row(Action, id=action_id).kind == StepKind.HANDOFF:
            check_all(self.house, action_id)
        for who in ("mo", "mia", "frans"):
            try:
                with self.house.desk(who, 14) as desk:
                    approve(desk, [action_id], "looked at it")
            except RefusedError:
                continue

    def _call(self, task: WorkTask) -> None:
        part = PARTS[self.house.day.toordinal() % 2]
        # A customer who was rung today about another of their cases is rung about this one tomorrow.
        with suppress(RefusedError), self.house.desk("carla", 11) as desk:
            record_call(desk, int(task.id or 0), Call(CallResult.NO_ANSWER, part))

    def _end(self, task: WorkTask) -> None:
        who = task.assignee or {"account_manager": "anna", "credit_manager": "max"}.get(task.role, "colin")
        ending = REFUSED if task.subject == WAIVE_CALL else ENDINGS[task.kind]
        with self.house.desk(who, 12) as desk:
            finish_work(desk, int(task.id or 0), Outcome(ending, "as scripted"))


def check_all(house: House, action_id: int, *but: CheckKind) -> None:
    """Everything that people look up before a placement is in order, but some of it."""
    if CheckKind.AGENCY_LICENCE not in but:
        with house.desk("ada", 9) as desk:
            record_licence(desk, "NL", CheckResult.CLEAR, "register no. 7", desk.as_of + timedelta(days=400))
    with house.desk("olga", 9) as desk:
        case_ = desk.case(desk.session.get_one(Action, action_id).case_id)
        debtor = desk.debtor(case_.debtor_id)
        for kind in CUSTOMER_CHECKS:
            until = desk.as_of + timedelta(days=1000) if kind is CheckKind.LIMITATION else None
            if kind not in but:
                record_check(desk, debtor, kind, CheckResult.CLEAR, "extract 12", until=until, case=case_)


def case(house: House, case_id: int) -> Case:
    """The row of a case."""
    with house.engine.database.session() as session:
        return session.get_one(Case, case_id)


def creditor(house: House) -> Creditor:
    """The row of the house's creditor."""
    with house.engine.database.session() as session:
        return session.get_one(Creditor, house.creditor_id)


def days(start: date, count: int) -> list[date]:
    """Consecutive dates."""
    return [start + timedelta(days=step) for step in range(count)]
