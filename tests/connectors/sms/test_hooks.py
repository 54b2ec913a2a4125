"""What Twilio calls back with: signatures, reports in any order, and words of four languages."""

import hmac
from base64 import b64encode
from hashlib import sha1

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.sms.hooks import (
    WORDS,
    TextReport,
    TextState,
    Word,
    read_incoming,
    read_status,
    read_word,
    status_url,
    verified,
)
from maatpak.kernel.words import EvidenceKind, ReachState

URL = "https://maatpak.example.com/hooks/twilio/status?ref=1"
SID = "SM" + "0" * 32
WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PARAMS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), WORD, min_size=1)


def signed(url: str, params: dict[str, str], token: str) -> str:
    """Twilio's signature as its documentation tells it: the URL, then each field and its value in their order."""
    told = url + "".join(name + params[name] for name in sorted(params))
    return b64encode(hmac.new(token.encode(), told.encode(), sha1).digest()).decode()


@given(params=PARAMS, token=WORD.filter(bool))
def test_what_twilio_signed_is_verified(params: dict[str, str], token: str) -> None:
    assert verified(URL, params, signed(URL, params, token), token)


@given(params=PARAMS, token=WORD.filter(bool), other=WORD, data=st.data())
def test_a_changed_field_url_or_token_is_refused(
    params: dict[str, str], token: str, other: str, data: st.DataObject
) -> None:
    signature = signed(URL, params, token)
    name = data.draw(st.sampled_from(sorted(params)))
    assume(other not in (params[name], token, ""))
    assert not verified(URL, {**params, name: other}, signature, token)
    assert not verified(URL, {**params, name + "x": other}, signature, token)
    assert not verified(f"{URL}1", params, signature, token)
    assert not verified(URL.replace("https", "http"), params, signature, token)
    assert not verified(URL.replace("maatpak", "other"), params, signature, token)
    assert not verified(URL, params, signature, other)
    assert not verified(URL, params, signature[:-4] + "AAA=", token)


@pytest.mark.parametrize(("signature", "token"), [(None, "t"), ("", "t"), (signed(URL, {"A": "1"}, ""), "")])
def test_without_a_signature_or_a_token_nothing_is_verified(signature: str | None, token: str) -> None:
    assert not verified(URL, {"A": "1"}, signature, token)


def test_a_status_url_names_the_message() -> None:
    url = status_url("https://maatpak.example.com", "0a1b@zuidermeer.example")
    assert url == "https://maatpak.example.com/hooks/twilio/status?ref=0a1b@zuidermeer.example"


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("queued", "", (TextState.QUEUED, None, None, None)),
        ("sent", "", (TextState.SENT, None, None, None)),
        ("delivered", "", (TextState.DELIVERED, None, None, EvidenceKind.DELIVERED)),
        ("read", "", (TextState.READ, None, None, EvidenceKind.DELIVERED)),
        ("partially_delivered", "", (TextState.PARTIALLY_DELIVERED, None, None, None)),
        ("undelivered", "30003", (TextState.UNDELIVERED, 30003, ReachState.DOUBTFUL, EvidenceKind.BOUNCED)),
        ("undelivered", "30005", (TextState.UNDELIVERED, 30005, ReachState.DEAD, EvidenceKind.BOUNCED)),
        ("undelivered", "30006", (TextState.UNDELIVERED, 30006, ReachState.DEAD, EvidenceKind.BOUNCED)),
        ("undelivered", "30007", (TextState.UNDELIVERED, 30007, None, EvidenceKind.BOUNCED)),
        ("failed", "21610", (TextState.FAILED, 21610, ReachState.OPTED_OUT, EvidenceKind.BOUNCED)),
        ("failed", "30002", (TextState.FAILED, 30002, None, EvidenceKind.BOUNCED)),
        ("failed", "12345", (TextState.FAILED, 12345, None, EvidenceKind.BOUNCED)),
        ("failed", "", (TextState.FAILED, None, None, EvidenceKind.BOUNCED)),
        ("failed", "x", (TextState.FAILED, None, None, EvidenceKind.BOUNCED)),
        ("canceled", "0", (TextState.CANCELED, None, None, EvidenceKind.BOUNCED)),
        ("delivered", "30003", (TextState.DELIVERED, None, None, EvidenceKind.DELIVERED)),
    ],
)
def test_a_report_says_what_became_of_a_text(status: str, code: str, expected: tuple[TextState, ...]) -> None:
    params = {"MessageSid": SID, "MessageStatus": status, "ErrorCode": code, "NewSince2027": "x"}
    assert read_status(params) == TextReport(SID, *expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "params",
    [{}, {"MessageSid": SID}, {"MessageSid": SID, "MessageStatus": "dancing"}, {"MessageStatus": "sent"}],
)
def test_a_report_of_nothing_that_we_know_is_none(params: dict[str, str]) -> None:
    assert read_status(params) is None


