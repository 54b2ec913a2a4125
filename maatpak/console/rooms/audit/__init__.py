"""Audit: what happened, why somebody got a letter, whether history is whole, and dossiers to take along."""

from maatpak.console.frame.declared import Act, Paper, Room, Sheet
from maatpak.console.frame.fields import NoFields
from maatpak.console.rooms.audit.dossiers import ZIP, DossiersSheet, read_dossiers, take_dossier
from maatpak.console.rooms.audit.letter import LetterSheet, read_letter
from maatpak.console.rooms.audit.proofs import (
    ChainSheet,
    Day,
    ProofSheet,
    days,
    read_chain,
    read_proof,
    replay,
    verify,
)
from maatpak.console.rooms.audit.searching import (
    BEFORE,
    QUERY,
    EventSheet,
    EventsSheet,
    export_events,
    read_event,
    read_events,
)
from tasks.rights import AUDITORS

PATH = "/audit"
CHAIN = PATH + "/chain"

AUDIT = Room(
    name="audit",
    title="Audit",
    path=PATH,
    sheets=(
        Sheet(
            PATH,
            "Events",
            "What happened, the newest first: by whom, about whom, on which grounds.",
            EventsSheet,
            read_events,
            "audit_events.html",
            AUDITORS,
            query={**QUERY, "before": BEFORE},
        ),
        Sheet(
            PATH + "/events/{seq}",
            "Event",
            "One event whole, and how it hangs in the chain.",
            EventSheet,
            read_event,
            "audit_event.html",
            AUDITORS,
        ),
        Sheet(
            PATH + "/messages/{message_id}",
            "Why this letter?",
            "Why a customer got a message: from the rule and the facts of that day to the proof of delivery.",
            LetterSheet,
            read_letter,
            "audit_letter.html",
            AUDITORS,
        ),
        Sheet(
            CHAIN,
            "The chain",
            "Whether history is whole: the last proofs, and what they found.",
            ChainSheet,
            read_chain,
            "audit_chain.html",
            AUDITORS,
            query={"run": "Id of a run whose proof is waited for."},
        ),
        Sheet(
            CHAIN + "/{seq}",
            "Proof",
            "One proof of the chain or of a past day, with all that it found.",
            ProofSheet,
            read_proof,
            "audit_proof.html",
            AUDITORS,
        ),
        Sheet(
            "/debtors/{debtor_id}/dossiers",
            "Dossiers",
            "Which dossiers of a customer left the house, with their seals, and how one is verified.",
            DossiersSheet,
            read_dossiers,
            "audit_dossiers.html",
            AUDITORS,
        ),
    ),
    papers=(
        Paper(
            PATH + ".csv",
            "Events as a file",
            "The newest events that fit, at most 5,000, as CSV.",
            ("text/csv",),
            export_events,
            AUDITORS,
            query=QUERY,
        ),
    ),
    acts=(
        Act(
            CHAIN + "/verify",
            "Verify now",
            "Every event, the anchors and every evidence file are looked at, in the background.",
            NoFields,
            verify,
            AUDITORS,
            outside=True,
        ),
        Act(
            CHAIN + "/replay",
            "Replay a day",
            "Facts and decisions of a past day are computed again from what was known then, and compared with what was"
            " stored; nothing is changed.",
            Day,
            replay,
            AUDITORS,
            outside=True,
            choices=days,
        ),
        Act(
            "/debtors/{debtor_id}/dossier",
            "Export a dossier",
            "Everything on the customer is put into an archive with its checksums; that you took it is kept for good."
            " It holds personal data.",
            NoFields,
            take_dossier,
            AUDITORS,
            file=ZIP,
        ),
    ),
)
