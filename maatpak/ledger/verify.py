"""Is the chain of events whole? Every fault is found and named: changed, removed, swapped, inserted, cut off.

What a row holds is hashed again and compared with its hash, its place in the chain, the head row, and the anchors
outside the database. A fault is named by trying what would explain it: a row that fits at another place was moved.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from maatpak.ledger.anchors import Anchor
from maatpak.ledger.audit import GENESIS, HASHED, event_hash
from maatpak.ledger.database import Database
from maatpak.ledger.store import KEY, EvidenceStore

BATCH = 5_000
MOST_COMPARED = 200
"""So many misfits are compared with each other to explain them; of more, only with their neighbours."""

NEIGHBOURS = (-1, 1, -2, 2, -3, 3)

NAMED_EVIDENCE = (
    "SELECT 'tick', id, frame.value FROM tick, jsonb_each_text(to_jsonb(tick)) AS frame"
    r" WHERE frame.key LIKE '%\_evidence'"
    " UNION ALL SELECT 'message', id, content FROM message"
    " UNION ALL SELECT 'snapshot', id, report FROM snapshot WHERE report IS NOT NULL"
    " UNION ALL SELECT 'snapshot', id, key FROM snapshot, jsonb_array_elements_text("
    "   CASE WHEN evidence LIKE '[%' THEN evidence::jsonb ELSE to_jsonb(ARRAY[evidence]) END) AS key"
    " UNION ALL SELECT 'placement', id, dossier FROM placement"
    " UNION ALL SELECT 'answer', id, content FROM answer WHERE content IS NOT NULL"
)
"""Every evidence key that a row names: table, id, key."""


@dataclass(frozen=True)
class Fault:
    """Something is wrong with an event: its number, a stable code, and a sentence."""

    code: str
    seq: int | None
    message: str


@dataclass
class Verification:
    """What a verification found."""

    events: int = 0
    last_seq: int = 0
    anchored_seq: int = 0
    evidence_files: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong. A tail without an anchor is not wrong, only not proven yet."""
        return not self.faults

    @property
    def unanchored(self) -> int:
        """How many events at the end no anchor covers."""
        return max(0, self.last_seq - self.anchored_seq)


Row = dict[str, Any]


def verify(database: Database, anchors: Sequence[Anchor], store: EvidenceStore | None) -> Verification:
    """Look at every event, the head, the anchors and, with a store, every evidence file that is named."""
    found = Verification(anchored_seq=max((anchor.seq for anchor in anchors), default=0))
    walk = _Walk({anchor.seq: anchor for anchor in anchors})
    keys: dict[str, str] = {}
    with database.reading() as session:
        connection = session.connection()
        head_seq, head_hash = connection.execute(text("SELECT seq, hash FROM event_head")).one()
        rows = connection.execution_options(yield_per=BATCH).execute(text("SELECT * FROM event ORDER BY seq"))
        for row in rows.mappings():
            event = dict(row)
            walk.visit(event)
            if store is not None:
                keys.update((key, f"event {event['seq']}") for key in _keys_in(event["body"]))
        if store is not None:
            named = connection.execute(text(NAMED_EVIDENCE))
            keys.update((key, f"{table} {row_id}") for table, row_id, key in named if KEY.fullmatch(key))
    found.events, found.last_seq = walk.count, walk.last_seq
    found.faults += walk.faults(int(head_seq), str(head_hash))
    for key, owner in sorted(keys.items()):
        found.evidence_files += 1
        problem = store.problem(key) if store is not None else None
        if problem is not None:
            found.faults.append(Fault("evidence", None, f"Evidence {key}, named by {owner}, {problem}."))
    return found


