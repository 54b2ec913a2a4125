"""Mails that arrive in a test's mailbox."""

from itertools import count

from connectors.inbox.maildir import drop_mail
from connectors.mail import return_path
from tests.tasks.outbox_world import House

ACTIONS = {"2": "delivered", "4": "delayed", "5": "failed"}
"""What a mail server did, by the first digit of its reply."""
OURS = "debiteuren@zuidermeer.example"
_numbers = count(1)


def arrives(house: House, path: str, to: str, content: bytes) -> None:
    """A mail comes in, from an envelope's sender."""
    drop_mail(house.engine.workspace.sinks / "incoming", path, to, content)


def writes(house: House, sender: str, words: str = "We pay on Friday.", **headers: str) -> None:
    """A customer, or a machine of theirs, writes to the creditor."""
    told = {"From": sender, "Subject": "Re: your invoice", "Message-ID": f"<{next(_numbers)}@there.example>", **headers}
    lines = [*(f"{name.replace('_', '-')}: {value}" for name, value in told.items()), "", words, ""]
    arrives(house, sender, OURS, "\r\n".join(lines).encode())


def reported(house: House, message_ref: str, recipient: str, *replies: str) -> None:
    """A mail server reports what it did with a message: `550 5.1.1 no such user`."""
    reported_of(house, message_ref, *((recipient, reply) for reply in replies))


def reported_of(house: House, message_ref: str, *told: tuple[str, str]) -> None:
    """The same in one mail, of several recipients, each with what the server did for it."""
    lines = [
        "From: Mail Delivery System <MAILER-DAEMON@mx.example>",
        "Subject: Delivery Status Notification",
        f"Message-ID: <{next(_numbers)}@mx.example>",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example",
    ]
    for recipient, reply in told:
        lines += [
            "",
            f"Final-Recipient: rfc822; {recipient}",
            f"Action: {ACTIONS[reply[0]]}",
            f"Status: {reply.split()[1]}",
            f"Diagnostic-Code: smtp; {reply}",
        ]
    arrives(house, "", by_return_path(house, message_ref), "\r\n".join([*lines, "", "--b--", ""]).encode())


def by_return_path(house: House, message_ref: str) -> str:
    """The signed address that what comes back of a message comes to."""
    path = return_path(house.engine.settings, house.engine.link_key)
    assert path is not None
    return path.of(message_ref)


def complained(house: House, to: str, subject: str = "Complaint", original: str = "<1@ours.example>") -> None:
    """A mail service passes on that its customer called a message spam (RFC 5965)."""
    lines = [
        "From: abuse@mail.example",
        f"Subject: {subject}",
        f"Message-ID: <{next(_numbers)}@mail.example>",
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"',
        "",
        "--b",
        "Content-Type: message/feedback-report",
        "",
        "Feedback-Type: abuse",
        "Version: 1",
        "--b",
        "Content-Type: message/rfc822",
        "",
        f"Message-ID: {original}",
        "",
        "--b--",
        "",
    ]
    arrives(house, "abuse@mail.example", to, "\r\n".join(lines).encode())
