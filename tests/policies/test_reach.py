"""How evidence moves the state of an address, all of it; and what a test of every pair holds together."""

from itertools import product

import pytest

from maatpak.kernel.words import EvidenceKind, ReachState
from policies.reach import OF_EVIDENCE, OF_STATE, Known, Learned, is_graver, moved

TABLE = """
            arrived    answered   missed     gone       opted_out  opted_in
unproven    proven     proven     unproven   dead       opted_out  unproven
proven      proven     proven     proven     dead       opted_out  proven
doubtful    proven     proven     doubtful   dead       opted_out  doubtful
dead        dead       proven     dead       dead       opted_out  dead
opted_out   opted_out  opted_out  opted_out  opted_out  opted_out  proven
"""
"""Whereto each state goes by what is learned, the first time that it is."""
_HEAD, *_ROWS = [line.split() for line in TABLE.strip().splitlines()]
EXPECTED = {(row[0], learned): row[at] for row in _ROWS for at, learned in enumerate(_HEAD, start=1)}


def test_the_table_is_whole() -> None:
    assert EXPECTED.keys() == set(product(map(str, ReachState), map(str, Learned)))


@pytest.mark.parametrize(("state", "learned"), EXPECTED)
def test_what_is_learned_moves_a_state(state: str, learned: str) -> None:
    assert moved(Known(ReachState(state)), Learned(learned), 2).state == EXPECTED[state, learned]


@pytest.mark.parametrize(
    ("learned", "ends"),
    [
        (["missed"], "unproven"),
        (["missed", "missed"], "doubtful"),
        (["missed", "arrived", "missed"], "proven"),
        (["arrived", "missed", "missed"], "doubtful"),
        (["missed", "missed", "arrived", "missed"], "proven"),
        (["missed", "gone", "missed", "missed"], "dead"),
        (["opted_out", "missed", "missed", "arrived", "answered", "gone"], "opted_out"),
        (["opted_out", "gone", "opted_in"], "proven"),
        (["gone", "arrived", "answered"], "proven"),
    ],
    ids=" ".join,
)
def test_a_life_of_an_address(learned: list[str], ends: str) -> None:
    known = Known()
    for each in learned:
        known = moved(known, Learned(each), 2)
    assert known.state == ends


def test_every_evidence_that_says_something_of_an_address_has_its_line() -> None:
    silent = {EvidenceKind.ACCEPTED, EvidenceKind.PRINTED, EvidenceKind.HANDED_OVER}
    assert OF_EVIDENCE.keys() == set(EvidenceKind) - silent
    assert OF_STATE.keys() == set(ReachState) - {ReachState.UNPROVEN}


@pytest.mark.parametrize(
    ("heard", "news"),
    [
        ([], {Learned.MISSED, Learned.GONE, Learned.OPTED_OUT}),
        ([Learned.MISSED], {Learned.GONE, Learned.OPTED_OUT}),
        ([Learned.GONE], {Learned.OPTED_OUT}),
        ([Learned.GONE, Learned.MISSED], {Learned.OPTED_OUT}),
        ([Learned.OPTED_OUT], set()),
        ([Learned.ARRIVED, Learned.ANSWERED], {Learned.MISSED, Learned.GONE, Learned.OPTED_OUT}),
    ],
)
def test_of_one_lost_message_only_what_is_graver_is_news(heard: list[Learned], news: set[Learned]) -> None:
    assert {learned for learned in [*Learned, None] if is_graver(learned, heard)} == news
