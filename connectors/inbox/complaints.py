"""Complaints: feedback reports (RFC 5965), and Microsoft's, which only forward the message."""

from connectors.inbox.parts import Mail, address


def is_complaint(mail: Mail) -> bool:
    """Whether the recipient's provider passes on that a message was called spam."""
    if mail.of_kind("message/feedback-report"):
        return True
    forwards = bool(mail.of_kind("message/rfc822"))
    return (
        forwards
        and address(mail.first("from")) == "staff@hotmail.com"
        and mail.first("subject").lower().startswith("complaint about message from")
    )
