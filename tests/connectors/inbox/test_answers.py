from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.inbox.incoming import IncomingKind
from connectors.inbox.reading import read_mail
from connectors.inbox.words import own_words
from tests.connectors.inbox.mails import ABOUT, ORIGINAL, THEIRS, daemon, mail, multipart, report

OWN = "Beste,\n\nDat is vorige week betaald."
QUOTED = "> Geachte heer, mevrouw,\n> Wij wachten nog op factuur 4711."
BELOW = "Geachte heer, mevrouw,\nWij wachten nog op factuur 4711."


@pytest.mark.parametrize(
    "rest",
    [
        QUOTED,
        f"Op ma 23 nov 2026 om 10:11 schreef Debiteuren <d@maatwerk.example>:\n{QUOTED}",
        f"Op 23 nov 2026 om 10:11 heeft Debiteuren <d@maatwerk.example> het volgende geschreven:\n\n{QUOTED}",
        f"Am 23.11.2026 um 10:11 schrieb Debiteuren:\n{QUOTED}",
        f"Debiteuren <d@maatwerk.example> schrieb am Mo., 23. Nov. 2026, 10:11:\n\n{QUOTED}",
        f"Le lun. 23 nov. 2026 à 10:11, Debiteuren <d@maatwerk.example> a écrit :\n\n{QUOTED}",
        f"El lun, 23 nov 2026 a las 10:11, Debiteuren (<d@maatwerk.example>) escribió:\n\n{QUOTED}",
        f"On Mon, 23 Nov 2026 at 10:11, Debiteuren <d@maatwerk.example>\nwrote:\n\n{QUOTED}",
        f"On Mon, 23 Nov 2026, Debiteuren wrote:\n\n{BELOW}",
        f"-----Oorspronkelijk bericht-----\nVan: Debiteuren\n\n{BELOW}",
        f"-----Ursprüngliche Nachricht-----\nVon: Debiteuren\n\n{BELOW}",
        f"{'_' * 32}\nVan: Debiteuren <d@maatwerk.example>\nVerzonden: maandag\nAan: Jan\n\n{BELOW}",
        f"Von: Debiteuren <d@maatwerk.example>\nGesendet: Montag, 23. November 2026\nAn: Jan\nBetreff: x\n\n{BELOW}",
        f"De : Debiteuren <d@maatwerk.example>\nEnvoyé : lundi 23 novembre\nÀ : Jan\nObjet : x\n\n{BELOW}",
        f"From: Debiteuren\nSent: Monday, 23 November 2026\nTo: Jan\nSubject: x\n\n{BELOW}",
        f"-- \nJan de Vries\nInkoop\n\nOp 1-1-2026 schreef x <x@y.example>:\n{QUOTED}",
    ],
)
def test_an_answer_is_the_persons_own_words(rest: str) -> None:
    read = read_mail(mail(f"{OWN}\n\n{rest}\n", more=f"In-Reply-To: <{ABOUT}>\nReferences: <oud@x> <{ABOUT}>"))
    assert (read.kind, read.text, read.about) == (IncomingKind.ANSWER, OWN, (ABOUT, "oud@x"))
    assert read.sender == THEIRS


def test_answers_between_the_quoted_lines_stay() -> None:
    text = "Op 23 nov 2026 schreef D <d@m.example>:\n> Is 4711 betaald?\nJa, gisteren.\n> En 4712?\nDie betwisten wij."
    assert own_words(text) == "Ja, gisteren.\nDie betwisten wij."


def test_words_that_only_look_like_a_quotation_stay() -> None:
    text = "Op 3 mei betalen wij.\nVan: nu af aan graag per post.\nBedragen:\n- 4711\nThanks, Jan"
    assert own_words(text) == text


def test_an_answer_in_html_is_read_as_text() -> None:
    page = (
        "<html><head><style>p{}</style></head><body><p>Betaald &amp; klaar.<br>Groet</p>"
        f"<div>Op 23-11-2026 om 10:11 schreef D &lt;d@m.example&gt;:</div><blockquote>{BELOW}</blockquote></body>"
    )
    assert read_mail(mail(page, more="Content-Type: text/html; charset=utf-8")).text == "Betaald & klaar.\nGroet"


@pytest.mark.parametrize(
    ("subject", "more"),
    [
        ("Re: Herinnering", "Auto-Submitted: auto-replied"),
        ("Re: Herinnering", "Auto-Submitted: auto-generated; owner-email=x@y.example"),
        ("Re: Herinnering", "X-Autoreply: yes"),
        ("Re: Herinnering", "Precedence: auto_reply"),
        ("Re: Herinnering", "Return-Path: <>"),
        ("Automatisch antwoord: Herinnering", ""),
        ("Afwezig: Herinnering", ""),
        ("Automatische Antwort: Herinnering", ""),
        ("Abwesenheitsnotiz: Herinnering", ""),
        ("Réponse automatique : Herinnering", ""),
        ("=?utf-8?q?R=C3=A9ponse_automatique_=3A_x?=", ""),
        ("Automatic reply: Herinnering", ""),
        ("Out of Office: Herinnering", ""),
    ],
)
def test_a_vacation_note_is_no_answer_and_no_bounce(subject: str, more: str) -> None:
    text = "Ik ben er niet. My old mailbox is full and my address does not exist any more: 550 5.1.1 user unknown."
    read = read_mail(mail(text, subject=subject, more=f"{more}\nIn-Reply-To: <{ABOUT}>"))
    assert (read.kind, read.results, read.about) == (IncomingKind.AUTO_REPLY, (), (ABOUT,))


