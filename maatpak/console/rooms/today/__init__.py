"""Today: the first page, and the figures on it explained."""

from maatpak.console.frame.declared import EVERYBODY, Room, Sheet
from maatpak.console.rooms.today.explained import Figure, read_figure
from maatpak.console.rooms.today.sheet import Today, read_today

CHOSEN = {"creditor": "Code of the creditor that is looked at; without it all that the visitor may see."}

TODAY = Room(
    name="today",
    title="Today",
    path="/",
    sheets=(
        Sheet(
            "/",
            "Today",
            "What waits for the visitor, how the money stands, how customers fare, and what is not as it should be.",
            Today,
            read_today,
            "today.html",
            EVERYBODY,
            CHOSEN,
        ),
        Sheet(
            "/figures/{name}",
            "Figure",
            "What a figure is, how it went, and what each part of it is made of.",
            Figure,
            read_figure,
            "figure.html",
            query=CHOSEN,
        ),
    ),
)
