"""What comes back of a mail that the simulator took, as the mailbox reads it."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.faults import Fault, plan_faults
from connectors.inbox.incoming import Action, Incoming, IncomingKind, Reason
from connectors.inbox.maildir import MaildirMailbox
from connectors.inbox.reading import read_mail
from connectors.mail import build_mail, return_path
from connectors.mail.sink import MailSink
from connectors.mail.smtp import SmtpMail
from connectors.message import Outgoing
from connectors.outcome import Outcome, Sent, Unknown
from maatpak.kernel.settings import MailSecurity, Settings
from tests.connectors.letters import WRITTEN, mail

KEY = "key"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[SmtpMail]:
    built = build_mail(Settings(workspace=tmp_path), tmp_path, KEY)
    assert isinstance(built, SmtpMail)
    yield built
    built.shut()


def send(port: SmtpMail, *outgoing: Outgoing) -> list[Outcome]:
    async def all_of_them() -> list[Outcome]:
        try:
            return [await port.send(each, []) for each in outgoing]
        finally:
            await port.close()

    return asyncio.run(all_of_them())


def sink(port: SmtpMail) -> MailSink:
    assert port.sink is not None
    return port.sink


def arrived(folder: Path) -> list[Incoming]:
    return [read_mail(each.content) for each in MaildirMailbox(folder / "incoming").arrived()]


def test_a_mail_that_arrived_is_reported_to_its_return_path(port: SmtpMail, tmp_path: Path) -> None:
    outgoing = mail(1)
    assert isinstance(send(port, outgoing)[0], Sent)
    (report,) = arrived(tmp_path)
    assert report.kind is IncomingKind.REPORT
    assert report.about == (outgoing.message_ref,)
    path = return_path(Settings(workspace=tmp_path), KEY)
    assert path is not None
    assert path.token(report.envelope_to[0]) == outgoing.message_ref.partition("@")[0]
    (result,) = report.results
    assert (result.action, result.recipient, result.reason) == (Action.DELIVERED, "jan@klant.example", Reason.NONE)
    assert report.received_at == outgoing.written_at, "the days that are played, not today"


@pytest.mark.parametrize(
    ("reply", "action", "hard", "reason"),
    [
        ("550 5.1.1 no such user", Action.FAILED, True, Reason.UNKNOWN_USER),
        ("552 5.2.2 mailbox full", Action.FAILED, False, Reason.MAILBOX_FULL),
        ("451 4.2.2 mailbox full", Action.DELAYED, False, Reason.MAILBOX_FULL),
        ("550 5.7.1 refused by policy", Action.FAILED, False, Reason.POLICY),
    ],
)
def test_a_mail_that_did_not_arrive_is_reported_with_its_reason(
    port: SmtpMail, tmp_path: Path, reply: str, action: Action, hard: bool, reason: Reason
) -> None:
    sink(port).plan_faults([Fault(match="jan@", at="delivery", reply=reply)])
    send(port, mail(1), mail(2, "els@klant.example"))
    lost, fine = sorted(arrived(tmp_path), key=lambda each: each.about)
    assert [(each.action, each.hard, each.reason) for each in lost.results] == [(action, hard, reason)]
    assert [each.action for each in fine.results] == [Action.DELIVERED]


def test_reports_come_twice_late_or_not_at_all(port: SmtpMail, tmp_path: Path) -> None:
    twice, late, never = (f"{name}@klant.example" for name in ("twice", "late", "never"))
    faults = [
        Fault(match=twice, at="callback", reply="twice"),
        Fault(match=late, at="callback", delay=0.5),
        Fault(match=never, at="callback", drop=True),
    ]
    sink(port).plan_faults(faults)
    send(port, mail(1, twice), mail(2, late), mail(3, never))
    port.shut()  # what is under way comes to its end
    assert [each.results[0].recipient for each in arrived(tmp_path)] == [twice, twice, late]


def test_somebody_who_is_away_has_a_machine_answer(port: SmtpMail, tmp_path: Path) -> None:
    sink(port).plan_faults([Fault(at="answer", reply="Ik ben terug op maandag.")])
    send(port, mail(1))
    note, report = sorted(arrived(tmp_path), key=lambda each: each.kind)
    assert (note.kind, report.kind) == (IncomingKind.AUTO_REPLY, IncomingKind.REPORT)
    assert (note.text, note.about) == ("Ik ben terug op maandag.", (mail(1).message_ref,))


def test_a_customer_writes_to_us(port: SmtpMail, tmp_path: Path) -> None:
    words = "Wij betalen vrijdag.\n\nGroet, Zoë\n\nOp 11 maart schreef Zuidermeer:\n> Herinnering"
    sink(port).mail_in("zoë@klant.example", "us@ours.example", "Re: Herinnering", words, WRITTEN, mail(1).message_ref)
    (answer,) = arrived(tmp_path)
    assert (answer.kind, answer.about) == (IncomingKind.ANSWER, (mail(1).message_ref,))
    assert answer.text.startswith("Wij betalen vrijdag.")
    assert "Herinnering" not in answer.text


def test_what_was_taken_before_the_connection_was_lost_is_reported(port: SmtpMail, tmp_path: Path) -> None:
    sink(port).plan_faults([Fault(at="after", drop=True)])
    assert isinstance(send(port, mail(1))[0], Unknown)
    assert [each.about for each in arrived(tmp_path)] == [(mail(1).message_ref,)]


def test_it_is_started_by_hand(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    plan_faults(folder, [Fault(at="delivery", reply="550 5.1.1 no such user")])
    command = [sys.executable, "-m", "connectors.mail.simulator", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = int(process.stdout.readline())
        settings = Settings(
            workspace=tmp_path,
            smtp_host="127.0.0.1",
            smtp_port=told,
            smtp_security=MailSecurity.NONE,
            return_path="bounces@ours.example",
        )
        by_hand = build_mail(settings, tmp_path, KEY)
        assert isinstance(by_hand, SmtpMail)
        assert isinstance(send(by_hand, mail(1))[0], Sent)
    assert [each.results[0].hard for each in arrived(tmp_path)] == [True]
