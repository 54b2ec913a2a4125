"""What stops a case or a step today: every gate, in the order of `NoActionReason`.

Gates of the case hold whatever the step; gates of the step depend on what it would do. Each tells its reason, and where
it can the date on which to look again. The newest pack's guardrails hold for every version.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from maatpak.kernel.reasons import NoActionReason
from maatpak.kernel.words import ConsultAnswer, HoldReason, LegalStop, NonPaymentReason, PartyKind, StepKind
from policies.cases import Cases
from policies.guardrails import Season
from policies.history import CODE, NONE, Codes
from policies.journey import Step
from policies.pack import CompiledPack
from policies.schema import Through, Turn
from policies.workdays import EPOCH, MISSING, Days, Flags, Rows, Workdays

Bits = npt.NDArray[np.int16]

R = NoActionReason

MISSING_FOR_ESCALATION: tuple[tuple[str, bool], ...] = (
    ("the account manager's word", True),
    ("a tried call, or its waiver by a credit manager", True),
    ("the end of the open plan offer", False),
    ("the answer to the open consultation", False),
    ("the end of the open promise", False),
    ("an answer to the open dispute", False),
    ("an answer to the open ticket", False),
    ("that the customer's answer is read", False),
)
"""What law 5 and rule 9 ask before an escalating step, and whether its lack can last for good. Bit by bit."""

LASTING = sum(1 << at for at, (_, lasting) in enumerate(MISSING_FOR_ESCALATION) if lasting)

_TALKS = frozenset({StepKind.MESSAGE, StepKind.CALL, StepKind.HANDOFF})
"""Kinds that rest for some days after the customer was spoken."""


@dataclass
class Verdict:
    """The first reason against each row, the date to look again, and what an escalation lacks."""

    code: Codes
    until: Days
    lacks: Bits

    def put(self, mask: Flags, reason: NoActionReason, until: Days | None = None) -> None:
        """Name a reason where the mask holds, unless an earlier one in the order is named already."""
        self.put_codes(np.where(mask, CODE[reason], NONE), until)

    def put_codes(self, codes: Codes, until: Days | None = None) -> None:
        """Name a reason a row, unless an earlier one in the order is named already."""
        mask = codes < self.code
        if mask.any():
            self.code[mask] = codes[mask]
            self.until[mask] = MISSING if until is None else until[mask]


class Gates:
    """The gates of a frame of cases as of its date."""

    def __init__(self, cases: Cases, pack: CompiledPack, open_codes: Codes) -> None:
        self.cases = cases
        self.guardrails = pack.guardrails
        self.scale = pack.scale
        lines = [pack.reasons.get(reason) for reason in NonPaymentReason]
        reason = cases.words("reason", list(NonPaymentReason))
        self.pause = np.array([*((line.pause or 0) if line else 0 for line in lines), 0])[reason]
        """Working days of rest after the customer gave the reason."""
        self.ours = np.array([*(line is not None and line.turn is Turn.OURS for line in lines), False])[reason]
        """Where the reason asks something of us, and the rest begins when we have done it."""
        self.our_workdays = Workdays(cases.frame.get_column("creditor_country"))
        self.open_codes = open_codes
        self.parked = self._parked()
        self.stopped = self._stopped()
        self.no_demand = any(in_season(season, cases.as_of) for season in self.guardrails.escalation.no_demand)

    def stops(self) -> list[tuple[NoActionReason, Flags]]:
        """Reasons for which nothing at all happens in a case, and where they hold."""
        cases = self.cases
        return [
            (R.LEGAL_STOP, ~cases.are("legal_stop", LegalStop.NONE)),
            (R.DATA_STALE, cases.amounts("data_age_wd") > self.guardrails.data_age),
            (R.QUARANTINED, cases.amounts("quarantined_rows") > 0),
            (R.PLACED, cases.amounts("placed_open") > 0),
            (R.HOLD, ~cases.are("hold_reason", HoldReason.NONE)),
        ]

    def _stopped(self) -> Codes:
        code = np.full(self.cases.count, NONE, dtype=np.int8)
        for reason, holds in reversed(self.stops()):
            code[holds] = CODE[reason]
        return code

    def _parked(self) -> Codes:
        """Why nothing is left to ask: the first that netted anything names the reason."""
        cases = self.cases
        overdue, asked = cases.amounts("overdue_open"), cases.amounts("asked_amount")
        credit = cases.amounts("credit_notes_open") + cases.amounts("cash_unallocated")
        tolerance = self.guardrails.tolerance
        code = np.full(cases.count, CODE[R.BELOW_TOLERANCE], dtype=np.int8)
        code[credit > 0] = CODE[R.COVERED_BY_CASH]
        for name, reason in [
            ("debits_in_flight", R.DEBIT_IN_FLIGHT),
            ("claimed_paid_open", R.CLAIMED_PAID),
            ("promised_open", R.PROMISE),
            ("in_plan_open", R.PLAN),
            ("disputed_open", R.DISPUTE),
        ]:
            code[cases.amounts(name) > 0] = CODE[reason]
        code[(overdue <= tolerance) & (overdue > 0)] = CODE[R.BELOW_TOLERANCE]
        code[overdue <= 0] = CODE[R.NOTHING_OVERDUE]
        code[credit > overdue + cases.amounts("not_due_open") + tolerance] = CODE[R.WE_OWE_CUSTOMER]
        code[(asked > tolerance) & (overdue > 0)] = NONE
        return code

    def of_case(self, rows: Rows, verdict: Verdict | None = None) -> Verdict:
        """Reasons that hold whatever the step would be."""
        verdict = verdict or unjudged(len(rows))
        self._put_talks(verdict, rows)
        self._put_callback(verdict, rows)
        self._put_rest(verdict, rows, self.parked[rows], self.stopped[rows])
        return verdict

    def frozen(self, step: Step, rows: Rows) -> Flags:
        """Whether the case rests, so that its steps are not even passed over."""
        through = _codes(step.through)
        parked, stopped = self.parked[rows], self.stopped[rows]
        unread = self.cases.flags("unread_reply")[rows]
        rests: Flags = ((parked != NONE) & ~np.isin(parked, through)) | (stopped != NONE) | unread
        return rests

    def of_step(
        self, step: Step, rows: Rows, rerouted_on: Days | None = None, verdict: Verdict | None = None
    ) -> Verdict:
        """The first reason against taking a step; `rerouted_on` for the rows, inside a round."""
        verdict = verdict or unjudged(len(rows))
        if step.to_customer:
            self._put_waits(verdict, step, rows, rerouted_on)
            self._put_window(verdict, step, rows)
            self._put_budget(verdict, step, rows)
            if step.kind is not StepKind.HANDOFF and not step.makes_up:
                # What is to arrive at last fails for want of an address, and somebody looks for one.
                verdict.put(~self.reachable(step, rows), R.NO_ADDRESS)
            self._put_experience(verdict, step, rows)
        if step.escalating:
            self._put_escalation(verdict, rows)
        if step.kind is StepKind.HANDOFF:
            # Nothing is placed while a credit of the customer's is open (rule 20).
            credit = self.cases.amounts("credit_notes_open") + self.cases.amounts("cash_unallocated")
            verdict.put(credit[rows] > 0, R.COVERED_BY_CASH)
        if step.outward:
            self._put_talks(verdict, rows, ours=not _minds_not_our_turn(step), steps=not step.makes_up)
        parked = self.parked[rows]
        stopped = self.stopped[rows]
        if step.outside_round:
            parked = np.full(len(rows), NONE, dtype=np.int8)
        elif step.through:
            parked = np.where(np.isin(parked, _codes(step.through)), NONE, parked)
        if step.kind is StepKind.STATEMENT:
            stopped = np.where(stopped == CODE[R.PLACED], NONE, stopped)
        self._put_rest(verdict, rows, parked, stopped)
        return verdict

    def _put_rest(self, verdict: Verdict, rows: Rows, parked: Codes, stopped: Codes) -> None:
        """What parks or stops the whole case, with the date on which a hold, promise, plan or claim ends."""
        wake = self.cases.days("wake_on")[rows]
        verdict.put_codes(parked, wake)
        verdict.put_codes(stopped, wake)
        ours = (verdict.code == CODE[R.DATA_STALE]) | (verdict.code == CODE[R.QUARANTINED])
        verdict.until[ours] = MISSING

    def _put_talks(self, verdict: Verdict, rows: Rows, *, ours: bool = True, steps: bool = True) -> None:
        """Somebody is talking with the customer, a step is on its way, or the ball is with us."""
        cases = self.cases
        if steps:
            verdict.put_codes(self.open_codes[rows])
            verdict.put(cases.are("consult_answer", ConsultAnswer.OPEN)[rows], R.CONSULT_OPEN)
        if ours:
            tickets = cases.amounts("tickets_open")[rows] > 0
            verdict.put(cases.flags("our_turn")[rows] | tickets, R.OUR_TURN)
        verdict.put(cases.flags("unread_reply")[rows], R.UNREAD_ANSWER)

    def _put_callback(self, verdict: Verdict, rows: Rows) -> None:
        """A callback was agreed: silence until then and a working day longer."""
        until = self.cases.workdays.shift(self.cases.days("callback_on")[rows], 1, rows)
        verdict.put(until >= self.cases.as_of, R.CALL_OPEN, until)

    def _put_waits(self, verdict: Verdict, step: Step, rows: Rows, rerouted_on: Days | None) -> None:
        """Days of silence: after a talk, a part payment, a reroute; and a callback that was agreed."""
        cases, limits = self.cases, self.guardrails
        if _breaks_no_silence(step):
            return
        waits = [cases.days("paused_until")[rows]]
        if step.kind in _TALKS:
            waits.append(cases.workdays.shift(cases.days("last_spoken_on")[rows], limits.silence_after_talk, rows))
            waits.append(self._rest_of_reason(rows))
        if rerouted_on is not None and step.written:
            waits.append(cases.workdays.shift(rerouted_on, limits.notice_after_reroute, rows))
        if step.on is None and step.kind is not StepKind.PLAN_OFFER:
            # What we said we would wait for is waited for, whatever else has come due.
            waits.append(cases.workdays.shift(cases.days("term_until")[rows], 1, rows))
        until = np.maximum.reduce(waits)
        verdict.put(until > cases.as_of, R.WAIT, until)
        self._put_callback(verdict, rows)

    def silent(self, step: Step, rows: Rows) -> Flags:
        """Whether the customer hears nothing of a step today: a pause, a talk, a callback, an open consultation.

        The rule of deciding, for what was decided before and has not gone out yet.
        """
        verdict = unjudged(len(rows))
        self._put_waits(verdict, step, rows, None)
        if not _breaks_no_silence(step):
            verdict.put(self.cases.are("consult_answer", ConsultAnswer.OPEN)[rows], R.CONSULT_OPEN)
        silent: Flags = verdict.code != NONE
        return silent

    def _following(self, rows: Rows) -> Days:
        """The next working day of each row's debtor."""
        return self.cases.workdays.shift(np.full(len(rows), self.cases.as_of, dtype=np.int32), 1, rows)

    def _rest_of_reason(self, rows: Rows) -> Days:
        """Until when the reason that the customer gave lets the case rest.

        The rest begins when the reason was stated, by phone or not, or with a later talk; where we had something to do
        first (send the copy that was lost), with that.
        """
        cases, pause = self.cases, self.pause[rows]
        since = np.maximum(cases.days("reason_on")[rows], cases.days("last_spoken_on")[rows])
        answered_on = cases.days("reason_answered_on")[rows]
        since = np.where(self.ours[rows], np.maximum(since, answered_on), since)
        until = np.full(len(rows), MISSING, dtype=np.int32)
        for count in np.unique(pause[pause > 0]).tolist():
            until = np.where(pause == count, cases.workdays.shift(since, count, rows), until)
        return until

    def _put_window(self, verdict: Verdict, step: Step, rows: Rows) -> None:
        cases = self.cases
        following = self._following(rows)
        closed = ~cases.workdays.working(cases.as_of, rows)
        if step.kind is StepKind.CALL:
            # A call needs a working day of both sides; the letter in its place only one of the customer.
            closed |= ~self.our_workdays.working(cases.as_of, rows) & cases.flags("phone_known")[rows]
        if step.escalating:
            closed |= self.no_demand
            if self.guardrails.escalation.holiday_eve:
                closed |= cases.workdays.eve(cases.as_of, rows)
        verdict.put(closed, R.WINDOW, following)

    def _put_budget(self, verdict: Verdict, step: Step, rows: Rows) -> None:
        """Written contacts of the party that is written to, and call attempts at it."""
        cases, limits = self.cases, self.guardrails
        following = self._following(rows)
        if step.kind is StepKind.CALL:
            again = cases.days("last_call_on")[rows] == cases.as_of
            verdict.put(again | (cases.amounts("calls_5wd")[rows] >= limits.calls.a_week), R.BUDGET, following)
        written = self.written(step, rows)
        # Whoever pays, a demand is for the legal entity itself (rule 22).
        own = "own_" if step.escalating else ""
        apart = cases.workdays.shift(cases.days(f"{own}last_written_on")[rows], limits.contacts.apart, rows)
        spent = cases.amounts(f"{own}contacts_20wd")[rows] >= limits.contacts.most
        verdict.put(written & (spent | (apart > cases.as_of)), R.BUDGET, np.maximum(apart, following))

    def written(self, step: Step, rows: Rows) -> Flags:
        """Whether the step is a written contact of the budget: a call is, where there is no phone and a letter goes."""
        if step.kind is StepKind.CALL:
            return ~self.cases.flags("phone_known")[rows]
        return np.full(len(rows), step.written)

    def reachable(self, step: Step, rows: Rows) -> Flags:
        """Whether there is an address for what the step would send."""
        cases = self.cases
        if step.escalating:
            return cases.flags("own_post_known")[rows]
        # Where the channel that it asks for has no address, another takes its place (channels.yaml).
        known: Flags = (cases.flags("email_known") | cases.flags("phone_known") | cases.flags("post_known"))[rows]
        return known

    def addressed(self, rows: Rows) -> Flags:
        """Whether a document can reach the customer."""
        known: Flags = (self.cases.flags("email_known") | self.cases.flags("post_known"))[rows]
        return known

    def _put_experience(self, verdict: Verdict, step: Step, rows: Rows) -> None:
        """A customer who has had too much hears from a person, not from a machine."""
        balance = self.cases.amounts("experience_balance")[rows]
        if not step.escalating:
            limit = self.scale.agree_first_at if step.approval_role else self.scale.no_notice_at
            verdict.put(self.written(step, rows) & (balance <= limit), R.EXPERIENCE)

    def _put_escalation(self, verdict: Verdict, rows: Rows) -> None:
        """Law 5 and rules 7 and 9."""
        cases = self.cases
        lacking = [
            ~cases.flags("manager_heard"),
            ~(cases.flags("tried_call") | cases.flags("call_waived")),
            cases.flags("offer_open"),
            cases.are("consult_answer", ConsultAnswer.OPEN),
            cases.flags("promise_open"),
            cases.flags("dispute_open"),
            cases.amounts("tickets_open") > 0,
            cases.flags("unread_reply"),
        ]
        for at, lacks in enumerate(lacking):
            verdict.lacks |= lacks[rows].astype(np.int16) << at
        demandable = cases.amounts("demandable_amount")[rows]
        verdict.put(demandable <= self.guardrails.tolerance, R.EVIDENCE_MISSING)
        verdict.put(verdict.lacks > 0, R.ESCALATION_BLOCKED)
        verdict.put(~cases.are("party_kind", PartyKind.BUSINESS)[rows], R.LAW_NOT_COVERED)


def unjudged(count: int) -> Verdict:
    """A verdict with nothing against any row."""
    return Verdict(
        np.full(count, NONE, dtype=np.int8),
        np.full(count, MISSING, dtype=np.int32),
        np.zeros(count, dtype=np.int16),
    )


def _breaks_no_silence(step: Step) -> bool:
    """A statement, an answer or a confirmation goes out also while we are silent otherwise (rule 21)."""
    return step.kind is StepKind.STATEMENT or (step.kind is StepKind.MESSAGE and not step.written)


def _minds_not_our_turn(step: Step) -> bool:
    return step.kind is StepKind.STATEMENT or Through.OUR_TURN in step.through


def _codes(through: frozenset[Through]) -> list[int]:
    return [int(CODE[NoActionReason(each)]) for each in through]


def in_season(season: Season, day: int) -> bool:
    """Whether a day of the year lies in a season, which may go over New Year."""
    today = f"{EPOCH.fromordinal(EPOCH.toordinal() + day):%m-%d}"
    if season.from_ <= season.to:
        return season.from_ <= today <= season.to
    return today >= season.from_ or today <= season.to
