"""Calls: the list in the order in which they are worth making, the screen of one call, and results in two clicks."""

from maatpak.console.frame.declared import Room, Sheet
from maatpak.console.rooms.calls.acts import ACTS
from maatpak.console.rooms.calls.listing import OPEN_CALLS
from maatpak.console.rooms.calls.sheets import MINE, ONE, PATH, CallScreen, WorkList, read_call, read_list

CALLS = Room(
    name="calls",
    title="Calls",
    path=PATH,
    listings=(OPEN_CALLS,),
    sheets=(
        Sheet(
            PATH,
            "Calls",
            "The calls that are due, by who may be rung now and by what is at risk.",
            WorkList,
            read_list,
            "calls.html",
            query={
                "creditor": "Code of a creditor.",
                "whose": "`mine`: without what is somebody else's; `all`. A collector sees `mine` unless told.",
                "skip": "How many of the list to leave out.",
            },
        ),
        Sheet(
            ONE,
            "Call",
            "All that is known for one call, and the results that it may have.",
            CallScreen,
            read_call,
            "call.html",
            query={
                "side": "`inbound`: they rang us; `asked`: they asked for a call at this time.",
                "at": "When it was made today, as HH:MM where the creditor is.",
            },
        ),
    ),
    acts=ACTS,
    waiting=f"""
SELECT count(*) FROM work_task t JOIN creditor c ON c.id = t.creditor_id
WHERE t.creditor_id = ANY(:creditors) AND t.kind = 'call' AND t.state = 'open' AND t.due_on <= c.business_date
  AND {MINE}
""",  # noqa: S608 - a word of our own
)
