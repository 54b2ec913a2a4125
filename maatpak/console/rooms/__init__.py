"""The rooms of the console: each declares its listings, sheets and acts, and draws its own sheets."""

from maatpak.console.rooms.account import ACCOUNT
from maatpak.console.rooms.customers import CUSTOMERS
from maatpak.console.rooms.items import ITEM_LISTS
from maatpak.console.rooms.messages import MESSAGES
from maatpak.console.rooms.people import PEOPLE
from maatpak.console.rooms.today import TODAY
from maatpak.console.rooms.webhooks import WEBHOOKS

ROOMS = (TODAY, CUSTOMERS, MESSAGES, PEOPLE, WEBHOOKS, ACCOUNT, ITEM_LISTS)
"""In the order of the menu."""
