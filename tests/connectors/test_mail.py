import asyncio
import mailbox
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.faults import Fault
from connectors.mail import build_mail
from connectors.mail.mime import mail_bytes
from connectors.mail.sink import MailSink
from connectors.mail.smtp import MailServer, SmtpMail
from connectors.message import Correspondent, Enclosure, Outgoing
from connectors.outcome import Blame, Failed, NoService, Outcome, Sent, Unknown
from maatpak.kernel.settings import Settings
from maatpak.kernel.words import ReachState
from tests.connectors.letters import mail

HEADERS = [
    *(b"From", b"To", b"Reply-To", b"Date", b"Message-ID", b"In-Reply-To", b"References", b"Auto-Submitted"),
    *(b"Content-Language", b"MIME-Version", b"Content-Type"),
]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmtpMail]:
    folder = tmp_path_factory.mktemp("mail")
    built = build_mail(Settings(workspace=folder), folder, "key")
    assert isinstance(built, SmtpMail)
    yield built
    built.shut()


@pytest.fixture
def sink(port: SmtpMail) -> Iterator[MailSink]:
    assert port.sink is not None
    port.sink.plan_faults([])
    yield port.sink
    port.sink.plan_faults([])


def send(port: SmtpMail, *outgoing: Outgoing) -> list[Outcome]:
    async def all_of_them() -> list[Outcome]:
        try:
            return [await port.send(each, []) for each in outgoing]
        finally:
            await port.close()

    return asyncio.run(all_of_them())


def received(sink: MailSink, recipient: str) -> list[EmailMessage]:
    box = mailbox.Maildir(sink.maildir)
    mails = [message_from_bytes(box.get_bytes(key), policy=policy.default) for key in box.iterkeys()]
    return [each for each in mails if each["Delivered-To"] == recipient]


def parsed(outgoing: Outgoing, *enclosures: Enclosure) -> EmailMessage:
    return message_from_bytes(mail_bytes(outgoing, enclosures), policy=policy.default)


def test_the_standard_parser_reads_back_what_was_written() -> None:
    outgoing = mail()
    read = parsed(outgoing)
    assert read["From"] == '"Zuidermeer Techniek B.V." <debiteuren@zuidermeer.example>'
    assert read["To"].addresses[0].display_name == "Zoë Öztürk"
    assert read["Subject"] == outgoing.subject
    assert read["Message-ID"] == f"<{outgoing.message_ref}>"
    assert read["In-Reply-To"] == "<eerder@zuidermeer.example>"
    assert read["References"].split() == ["<eerste@zuidermeer.example>", "<eerder@zuidermeer.example>"]
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Date"].datetime == outgoing.written_at
    assert "List-Unsubscribe" not in read
    plain, html = read.get_body(("plain",)), read.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == outgoing.text.rstrip().splitlines()
    assert outgoing.html is not None
    assert unescape(html.get_content().strip()) == unescape(outgoing.html), "the same page"
    assert html["Content-Transfer-Encoding"] == "7bit"
    assert not read.defects
    assert all(len(line) <= 998 for line in mail_bytes(outgoing, []).splitlines())


@pytest.mark.parametrize("odd", ["<p>" + "a b " * 250 + "</p>", "<p>a\rb</p>", "<p>\0</p>"])
def test_a_page_that_no_server_takes_as_it_is_is_quoted(odd: str) -> None:
    outgoing = mail(html=odd)
    html = parsed(outgoing).get_body(("html",))
    assert html is not None
    assert html["Content-Transfer-Encoding"] == "quoted-printable"
    assert html.get_content().split() == odd.split()
    assert all(len(line) <= 100 for line in mail_bytes(outgoing, []).splitlines())


@pytest.mark.parametrize("length", [10, 59, 60, 64, 68, 69, 250, 2000])
def test_a_name_of_any_length_is_read_back(length: int) -> None:
    name = ("Jansen, " * length)[: length - 1] + "!"
    outgoing = mail(recipient=Correspondent(name, email="jan@klant.example"))
    assert parsed(outgoing)["To"].addresses[0].display_name == name
    assert all(len(line) <= 100 for line in mail_bytes(outgoing, []).partition(b"\r\n\r\n")[0].split(b"\r\n"))


def test_enclosures_go_beside_the_words() -> None:
    read = parsed(mail(), Enclosure('factuur "F-2041" é.pdf', "application/pdf", b"%PDF-1.7 \x00\xff" * 100))
    (enclosed,) = read.iter_attachments()
    assert enclosed.get_content() == b"%PDF-1.7 \x00\xff" * 100
    assert enclosed.get_content_type() == "application/pdf"
    assert read.get_body(("plain",)) is not None


