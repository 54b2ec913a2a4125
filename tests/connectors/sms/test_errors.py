"""What each error asks for, and what it says of the number."""

import pytest

from connectors.outcome import Blame, Failed, NoService, Outcome, Unknown
from connectors.sms.errors import ERRORS, ErrorClass, TextError, outcome_of
from maatpak.kernel.words import ReachState

CLASSES = {
    ErrorClass.RETRY: {20429, 20503, 21611, 21730, 30001, 30003, 30008, 30017, 30022, 30036, 30410},
    ErrorClass.BAD_NUMBER: {21211, 21214, 21217, 21604, 21614, 21635, 30005, 30006},
    ErrorClass.BLOCKED: {21408, 21608, 21610, 21612, 21657, 30004, 30007, 30018, 30024, 30032, 30034},
    ErrorClass.ACCOUNT: {
        *(10001, 20003, 20005, 20008, 20403, 20404, 30002, 63038),
        *(21212, 21401, 21603, 21606, 21607, 21609, 21616, 21659, 21660, 21701, 21702, 21703, 21704, 21705),
    },
}


def test_every_code_is_in_its_class() -> None:
    found = {kind: {code for code, error in ERRORS.items() if error.kind is kind} for kind in ErrorClass}
    assert found == CLASSES


@pytest.mark.parametrize("error", ERRORS.values(), ids=lambda error: str(error.code))
def test_only_what_is_of_the_account_says_what_to_mend(error: TextError) -> None:
    assert bool(error.mend) == (error.kind is ErrorClass.ACCOUNT)
    assert error.words


@pytest.mark.parametrize("error", ERRORS.values(), ids=lambda error: str(error.code))
def test_its_outcome_follows_from_its_class(error: TextError) -> None:
    outcome = outcome_of(400, error.code, "Twilio's words, with +31612345678")
    told = f"400 {error.code} {error.words}"
    match error.kind:
        case ErrorClass.RETRY:
            of_service = error.code in (20429, 20503, 21611, 21730, 30001)
            assert outcome == Failed(told, False, blame=Blame.SERVICE if of_service else Blame.MESSAGE)
        case ErrorClass.BAD_NUMBER:
            assert outcome == Failed(told, permanent=True, address=ReachState.DEAD)
        case ErrorClass.BLOCKED:
            assert outcome == Failed(told, permanent=True, address=error.address)
            assert error.address is not ReachState.DEAD
        case ErrorClass.ACCOUNT:
            assert outcome == NoService(told, error.mend)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (500, 20500, Unknown("500 20500 w")),
        (503, 20429, Unknown("503 20429 w")),
        (400, 99999, Failed("400 99999 w", permanent=True)),
        (400, None, Failed("400  w", permanent=True)),
        (403, None, Failed("403  w", permanent=False, blame=Blame.SERVICE)),
        (408, None, Failed("408  w", permanent=False, blame=Blame.SERVICE)),
        (429, None, Failed("429  w", permanent=False, blame=Blame.SERVICE)),
    ],
)
def test_a_code_that_we_do_not_know_goes_by_its_status(status: int, code: int | None, expected: Outcome) -> None:
    assert outcome_of(status, code, "w") == expected


@pytest.mark.parametrize(
    ("status", "mend"), [(308, "MAATPAK_SMS_URL"), (401, "MAATPAK_SMS_TOKEN"), (404, "MAATPAK_SMS_URL")]
)
def test_a_refused_login_or_account_names_the_setting(status: int, mend: str) -> None:
    outcome = outcome_of(status, None, "")
    assert isinstance(outcome, NoService)
    assert mend in outcome.mend
