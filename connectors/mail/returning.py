"""What comes back of a mail, as mails: reports after RFC 3464, automatic replies, and what a person writes.

The simulator (connectors/mail/simulator.py) sends these. They bear the date of the mail that they are about, so who
plays days that are long past, or to come, gets reports of these days.
"""

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP
from email.utils import format_datetime

from maatpak.kernel.ids import content_hash, reference_token

ARRIVED = "250 2.1.5 delivered"
HOST = "mail.simulated.example"
_REPORTS = {
    "2": ("delivered", "Successful Mail Delivery Report", "This mail was delivered to:"),
    "4": ("delayed", "Delayed Mail (still being retried)", "This mail could not be delivered yet, and is tried again:"),
    "5": ("failed", "Undelivered Mail Returned to Sender", "This mail could not be delivered to:"),
}
_ASKED = {"2": "SUCCESS", "4": "DELAY", "5": "FAILURE"}
UNASKED = ("FAILURE", "DELAY")
"""What a sender is told who did not say what it wants to know."""


def is_wanted(reply: str, notify: Sequence[str]) -> bool:
    """Whether who asked for these reports (RFC 3461: NOTIFY) is told of this reply."""
    return _ASKED.get(reply[:1]) in notify


def report(original: bytes, path: str, recipient: str, reply: str) -> bytes:
    """The report to the envelope's sender of what a server said of one recipient: `550 5.1.1 no such user`."""
    action, subject, words = _REPORTS[reply[:1]]
    status = next((each for each in reply.split()[1:2] if each.count(".") == 2), f"{reply[:1]}.0.0")
    head, _, _ = original.partition(b"\r\n\r\n")
    date, about = _dated(original)
    token = reference_token(about)
    mark = f"report-{token}"
    lines = [
        f"From: Mail Delivery System <MAILER-DAEMON@{HOST}>",
        f"To: {path}",
        f"Subject: {subject}",
        f"Date: {date}",
        f"Message-ID: <{action}.{token}@{HOST}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{mark}"',
        "",
        f"--{mark}",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        words,
        "",
        f"    <{recipient}>: {reply}",
        "",
        f"--{mark}",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns; {HOST}",
        f"Arrival-Date: {date}",
        "",
        f"Final-Recipient: rfc822; {recipient}",
        f"Action: {action}",
        f"Status: {status}",
        f"Diagnostic-Code: smtp; {reply}",
        "",
        f"--{mark}",
        "Content-Type: text/rfc822-headers",
        "",
    ]
    return "\r\n".join(lines).encode() + b"\r\n" + head + f"\r\n\r\n--{mark}--\r\n".encode()


def automatic_reply(original: bytes, path: str, recipient: str, words: str) -> bytes:
    """What a machine answers for somebody who is away (RFC 3834)."""
    date, about = _dated(original)
    subject = BytesHeaderParser(policy=SMTP).parsebytes(original)["Subject"]
    mail = _written(recipient, path, f"Automatic reply: {subject}", words, date, about)
    mail["Auto-Submitted"] = "auto-replied"
    return mail.as_bytes()


def answer(sender: str, to: str, subject: str, words: str, at: datetime, about: str | None = None) -> bytes:
    """What a person writes, perhaps in answer to a message of ours, by its Message-ID without brackets."""
    return _written(sender, to, subject, words, format_datetime(at), about).as_bytes()


def _written(sender: str, to: str, subject: str, words: str, date: str, about: str | None) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"], mail["Date"] = sender, to, subject, date
    mail["Message-ID"] = f"<{content_hash([sender, date, subject, words])[:32]}@{sender.partition('@')[2]}>"
    if about is not None:
        mail["In-Reply-To"] = mail["References"] = f"<{about}>"
    mail.set_content(words)
    return mail


def _dated(original: bytes) -> tuple[str, str]:
    """Its Date and its Message-ID without brackets."""
    headers = BytesHeaderParser().parsebytes(original)
    return str(headers["Date"]), str(headers["Message-ID"]).strip("<> ")