@given(name=st.text(max_size=120), subject=st.text(max_size=300), words=st.text(max_size=400))
def test_no_name_subject_or_text_can_break_out_of_its_place(name: str, subject: str, words: str) -> None:
    outgoing = mail(
        subject=subject.encode("utf-8", "replace").decode(),
        recipient=Correspondent(name.encode("utf-8", "replace").decode(), email="jan@klant.example"),
        text=words.encode("utf-8", "replace").decode(),
    )
    raw = mail_bytes(outgoing, [])
    head = raw.split(b"\r\n\r\n", 1)[0]
    names = [line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert [name for name in names if name != b"Subject"] == HEADERS
    assert parsed(outgoing)["To"].addresses[0].addr_spec == "jan@klant.example"


def test_mails_arrive_and_connections_are_kept(port: SmtpMail, sink: MailSink) -> None:
    outcomes = send(port, *(mail(number, "kept@klant.example") for number in range(100, 110)))
    assert all(isinstance(each, Sent) and each.service_ref for each in outcomes)
    assert len(received(sink, "kept@klant.example")) == 10


@pytest.mark.parametrize(
    ("fault", "expected", "arrives"),
    [
        (Fault(reply="550 5.1.1 no such user"), Failed("", permanent=True, address=ReachState.DEAD), False),
        (Fault(reply="550 unknown recipient"), Failed("", permanent=True, address=ReachState.DEAD), False),
        (Fault(reply="550 5.7.1 refused by policy"), Failed("", permanent=True), False),
        (Fault(reply="550 Blocked - see https://spamhaus.example/query"), Failed("", permanent=True), False),
        (Fault(reply="550 SPF check failed"), Failed("", permanent=True), False),
        (Fault(reply="553 mail from your location is not accepted"), Failed("", permanent=True), False),
        (Fault(reply="552 5.2.2 mailbox full"), Failed("", permanent=True, address=ReachState.DOUBTFUL), False),
        (Fault(reply="450 4.7.1 greylisted"), Failed("", permanent=False), False),
        (Fault(reply="452 4.2.2 mailbox full"), Failed("", permanent=False, address=ReachState.DOUBTFUL), False),
        (Fault(reply="451 4.3.0 later"), Failed("", permanent=False, blame=Blame.SERVICE), False),
        (Fault(reply="421 4.7.0 too many"), Failed("", permanent=False, blame=Blame.SERVICE), False),
        (Fault(at="content", reply="554 5.6.0 too odd"), Failed("", permanent=True), False),
        (Fault(at="content", reply="452 4.3.1 no room"), Failed("", permanent=False, blame=Blame.SERVICE), False),
        (Fault(drop=True), Failed("", permanent=False, blame=Blame.SERVICE), False),
        (Fault(delay=0.01), Sent(), True),
        (Fault(at="content", delay=0.01), Sent(), True),
        (Fault(at="content", drop=True), Unknown(""), False),
        (Fault(at="after", drop=True), Unknown(""), True),
    ],
    ids=lambda value: f"{value.at} {value.reply or 'drop'}" if isinstance(value, Fault) else "",
)
def test_every_failure_has_its_outcome(
    port: SmtpMail, sink: MailSink, fault: Fault, expected: Outcome, arrives: bool
) -> None:
    recipient = f"{fault.at}-{abs(hash((fault.reply, fault.drop)))}@klant.example"
    sink.plan_faults([fault])
    (outcome,) = send(port, mail(7, recipient))
    assert type(outcome) is type(expected)
    if isinstance(outcome, Failed) and isinstance(expected, Failed):
        told = (outcome.permanent, outcome.address, outcome.blame)
        assert told == (expected.permanent, expected.address, expected.blame)
    assert bool(received(sink, recipient)) is arrives
    sink.plan_faults([])
    assert isinstance(send(port, mail(8, recipient))[0], Sent)


class Gate:
    """A mail server that says one thing wrong, and counts who leaves."""

    def __init__(self, at: str, reply: str) -> None:
        self.at = at
        self.reply = reply
        self.left = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        replies = {"EHLO": "250-localhost\r\n250 AUTH PLAIN LOGIN", "AUTH": "235 2.7.0 ok", self.at: self.reply}
        writer.write(f"{replies.get('greeting', '220 ready')}\r\n".encode())
        while line := await reader.readline():
            writer.write(f"{replies.get(line.split()[0].decode().upper(), '250 ok')}\r\n".encode())
        self.left += 1
        writer.close()


@pytest.mark.parametrize(
    ("at", "reply", "mend"),
    [
        ("greeting", "554 5.3.2 not accepting mail", "MAATPAK_SMTP_HOST"),
        ("greeting", "421 4.3.2 too many connections", ""),
        ("AUTH", "535 5.7.8 wrong password", "MAATPAK_SMTP_PASSWORD"),
        ("AUTH", "534 5.7.9 mechanism too weak", "MAATPAK_SMTP_PASSWORD"),
        ("AUTH", "454 4.7.0 try another time", "MAATPAK_SMTP_PASSWORD"),
        ("MAIL", "530 5.7.0 log in first", "MAATPAK_SMTP_PASSWORD"),
        ("MAIL", "550 5.1.0 sender rejected", ""),
        ("MAIL", "553 5.7.1 not your address", ""),
        ("MAIL", "451 4.3.0 later", ""),
        ("RCPT", "530 5.7.0 log in first", "MAATPAK_SMTP_PASSWORD"),
        ("DATA", "530 5.7.0 log in first", "MAATPAK_SMTP_PASSWORD"),
    ],
)
def test_what_a_server_says_before_it_hears_of_a_recipient_is_never_the_mails_fault(
    at: str, reply: str, mend: str
) -> None:
    async def attempt() -> tuple[Outcome, int]:
        gate = Gate(at, reply)
        server = await asyncio.start_server(gate.serve, "127.0.0.1", 0)
        async with server:
            port = SmtpMail(MailServer(port=server.sockets[0].getsockname()[1], user="maatpak", password="hunter2"))
            outcome = await port.send(mail(), [])
            await port.close()
            async with asyncio.timeout(5):
                while not gate.left:
                    await asyncio.sleep(0)
            return outcome, gate.left

    outcome, left = asyncio.run(attempt())
    if mend:
        assert isinstance(outcome, NoService)
        assert mend in outcome.mend
    else:
        ours = at == "MAIL" and reply.startswith("5")
        assert outcome == Failed(reply, permanent=False, blame=Blame.OURS if ours else Blame.SERVICE)
    assert reply[:3] in outcome.code
    assert left == 1


def test_a_refused_mail_leaves_the_connection_for_the_next(port: SmtpMail, sink: MailSink) -> None:
    sink.plan_faults([Fault(match="bad@", reply="550 5.1.1 no")])
    outcomes = send(port, mail(1, "good1@klant.example"), mail(2, "bad@klant.example"), mail(3, "good2@klant.example"))
    assert [type(each) for each in outcomes] == [Sent, Failed, Sent]


def test_a_latency_is_waited_out_and_counted_faults_end(port: SmtpMail, sink: MailSink) -> None:
    sink.plan_faults([Fault(delay=0.2, times=1), Fault(reply="451 4.3.0 later", times=1)])
    outcomes = send(port, *(mail(number, "slow@klant.example") for number in (1, 2, 3)))
    assert [type(each) for each in outcomes] == [Sent, Failed, Sent]


def test_a_sink_that_died_is_started_again(port: SmtpMail, sink: MailSink) -> None:
    assert isinstance(send(port, mail(1, "again@klant.example"))[0], Sent)
    sink.stop()
    assert isinstance(send(port, mail(2, "again@klant.example"))[0], Sent)
    assert len(received(sink, "again@klant.example")) == 2


def test_no_server_is_no_mails_failure_and_cannot_be_asked() -> None:
    port = SmtpMail(MailServer(port=9), connections=1)
    (outcome,) = send(port, mail())
    assert isinstance(outcome, NoService)
    assert "no connection" in outcome.code
    assert "MAATPAK_SMTP_HOST" in outcome.mend
    assert isinstance(asyncio.run(port.ask(mail())), Unknown)


def test_nothing_is_started_until_something_is_sent(tmp_path: Path) -> None:
    built = build_mail(Settings(workspace=tmp_path), tmp_path, "key")
    assert list(tmp_path.iterdir()) == []
    built.shut()


async def _talk(answers: dict[bytes, bytes], content: list[bytes], outgoing: Outgoing) -> Outcome:
    """A mail for a server that pipelines and answers commands as it was told."""
    said = {b"EHLO": b"250-here\r\n250 PIPELINING\r\n", b"DATA": b"354 go on\r\n", **answers}
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        with suppress(asyncio.IncompleteReadError):
            while line := await reader.readline():
                verb = line[:4].upper()
                writer.write(said.get(verb, b"250 2.0.0 Ok\r\n"))
                if verb == b"DATA":
                    content.append(await reader.readuntil(b"\r\n.\r\n"))
                    writer.write(b"250 2.0.0 Ok: kept\r\n")
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = SmtpMail(MailServer(port=server.sockets[0].getsockname()[1]), connections=1)
    async with server:
        outcome = await port.send(outgoing, [])
        await port.close()
        await ended.wait()
    return outcome


def test_a_dot_at_the_beginning_of_a_line_is_not_the_end() -> None:
    content: list[bytes] = []
    dotted = replace(mail(), text="first\n.\n.second", html=None)
    assert asyncio.run(_talk({}, content, dotted)) == Sent("2.0.0 Ok: kept")
    (arrived,) = content
    undone = arrived.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
    assert undone == mail_bytes(dotted, [])


@pytest.mark.parametrize(
    ("refused", "outcome"),
    [
        (b"MAIL", Failed("550 5.7.1 no", permanent=False, blame=Blame.OURS)),
        (b"RCPT", Failed("550 5.1.1 no", permanent=True, address=ReachState.DEAD)),
    ],
)
def test_a_server_that_asks_for_the_content_of_what_it_refused_gets_none(refused: bytes, outcome: Outcome) -> None:
    content: list[bytes] = []
    said = {refused: b"550 5.7.1 no\r\n" if refused == b"MAIL" else b"550 5.1.1 no\r\n"}
    assert asyncio.run(_talk(said, content, mail())) == outcome
    assert content == []
