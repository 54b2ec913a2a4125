"""The earlier notices that a message may speak of, and whether anything was heard since (rules 8 and 21)."""

from collections.abc import Sequence

from maatpak.kernel.calendars import working_days_between
from maatpak.kernel.words import LOST_EVIDENCE, QUIET_DAYS, Channel, EvidenceKind, StepKind
from tasks.compose.reading import Material, Row
from tasks.compose.spelling import joined
from tasks.compose.subject import Subject

NOTICES = frozenset({StepKind.MESSAGE, StepKind.PLAN_OFFER})
ANSWERS = frozenset({str(EvidenceKind.ANSWERED), str(EvidenceKind.SPOKEN)})
MOST_EARLIER = 3


def earlier_notices(material: Material, subject: Subject) -> tuple[list[Row], Row | None]:
    """Earlier notices of these items of which there is evidence; without any, the last one there was.

    Copies, thanks and confirmations are no notices (rules 8 and 21).
    """
    notices = _notices(material, subject)
    proven = [each for each in notices if _received(each, subject)][-MOST_EARLIER:]
    if proven and not _asked_in_all(subject, proven):
        proven = proven[-1:]  # they were about different items, and are told in one breath
    return proven, None if proven or not notices else notices[-1]


def earlier_about(subject: Subject, proven: Sequence[Row], word_for_and: str) -> str:
    """The documents that the earlier notices named, where these are not all of today's (rule 8)."""
    named = _asked_in_all(subject, proven) if proven else set()
    about = [item["document_no"] for item in subject.items if item["item_id"] in named]
    return joined(about, word_for_and) if len(about) < len(subject.items) else ""


def _notices(material: Material, subject: Subject) -> list[Row]:
    asked = {item["item_id"] for item in subject.items}
    return [
        each
        for action in subject.actions
        for each in material.earlier.get(action["case_id"], ())
        if each["written"] and each["kind"] in NOTICES and asked.intersection(each["item_ids"] or ())
    ]


def was_heard(material: Material, subject: Subject) -> bool:
    """Whether a word or money came since we first wrote of these items, from the customer or from who pays for it.

    In doubt it did: what is said of silence is to be true (rule 8).
    """
    if any(item["open_amount"] < item["amount"] for item in subject.items):
        return True
    notices = _notices(material, subject)
    if any(ANSWERS.intersection(each["observed"].split(",")) for each in notices):
        return True
    debtor_id = subject.actions[0]["debtor_id"]
    people = (debtor_id, material.payers.get(debtor_id, debtor_id))
    heard = [material.heard[each] for each in people if each in material.heard]
    return any(heard_on >= min((each["sent_on"] for each in notices), default=heard_on) for heard_on in heard)


def _asked_in_all(subject: Subject, notices: Sequence[Row]) -> set[int]:
    """The items of today that each of the notices named."""
    asked: set[int] = {item["item_id"] for item in subject.items}
    return asked.intersection(*(each["item_ids"] or () for each in notices))


def _received(message: Row, subject: Subject) -> bool:
    """Whether there is evidence that a message arrived."""
    observed = {EvidenceKind(each) for each in message["observed"].split(",") if each}
    if observed & LOST_EVIDENCE:
        return False
    if observed - {EvidenceKind.ACCEPTED}:
        return True
    silent = working_days_between(message["sent_on"], subject.as_of, subject.customer.country)
    return silent >= QUIET_DAYS[Channel(message["channel"])]
