"""Tickets: a complaint or an undelivered order is somebody else's file that stops our notices (rule 27)."""

from sqlmodel import col, select

from maatpak.kernel.errors import UsageError
from maatpak.ledger.tables import Debtor, Ticket
from maatpak.ledger.versions import succeed
from tasks.desk import Desk
from tasks.rights import DESK

TICKET_KINDS = ("complaint", "undelivered_order", "query")


def open_ticket(desk: Desk, debtor: Debtor, kind: str, *, ticket_no: str | None = None) -> Ticket:
    """A ticket of a debtor; the one with that number, if it is open already."""
    desk.require("record a ticket", *DESK)
    if kind not in TICKET_KINDS:
        raise UsageError(f"{kind!r} is no kind of ticket.", advice=f"One of: {', '.join(TICKET_KINDS)}.")
    if ticket_no is not None:
        present = _current(desk, debtor, ticket_no)
        if present is not None and present.closed_on is None:
            return present
        if present is not None:
            raise UsageError(f"Ticket {ticket_no} is closed.", advice="Give the new ticket another number.")
    ticket = Ticket(
        debtor_id=int(debtor.id or 0),
        ticket_no=ticket_no or desk.number("ticket", "T"),
        kind=kind,
        opened_on=desk.as_of,
        actor=desk.person.login,
        valid_from=desk.as_of,
        recorded_at=desk.now,
    )
    desk.session.add(ticket)
    desk.session.flush()
    desk.record("ticket_opened", debtor_id=debtor.id, ticket=ticket.ticket_no, ticket_kind=kind)
    return ticket


def close_ticket(desk: Desk, debtor: Debtor, ticket_no: str) -> Ticket:
    """The matter is dealt with; notices may go on."""
    desk.require("close a ticket", *DESK)
    ticket = _current(desk, debtor, ticket_no)
    if ticket is None or ticket.closed_on is not None:
        raise UsageError(f"There is no open ticket {ticket_no!r} of that debtor.", advice="See `maatpak ticket list`.")
    closed = succeed(desk.session, ticket, desk.as_of, desk.now, closed_on=desk.as_of, actor=desk.person.login)
    desk.record("ticket_closed", debtor_id=debtor.id, ticket=ticket_no)
    return closed


def _current(desk: Desk, debtor: Debtor, ticket_no: str) -> Ticket | None:
    return desk.session.exec(
        select(Ticket).where(
            Ticket.debtor_id == debtor.id, Ticket.ticket_no == ticket_no, col(Ticket.replaced_at).is_(None)
        )
    ).first()
