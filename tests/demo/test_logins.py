"""Whoever looks at the demo gets in, as somebody of each role."""

import pytest

from maatpak.demo.generate import HOUSES
from maatpak.demo.logins import give_demo_logins
from maatpak.demo.people import staff_of
from maatpak.demo.play import ADMINISTRATOR
from maatpak.kernel.errors import RefusedError
from maatpak.kernel.words import Role
from maatpak.ledger.tables import Person
from tasks.access.login import log_in
from tasks.engine import Engine
from tests.tasks.access.conftest import NOW


def test_there_is_a_login_for_each_role(engine: Engine) -> None:
    engine.workspace.create()
    with engine.database.session() as session:
        session.add_all(staff_of(HOUSES[0]))
        session.add(Person(login=ADMINISTRATOR, name="A", role=Role.ADMINISTRATOR, recorded_at=NOW))
    first = give_demo_logins(engine, NOW)
    assert {role for _, role, _ in first} == set(Role)
    assert [role for _, role, _ in first].count(Role.CREDIT_MANAGER) == 2
    for login, role, password in give_demo_logins(engine, NOW):
        _, visitor = log_in(engine, login, password, NOW)
        assert (visitor.role, visitor.must_change_password) == (role, False)
    with pytest.raises(RefusedError):
        log_in(engine, first[0][0], first[0][2], NOW)
