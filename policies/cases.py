"""The columns of a facts frame that the engine itself reads, as arrays with a row a case.

Rules read facts through Polars; gates and dates are reckoned with here. What is unknown counts as the careful reading:
a flag that stops contact is taken as set, one that allows it as not set.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from maatpak.kernel.banks import ReturnCause
from maatpak.kernel.words import ConsultAnswer, HoldReason, LegalStop, PartyKind, Reaction
from policies.workdays import MISSING, Days, Flags, Workdays, day_number

Amounts = npt.NDArray[np.int64]

_DAYS = (
    "driver_bank_due_on",
    "driver_pay_run_on",
    "upcoming_bank_due_on",
    "unreceived_bank_due_on",
    "first_invoice_on",
    "next_pay_run_on",
    "statement_on",
    "last_written_on",
    "own_last_written_on",
    "last_spoken_on",
    "reason_on",
    "reason_answered_on",
    "last_call_on",
    "callback_on",
    "wake_on",
    "paused_until",
    "term_until",
    "rerouted_on",
    "last_round_closed_on",
    *(f"{reaction}_on" for reaction in Reaction),
)

_AMOUNTS: Mapping[str, int] = {
    "asked_amount": 0,
    "overdue_open": 0,
    "not_due_open": 0,
    "credit_notes_open": 0,
    "cash_unallocated": 0,
    "disputed_open": 0,
    "in_plan_open": 0,
    "promised_open": 0,
    "claimed_paid_open": 0,
    "debits_in_flight": 0,
    "placed_open": 0,
    "demandable_amount": 0,
    "contacts_20wd": 0,
    "own_contacts_20wd": 0,
    "calls_5wd": 0,
    "manager_letters_12m": 0,
    "experience_balance": 0,
    "quarantined_rows": 0,
    "round_pack_id": -1,
    "data_age_wd": 999,
    "tickets_open": 1,
}
"""Whole numbers, and what counts where one is unknown: data of unknown age are old, unknown tickets are open."""

_FLAGS: Mapping[str, bool] = {
    "unread_reply": True,
    "our_turn": True,
    "offer_open": True,
    "promise_open": True,
    "dispute_open": True,
    "email_known": False,
    "phone_known": False,
    "post_known": False,
    "own_post_known": False,
    "tried_call": False,
    "call_waived": False,
    "manager_heard": False,
    "moved_by_hand": False,
    "part_paid_half": False,
}
"""Truth values, and what counts where one is unknown."""

_WORDS: Mapping[str, tuple[str, ...]] = {
    "legal_stop": (LegalStop.NONE,),
    "hold_reason": (HoldReason.NONE,),
    "consult_answer": (ConsultAnswer.OPEN,),
    "party_kind": (PartyKind.BUSINESS,),
    "preferred_channel": ("email", "sms", "post"),
    "debit_return_cause": (ReturnCause.MANDATE, ReturnCause.ACCOUNT, ReturnCause.REFUSED),
}
"""Words that columns are compared with."""


_READ = (
    *(pl.col(name).cast(pl.Int32).fill_null(int(MISSING)) for name in _DAYS),
    *(pl.col(name).fill_null(unknown) for name, unknown in _AMOUNTS.items()),
    *(pl.col(name).fill_null(unknown) for name, unknown in _FLAGS.items()),
    *(
        (pl.col(name) == word).fill_null(value=False).alias(f"{name} = {word}")
        for name, words in _WORDS.items()
        for word in words
    ),
    pl.col("round_id").is_not_null().alias("has_round"),
)


class Cases:
    """A facts frame as of a date."""

    def __init__(self, frame: pl.DataFrame, as_of: date) -> None:
        self.frame = frame
        self.count = frame.height
        self.as_of = day_number(as_of)
        self.workdays = Workdays(frame.get_column("country"))
        columns = frame.select(_READ)
        self._columns: dict[str, npt.NDArray[Any]] = {each.name: each.to_numpy() for each in columns}

    def days(self, name: str) -> Days:
        """A column of dates."""
        return self._columns[name]

    def amounts(self, name: str) -> Amounts:
        """A column of whole numbers."""
        return self._columns[name]

    def flags(self, name: str) -> Flags:
        """A column of truth values."""
        return self._columns[name]

    def are(self, name: str, word: str) -> Flags:
        """Whether a word stands in a column; unknown is not that word."""
        return self._columns[f"{name} = {word}"]

    def words(self, name: str, known: Sequence[str]) -> npt.NDArray[np.int16]:
        """A column of words as positions in a list; −1 where it is none of them, or null."""
        return self.frame.select(positions(name, known)).to_series().to_numpy()


def positions(name: str, known: Sequence[str]) -> pl.Expr:
    """A column of words as positions in a list; −1 where it is none of them, or null."""
    enum = pl.col(name).cast(pl.Enum([str(word) for word in known]), strict=False)
    return enum.to_physical().cast(pl.Int16).fill_null(-1)
