"""Published packs: their files word for word, hashed and immutable; a new round takes the newest of its creditor."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlmodel import Session, col, func, select

from maatpak.kernel.errors import UsageError
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import PolicyPack
from policies.templates import checked_pack


def publish_pack(
    session: Session, name: str, files: Mapping[str, str], note: str, actor: str, on: date, now: datetime
) -> PolicyPack:
    """The next version of a pack, checked whole; the same files again are the pack that is there already.

    Raises:
        PolicyError: the pack does not hold; its `problems` are all there are.
    """
    compiled = checked_pack(files)
    present = session.exec(select(PolicyPack).where(PolicyPack.content_hash == compiled.content_hash)).first()
    if present is not None:
        return present
    last = session.exec(select(func.max(col(PolicyPack.version))).where(PolicyPack.name == name)).one()
    pack = PolicyPack(
        name=name,
        version=(last or 0) + 1,
        content_hash=compiled.content_hash,
        files=dict(files),
        note=note,
        published_by=actor,
        published_on=on,
        recorded_at=now,
    )
    session.add(pack)
    session.flush()
    body = {"pack": name, "version": pack.version, "pack_id": pack.id}
    draft = EventDraft("policy_published", actor, business_date=on, policy_hash=pack.content_hash, body=body)
    append_events(session, [draft], now)
    return pack


def load_pack_files(session: Session, pack_id: int) -> dict[str, str]:
    """The files of a published pack: path inside the pack → text.

    Raises:
        UsageError: there is no such pack.
    """
    pack = session.get(PolicyPack, pack_id)
    if pack is None:
        raise UsageError(f"There is no policy pack {pack_id}.", advice="`maatpak policy publish` makes one.")
    return dict(pack.files)
