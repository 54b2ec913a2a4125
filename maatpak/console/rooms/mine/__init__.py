"""My customers: what an account manager is told and asked of them before a customer is, and how to stop it."""

from maatpak.console.frame.declared import Room, Sheet
from maatpak.console.rooms.mine.acts import ACTS
from maatpak.console.rooms.mine.listing import ALL
from maatpak.console.rooms.mine.page import PATH, WHO, MinePage, read_mine

MINE = Room(
    name="mine",
    title="My customers",
    path=PATH,
    listings=(ALL,),
    sheets=(
        Sheet(
            PATH,
            "My customers",
            "What waits for the account manager, what customers will be sent soon, and where their accounts stand.",
            MinePage,
            read_mine,
            "mine.html",
            WHO,
            query={
                "creditor": "Code of a creditor.",
                "manager": "Login of the account manager; an account manager sees their own.",
            },
        ),
    ),
    acts=ACTS,
    waiting="""
SELECT count(*) FROM work_task t WHERE t.creditor_id = ANY(:creditors) AND t.state = 'open'
AND t.kind IN ('notice', 'consult') AND t.assignee = :login
""",
)
