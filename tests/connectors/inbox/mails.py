"""Mails for the tests, written for them."""

OURS = "debiteuren@maatwerk.example"
THEIRS = "inkoop@klant.example"
ABOUT = "m-4711@maatwerk.example"
ORIGINAL = f"From: <{OURS}>\nTo: <{THEIRS}>\nSubject: Herinnering\nMessage-ID: <{ABOUT}>\n\nGeachte heer, mevrouw,\n"


def mail(body: str, *, sender: str = THEIRS, subject: str = "Re: Herinnering", more: str = "") -> bytes:
    """A plain mail to us; `more` are further headers, a line each."""
    head = f"From: {sender}\nTo: {OURS}\nSubject: {subject}\nMessage-ID: <a1@klant.example>\n"
    kind = "" if "Content-Type" in more else "Content-Type: text/plain; charset=utf-8\n"
    extra = f"{more.strip()}\n" if more else ""
    return f"{head}{extra}{kind}Content-Transfer-Encoding: 8bit\n\n{body}".encode()


def daemon(body: str, *, subject: str = "Undelivered Mail Returned to Sender", more: str = "") -> bytes:
    """A plain bounce of a mail system."""
    return mail(
        body,
        sender="MAILER-DAEMON@mx.example (Mail Delivery System)",
        subject=subject,
        more=f"Return-Path: <>\n{more}",
    )


def multipart(kind: str, *parts: tuple[str, str]) -> tuple[str, str]:
    """The Content-Type header and the body of parts, each a media type (with its further headers) and a content."""
    inner = "".join(f"--grens\nContent-Type: {media}\n\n{content}\n" for media, content in parts)
    return f'Content-Type: multipart/{kind}; boundary="grens"', f"{inner}--grens--\n"


def report(fields: str, *, text: str = "This is a report.", original: str = ORIGINAL, media: str = "") -> bytes:
    """A report after RFC 3464 on one message; `fields` are those of the recipients."""
    told = f"Reporting-MTA: dns; mx.example\n\n{fields}"
    kind, body = multipart(
        "report; report-type=delivery-status",
        ("text/plain; charset=utf-8", text),
        (media or "message/delivery-status", told),
        ("message/rfc822", original),
    )
    return mail(body, sender="postmaster@mx.example", subject="Delivery Status Notification", more=kind)