def test_a_report_in_the_old_names_is_read() -> None:
    report = read_status({"SmsSid": SID, "SmsStatus": "delivered"})
    assert report is not None
    assert (report.service_ref, report.state) == (SID, TextState.DELIVERED)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        *((body, Word.STOP) for body in ("STOP", "stop", " Stop. ", "“Stop!”", "S.T.O.P.", "Stop all", "STOP 🙏")),
        *((body, Word.STOP) for body in ("Unsubscribe", "opt-out", "Cancel", "END", "quit")),
        *((body, Word.STOP) for body in ("STOP STOP", "stop sms", "Stop please")),
        *((body, Word.STOP) for body in ("AFMELDEN", "Uit", "uitschrijven", "Afmelding", "beëindigen", "stop a.u.b.")),
        *((body, Word.STOP) for body in ("STOPP", "Abmelden", "aus", "Abmeldung")),
        *((body, Word.STOP) for body in ("ARRET", "Arrêt", "arre\u0302ter", "Arrêtez", "Se désabonner", "désinscrire")),
        *((body, Word.START) for body in ("START", "unstop", "Aan", "aanmelden", "Anmelden", "Reprendre")),
        *((body, Word.HELP) for body in ("HELP", "info?", "Hulp", "Hilfe!", "aide")),
        *((body, None) for body in ("", "👍", "Ja", "YES", "oui", "stop sending me letters", "Ik stop ermee vrijdag")),
        *((body, None) for body in ("Ik betaal vrijdag", "please stop", "Uit te zoeken", "Kan ik hulp krijgen?")),
    ],
)
def test_a_word_is_the_whole_of_a_text(body: str, word: Word | None) -> None:
    assert read_word(body) is word


def test_no_word_means_two_things() -> None:
    assert sum(len(words) for words in WORDS.values()) == len(set().union(*WORDS.values()))


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"Body": "Laat mij met rust", "OptOutType": "STOP"}, Word.STOP),
        ({"Body": "Yes", "OptOutType": "START"}, Word.START),
        ({"Body": "?", "OptOutType": "HELP"}, Word.HELP),
        ({"Body": "afmelden", "OptOutType": ""}, Word.STOP),
        ({"Body": "afmelden", "OptOutType": "DANCE"}, Word.STOP),
        ({"Body": "Ik betaal vrijdag"}, None),
    ],
)
def test_what_twilio_took_a_text_for_goes_first(params: dict[str, str], word: Word | None) -> None:
    text = read_incoming({"MessageSid": SID, "From": "+31612340001", "To": "+31970000000", **params})
    assert text is not None
    assert (text.service_ref, text.sender, text.recipient) == (SID, "+31612340001", "+31970000000")
    assert (text.body, text.word) == (params["Body"], word)


@pytest.mark.parametrize(
    "params", [{}, {"MessageSid": SID}, {"MessageSid": SID, "From": "Bank"}, {"From": "+31612340001"}]
)
def test_a_text_of_nobody_is_none(params: dict[str, str]) -> None:
    assert read_incoming(params) is None
