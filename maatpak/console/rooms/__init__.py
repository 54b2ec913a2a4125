"""The rooms of the console: each declares its listings, sheets and acts, and draws its own sheets."""

from maatpak.console.rooms.account import ACCOUNT
from maatpak.console.rooms.approvals import APPROVALS
from maatpak.console.rooms.audit import AUDIT
from maatpak.console.rooms.calls import CALLS
from maatpak.console.rooms.customers import CUSTOMERS
from maatpak.console.rooms.items import ITEM_LISTS
from maatpak.console.rooms.journeys import JOURNEYS
from maatpak.console.rooms.messages import MESSAGES
from maatpak.console.rooms.mine import MINE
from maatpak.console.rooms.operations import OPERATIONS
from maatpak.console.rooms.people import PEOPLE
from maatpak.console.rooms.today import TODAY
from maatpak.console.rooms.webhooks import WEBHOOKS
from maatpak.console.rooms.work import WORK

ROOMS = (
    *(TODAY, APPROVALS, WORK, CALLS, CUSTOMERS, MINE, MESSAGES, ITEM_LISTS),
    *(JOURNEYS, OPERATIONS, AUDIT, PEOPLE, WEBHOOKS, ACCOUNT),
)
"""In the order of the menu."""