class _Walk:
    """Goes over the events once, in order, and keeps what does not fit."""

    def __init__(self, anchors: Mapping[int, Anchor]) -> None:
        self._anchors = anchors
        self._seen_anchors: set[int] = set()
        self.count = 0
        self.last_seq = 0
        self._last_hash: str | None = GENESIS
        """None after a row that does not have its hash: it is a fault already, and says nothing of the next."""
        self._misfits: list[Row] = []
        self._found: list[Fault] = []

    def visit(self, event: Row) -> None:
        """The next event."""
        seq, fits = event["seq"], event_hash(event) == event["hash"]
        self.count += 1
        if not fits:
            self._misfits.append(event)
        if seq > self.last_seq + 1:
            self._found.append(_removed(self.last_seq + 1, seq - 1))
        elif seq < 1:
            self._found.append(Fault("inserted", seq, f"Event {seq} was inserted: the first number is 1."))
        elif fits and self._last_hash not in (None, event["previous_hash"]):
            self._found.append(_unchained(event, self._last_hash))
        anchor = self._anchors.get(seq)
        if anchor is not None:
            self._seen_anchors.add(seq)
            if anchor.hash != event["hash"]:
                self._found.append(_against_anchor(anchor))
        self.last_seq, self._last_hash = seq, event["hash"] if fits else None

    def faults(self, head_seq: int, head_hash: str) -> list[Fault]:
        """Every fault, by number, the head's and the end's included."""
        faults = [*self._found, *_explained(self._misfits)]
        cut = [anchor for seq, anchor in self._anchors.items() if seq > self.last_seq]
        if cut:
            last = max(cut, key=lambda anchor: anchor.seq)
            message = (
                f"{_events(self.last_seq + 1, last.seq)} cut off: {last.seq} was anchored at {last.at.isoformat()}."
            )
            faults.append(Fault("cut_off", self.last_seq + 1, message))
        if head_seq < self.last_seq:
            message = f"{_events(head_seq + 1, self.last_seq)} inserted behind the head, or the head set back."
            faults.append(Fault("head", head_seq, message))
        elif head_seq > self.last_seq:
            message = f"The head names event {head_seq}, the last one there is {self.last_seq}."
            faults.append(Fault("head", head_seq, message))
        elif self._last_hash not in (None, head_hash):
            message = f"The head's hash is not that of event {self.last_seq}: one of the two was changed."
            faults.append(Fault("head", head_seq, message))
        return sorted(faults, key=lambda fault: (fault.seq or 0, fault.code))


def _explained(misfits: Sequence[Row]) -> Iterator[Fault]:
    """Why rows do not have the hash they carry: moved, exchanged, or changed."""
    candidates = {row["seq"]: row for row in misfits} if len(misfits) <= MOST_COMPARED else {}
    origins = {row["seq"]: _origin(row, candidates) for row in misfits}
    told: set[int] = set()
    for row in misfits:
        seq = row["seq"]
        if seq in told:
            continue
        origin = origins.get(seq)
        if origin is None:
            yield Fault("changed", seq, f"Event {seq} ({row['kind']}) was changed: it does not have its hash.")
        elif origins.get(origin) == seq:
            told.add(origin)
            yield Fault("swapped", seq, f"Events {seq} and {origin} were swapped.")
        else:
            run = _run_of(seq, origin - seq, origins)
            told.update(run)
            last = run[-1]
            if origin < seq:
                message = f"An event was inserted before {seq}: {seq} to {last} moved by {seq - origin}."
                yield Fault("inserted", seq, message)
            else:
                message = f"An event was removed before {seq}: {seq} to {last} moved by {origin - seq}."
                yield Fault("removed", seq, message)


def _run_of(seq: int, shift: int, origins: Mapping[int, int | None]) -> list[int]:
    """The unbroken row of events that were moved by the same number."""
    run = [seq]
    while origins.get(run[-1] + 1) == run[-1] + 1 + shift:
        run.append(run[-1] + 1)
    return run


def _origin(row: Row, misfits: Mapping[int, Row]) -> int | None:
    """The number under which this row, or its content, would be right; None if there is none."""
    seq = int(row["seq"])
    for number in (*(seq + step for step in NEIGHBOURS), *misfits):
        if number != seq and event_hash({**row, "seq": number}) == row["hash"]:
            return number
    for number, other in misfits.items():
        place = {name: other[name] for name in ("seq", "previous_hash")}
        if number != seq and event_hash({**{name: row[name] for name in HASHED}, **place}) == other["hash"]:
            return number
    return None


def _unchained(event: Row, expected: str | None) -> Fault:
    seq = event["seq"]
    if expected == GENESIS:
        return Fault("changed", seq, f"Event {seq} ({event['kind']}) was changed: it does not begin the chain.")
    message = (
        f"Event {seq} ({event['kind']}) does not follow event {seq - 1}: one of the two was changed and hashed anew,"
        " or one between them removed."
    )
    return Fault("changed", seq, message)


def _against_anchor(anchor: Anchor) -> Fault:
    message = (
        f"Event {anchor.seq} is not the one that was anchored at {anchor.at.isoformat()}: it, or one before it, was"
        " changed and the chain hashed anew."
    )
    return Fault("anchor", anchor.seq, message)


def _removed(first: int, last: int) -> Fault:
    return Fault("removed", first, f"{_events(first, last)} removed: the numbers are missing.")


def _events(first: int, last: int) -> str:
    return f"Event {first} was" if first == last else f"Events {first} to {last} were"


def _keys_in(value: Any) -> Iterator[str]:
    """Every evidence key in an event's body, however deep."""
    if isinstance(value, str):
        if KEY.fullmatch(value):
            yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _keys_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _keys_in(each)
