"""The table of deployments: what runs when, for each creditor and segment.

The table gives a deployment its first schedule. From then on the schedule belongs to the people who operate: what they
pause, reschedule or change on Prefect's page outlives every restart (`deployments.serve`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from maatpak.ledger.tables import Case, Creditor, CreditorPack, Round, RoundCourse
from tasks.engine import Engine

MORNING = "0 6 * * 1-5"
"""The day itself, when the ledger of the night is in."""

OFFICE_HOURS = "30 9,11,13,15 * * 1-5"
"""What people approved since the morning."""

QUARTERS = "*/15 8-18 * * 1-5"
"""What waits in the outbox; each message keeps its own send window."""

FIVES = "*/5 * * * *"
"""A reply keeps everybody silent, so it is not left lying."""

NIGHT = "0 2 * * *"
"""When nobody works: the proof that nothing was changed looks at everything."""

TAG = "maatpak"


@dataclass(frozen=True)
class Planned:
    """One deployment as the table wants it when it is new."""

    flow: str
    """Module path of the flow."""
    name: str
    description: str
    parameters: Mapping[str, Any]
    tags: tuple[str, ...]
    time_zone: str
    cron: str | None = None
    """First schedule, in the creditor's zone; none: started by hand or by an event."""


INTAKE = Planned(
    flow="flows.ingest.ingest",
    name="ledger",
    description="A ledger's files through the quality gate. Start it with the files, their source and the date; the"
    " source knows whose ledger it is.",
    parameters={},
    tags=(TAG,),
    time_zone="UTC",
)
"""One for all creditors, and there before the first one is: an import may bring it."""


RECEIVING = Planned(
    flow="flows.receive.receive",
    name="mailbox",
    description="What came in by mail: reports and replies, put on the cases that they are about.",
    parameters={},
    tags=(TAG,),
    time_zone="UTC",
    cron=FIVES,
)
"""One for all creditors: they share a mailbox, and each mail tells whose it is."""


PROVING = Planned(
    flow="flows.audit.audit",
    name="chain",
    description="Whether history is whole: the chain of events, its anchors, every evidence file. With kind replay, a"
    " creditor and a date it recomputes that day instead.",
    parameters={"kind": "verify"},
    tags=(TAG,),
    time_zone="UTC",
    cron=NIGHT,
)
"""One for all creditors: they share a chain."""


def planned_for(code: str, time_zone: str, segments: Iterable[str]) -> list[Planned]:
    """The deployments of one creditor."""
    day = Planned(
        flow="flows.daily.daily",
        name=code,
        description="The whole day of a creditor: records settled, cases decided, every journey run, messages sent.",
        parameters={"creditor": code},
        tags=(TAG, code),
        time_zone=time_zone,
        cron=MORNING,
    )
    delivery = Planned(
        flow="flows.deliver.deliver",
        name=code,
        description="What waits in the outbox, sent within each message's window.",
        parameters={"creditor": code},
        tags=(TAG, code),
        time_zone=time_zone,
        cron=QUARTERS,
    )
    onward = Planned(
        flow="flows.onward.onward",
        name=code,
        description="What people decided, carried on within seconds: approved steps, and what follows from what was"
        " recorded. Started by each such act; while this deployment is paused, they wait for the next day.",
        parameters={"creditor": code},
        tags=(TAG, code),
        time_zone=time_zone,
    )
    journeys = [
        Planned(
            flow="flows.segment.segment",
            name=f"{code}-{each}",
            description=f"The journeys of segment {each}: acts on what was approved since the morning."
            " While this deployment is paused, the daily run leaves the segment out, too.",
            parameters={"creditor": code, "segment": each},
            tags=(TAG, code, each),
            time_zone=time_zone,
            cron=OFFICE_HOURS,
        )
        for each in segments
    ]
    return [day, onward, *journeys, delivery]


def table(engine: Engine) -> list[Planned]:
    """What all share, and each creditor's: the segments of its pack, and of packs that its open rounds still follow."""
    with engine.database.reading() as session:
        creditors: Sequence[Creditor] = session.exec(select(Creditor).order_by(Creditor.code)).all()
        current = select(CreditorPack.creditor_id, CreditorPack.pack_id).where(col(CreditorPack.replaced_at).is_(None))
        followed = (
            select(Case.creditor_id, RoundCourse.pack_id)
            .join(Round, col(Round.case_id) == Case.id)
            .join(RoundCourse, col(RoundCourse.round_id) == Round.id)
            .where(col(Round.closed_at).is_(None), col(RoundCourse.replaced_at).is_(None))
            .distinct()
        )
        packs = sorted({*session.exec(current).all(), *session.exec(followed).all()})
    planned = [INTAKE, RECEIVING, PROVING]
    for creditor in creditors:
        segments = dict.fromkeys(
            segment for owner, pack_id in packs if owner == creditor.id for segment in engine.pack(pack_id).journeys
        )
        planned += planned_for(creditor.code, creditor.time_zone, segments)
    return planned
