"""Notes: what somebody of ours wants the next person to know of a case. The engine neither reads nor obeys them.

The words lie in a row that can be erased; the event keeps their salted hash (law 10).
"""

from maatpak.kernel.errors import UsageError
from maatpak.kernel.ids import salted_hash
from maatpak.ledger.tables import Case, CaseNote
from tasks.desk import Desk
from tasks.rights import DESK

LONGEST = 4_000
"""Characters of a note; what is longer is a document."""


def write_note(desk: Desk, case: Case, body: str) -> CaseNote:
    """A note on the case. It is never changed: what was wrong is put right by another one.

    Raises:
        RefusedError: the role only reads.
        UsageError: there are no words, or too many.
    """
    desk.require("write a note", *DESK)
    words = body.strip()
    if not 0 < len(words) <= LONGEST:
        raise UsageError(f"A note has 1 to {LONGEST} characters, not {len(words)}.", advice="Say it in a few lines.")
    note = CaseNote(
        case_id=int(case.id or 0), body=words, written_on=desk.as_of, actor=desk.person.login, recorded_at=desk.now
    )
    desk.session.add(note)
    desk.session.flush()
    desk.session.refresh(note)
    desk.record("note_written", case=case, note=note.id, content=salted_hash(words, note.salt))
    return note
