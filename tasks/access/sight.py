"""Which creditors a person may see, and so act for. Who was given none in particular sees them all."""

from collections.abc import Sequence

from sqlalchemy import delete, text
from sqlmodel import Session, col, select

from maatpak.kernel.errors import RefusedError
from maatpak.ledger.database import Frames
from maatpak.ledger.literals import quoted
from maatpak.ledger.tables import Person, PersonCreditor

UNSEEN = """
SELECT c.code FROM unnest(ARRAY[{codes}]::text[]) AS c (code)
WHERE EXISTS (SELECT FROM person_creditor s JOIN person p ON p.id = s.person_id WHERE p.login = {login})
  AND NOT EXISTS (
    SELECT FROM person_creditor s JOIN person p ON p.id = s.person_id JOIN creditor n ON n.id = s.creditor_id
    WHERE p.login = {login} AND n.code = c.code)
ORDER BY c.code
"""


def require_sight(tx: Session | Frames, login: str, *codes: str) -> None:
    """Refuse whoever may not see one of the creditors.

    Raises:
        RefusedError: they may not; the words are the same for a creditor that there is not.
    """
    query = UNSEEN.format(codes=", ".join(map(quoted, codes)), login=quoted(login))
    if isinstance(tx, Session):
        unseen = tx.connection().execute(text(query.replace(":", "\\:"))).scalars().all()
    else:
        unseen = tx.read(query)["code"].to_list()
    if unseen:
        raise RefusedError(
            f"{login} may not see creditor {', '.join(unseen)}.",
            advice="An administrator gives it: `maatpak user change LOGIN --creditors …`.",
        )


def require_all_sight(session: Session, login: str) -> None:
    """Refuse whoever may see some creditors only.

    Raises:
        RefusedError: so they do.
    """
    given = select(PersonCreditor.creditor_id).join(Person).where(Person.login == login)
    if session.exec(given).first() is not None:
        raise RefusedError(f"{login} may not see every creditor.", advice="Name one that you see, or ask who sees all.")


def give_sight(session: Session, person_id: int, creditor_ids: Sequence[int]) -> None:
    """From now on the person sees these creditors; all of them, if none is named."""
    session.execute(delete(PersonCreditor).where(col(PersonCreditor.person_id) == person_id))
    session.add_all([PersonCreditor(person_id=person_id, creditor_id=each) for each in sorted(set(creditor_ids))])


def sees_by_login(session: Session) -> dict[str, list[str]]:
    """Login → codes of the creditors that they were given; who sees all is left out."""
    rows = session.connection().execute(
        text(
            "SELECT p.login, array_agg(c.code ORDER BY c.code) FROM person_creditor s"
            " JOIN person p ON p.id = s.person_id JOIN creditor c ON c.id = s.creditor_id GROUP BY p.login"
        )
    )
    return {login: list(codes) for login, codes in rows}
