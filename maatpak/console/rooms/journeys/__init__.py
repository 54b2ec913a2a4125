"""Journeys: each segment's journey with its numbers, the packs that say so, and how one follows another."""

from maatpak.console.frame.declared import EVERYBODY, Room, Sheet
from maatpak.console.rooms.journeys import drafts, drawn, impact, packs
from maatpak.console.rooms.journeys.overview import JourneysSheet, read_journeys

PATH = "/journeys"
JOURNEYS = Room(
    name="journeys",
    title="Journeys",
    path=PATH,
    listings=(packs.PACKS_LIST, drafts.DRAFTS_LIST),
    sheets=(
        Sheet(
            PATH,
            "Journeys",
            "Each creditor's segments: customers, what is overdue, who is on the journey, and what blocks most.",
            JourneysSheet,
            read_journeys,
            "journeys.html",
            EVERYBODY,
            {"creditor": "Code of a creditor."},
        ),
        Sheet(
            PATH + "/{creditor}/{segment}",
            "Journey",
            "A segment's steps as they follow each other, with what stands at each and what passed through.",
            drawn.JourneySheet,
            drawn.read_journey,
            "segment.html",
            EVERYBODY,
            drawn.QUERY,
        ),
        Sheet(
            packs.PATH + "/{pack_id}",
            "Pack",
            "A published version, word for word.",
            packs.PackSheet,
            packs.read_pack,
            "pack.html",
            EVERYBODY,
            packs.FILE_QUERY,
        ),
        Sheet(
            packs.PATH + "/{pack_id}/compare",
            "Changes",
            "What changes from another version to this one: segments, rules, steps, limits and words.",
            packs.CompareSheet,
            packs.read_compare,
            "compare.html",
            EVERYBODY,
            packs.WITH_QUERY,
        ),
        Sheet(
            drafts.ONE,
            "Draft",
            "A pack that waits for a second person, and what it changes.",
            drafts.DraftSheet,
            drafts.read_draft,
            "draft.html",
            EVERYBODY,
        ),
        Sheet(
            drafts.ONE + "/impact",
            "Impact",
            "How today's real cases would fare with the draft. It is worked out when you ask, which may take seconds.",
            impact.ImpactPage,
            impact.read_impact,
            "impact.html",
            EVERYBODY,
            impact.QUERY,
        ),
    ),
    acts=drafts.ACTS,
    waiting=drafts.WAITING,
)
