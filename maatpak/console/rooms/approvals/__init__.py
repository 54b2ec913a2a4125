"""Approvals: what is proposed and needs a person's yes, each with its whole case in view (laws 5 and 9)."""

from maatpak.console.frame.declared import Paper, Room, Sheet
from maatpak.console.rooms.approvals.acts import ACTS
from maatpak.console.rooms.approvals.checks import CHECKS
from maatpak.console.rooms.approvals.listings import COUNT, ONE, PATH, VERDICTS, WAITING
from maatpak.console.rooms.approvals.seen import Approval, Batch, Inbox
from maatpak.console.rooms.approvals.sheets import read_approval, read_batch, read_inbox, read_letter, read_mail

FILTERS = {each.key: each.title for each in WAITING.filters}
PAGING = {
    "creditor": "Code of a creditor.",
    "sort": "amount or proposed_on, with a `-` in front for descending order.",
    "after": "Where to go on: `after` of the page before.",
    "size": "Rows of a page.",
}

APPROVALS = Room(
    name="approvals",
    title="Approvals",
    path=PATH,
    listings=(WAITING, VERDICTS),
    sheets=(
        Sheet(
            PATH,
            "Approvals",
            "Steps that need a person's yes, the largest amount first; and which of them you may decide.",
            Inbox,
            read_inbox,
            "approvals.html",
            query={**FILTERS, **PAGING},
        ),
        Sheet(
            PATH + "/batch",
            "A batch",
            "What one yes would approve, its sum by currency, and everything that is left out and why.",
            Batch,
            read_batch,
            "approval_batch.html",
            query={"action": "Numbers of actions, with commas between."},
        ),
        Sheet(
            ONE,
            "Approval",
            "A proposed step with the whole case in view: what it says, what was said before, and what happens if not.",
            Approval,
            read_approval,
            "approval.html",
        ),
    ),
    papers=(
        Paper(
            ONE + "/messages/{number}/mail",
            "A mail as it would look",
            "The mail's own page, by its place from 1 on.",
            ("text/html",),
            read_mail,
        ),
        Paper(
            ONE + "/messages/{number}/letter.pdf",
            "A letter as it would be printed",
            "The letter as PDF, by its place from 1 on.",
            ("application/pdf",),
            read_letter,
        ),
    ),
    acts=(*ACTS, *CHECKS),
    waiting=COUNT,
)
