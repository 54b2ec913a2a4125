"""Ways into the console for whoever looks at the demo: somebody of each role, with a password made just now."""

from datetime import datetime

from sqlmodel import col, select

from maatpak.demo.generate import HOUSES
from maatpak.demo.people import COLLECTORS, MANAGERS, login
from maatpak.demo.play import ADMINISTRATOR
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.tables import Credential, Person
from tasks.access.passwords import hashed, made_password
from tasks.engine import Engine

HERE = HOUSES[0]
NAMES = ("operator", COLLECTORS[0], "account1", *MANAGERS, "director", "auditor")
"""Of the first house, in the order in which a case meets them; two managers, for four eyes."""


def give_demo_logins(engine: Engine, now: datetime) -> list[tuple[str, str, str]]:
    """Login, role and password of somebody of each role, the administrator last; nothing is to be changed first.

    Whoever asks again gets other passwords, and those of before are worth nothing.
    """
    wanted = [*(login(HERE, name) for name in NAMES), ADMINISTRATOR]
    given, drafts = [], []
    with engine.database.session() as session:
        people = {person.login: person for person in session.exec(select(Person).where(col(Person.login).in_(wanted)))}
        for each in wanted:
            person, password = people[each], made_password()
            assert person.id is not None
            kept = hashed(password, engine.settings.password_memory)
            session.merge(Credential(person_id=person.id, hash=kept, changed_at=now, must_change=False))
            given.append((person.login, person.role, password))
            drafts.append(EventDraft("password_given", ADMINISTRATOR, body={"person_id": person.id}))
        append_events(session, drafts, now)
    engine.anchor()
    return given