@pytest.mark.parametrize(
    "more", ["Auto-Submitted: no", "Precedence: list\nList-Id: <debiteuren.maatwerk.example>", "X-Mailer: Outlook"]
)
def test_a_person_is_not_taken_for_a_machine(more: str) -> None:
    assert read_mail(mail("Betaald.", subject="Autoverzekering 2026", more=more)).kind is IncomingKind.ANSWER


def test_where_and_when_it_came() -> None:
    more = (
        "Delivered-To: bounce+m-4711@maatwerk.example\nX-Original-To: Bounce@maatwerk.example\n"
        "Received: from mx by us; Tue, 24 Nov 2026 10:00:00 +0100\n"
        "Received: from them by mx; Mon, 23 Nov 2026 10:00:00 +0100\n"
        "Date: Sun, 22 Nov 2026 10:00:00 +0100"
    )
    read = read_mail(mail("Betaald.", more=more))
    assert read.envelope_to == (
        "bounce+m-4711@maatwerk.example",
        "bounce@maatwerk.example",
        "debiteuren@maatwerk.example",
    )
    assert read.received_at == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert read_mail(mail("Betaald.", more="Date: gisteren")).received_at is None


PIECES = [
    *(
        b"From: ",
        b"To: ",
        b"Return-Path: <>\n",
        b"Message-ID: <",
        b"Date: ",
        b"Subject: =?utf-8?b?",
        b"\n\n",
        b"\n",
        b"\0",
    ),
    *(b"Content-Type: multipart/report; boundary=a\n\n", b"--a\n", b"--a--\n", b"Content-Type: message/rfc822\n\n"),
    *(
        b"Content-Type: message/delivery-status\n\n",
        b"Final-Recipient: rfc822;",
        b"Action: failed\n",
        b"Status: 5.1.1\n",
    ),
    *(b"Content-Type: text/html; charset=", b"idna\n", b"utf-16\n", b"utf-7\n", b"Content-Transfer-Encoding: base64\n"),
    *(
        b"MAILER-DAEMON@x.example\n",
        b'{"notificationType":"Bounce","bounce":',
        b"550 5.1.1 user unknown",
        b"<a@b.example>",
    ),
    *(
        b"Original-Recipient: rfc822;+FF+00@x\n",
        b"<![x",
        b"On 1 wrote:\n",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"Disposition: x\n",
    ),
]


@given(st.one_of(st.binary(), st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=5))).map(b"".join)))
def test_any_bytes_are_read_and_the_same_way_twice(content: bytes) -> None:
    read = read_mail(content)
    assert read_mail(content) == read
    strings = [read.message_id, read.sender, read.subject, read.text, *read.about, *read.envelope_to]
    told = "".join([*strings, *(f"{each.recipient}{each.status}{each.detail}" for each in read.results)])
    assert "\0" not in told.encode().decode()


@pytest.mark.parametrize(
    "content",
    [
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (each, each) for each in range(3000)),
        b"Content-Type: message/rfc822\n\n" * 3000,
        b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 30_000,
        daemon("<" * 50_000 + "@" * 50_000),
        mail("On " * 30_000 + "1 wrote" * 1_000),
        mail(("On 1 wrote" * 30 + "\n") * 300),
        mail("<div>" * 100_000, more="Content-Type: text/html"),
        mail("<a " * 300_000, more="Content-Type: text/html"),
        mail("x", more=f"Content-Type: text/plain{'; a*1=b' * 100_000}"),
        report("".join(f"Final-Recipient: rfc822; u{each}@b.example\nAction: failed\n\n" for each in range(20_000))),
        report("Final-Recipient: rfc822; a@b.example\nAction: failed\n\n" * 20_000),
        report("x" * 100_000, text="550 " * 30_000),
        daemon("user " * 20_000 + "mailbox account address " * 5_000),
        multipart("mixed", ("text/plain", ORIGINAL * 20_000))[1].encode(),
    ],
    ids=[
        "nested",
        "enclosed",
        "parts",
        "brackets",
        "ons",
        "wrotes",
        "tags",
        "ends",
        "parameters",
        "many",
        "recipients",
        "replies",
        "users",
        "long",
    ],
)
def test_a_monstrous_mail_is_read(content: bytes) -> None:
    read = read_mail(content)
    assert len(read.results) <= 50
    assert len(read.text) <= 100_000
