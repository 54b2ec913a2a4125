"""The rooms of the console: each declares its listings, sheets and acts, and draws its own sheets."""

from maatpak.console.rooms.account import ACCOUNT
from maatpak.console.rooms.customers import CUSTOMERS
from maatpak.console.rooms.journeys import JOURNEYS
from maatpak.console.rooms.messages import MESSAGES
from maatpak.console.rooms.people import PEOPLE
from maatpak.console.rooms.webhooks import WEBHOOKS

ROOMS = (CUSTOMERS, MESSAGES, JOURNEYS, PEOPLE, WEBHOOKS, ACCOUNT)
"""In the order of the menu."""
