"""Running the command line in this process, on this test's own workspace and database."""

from collections.abc import Callable
from datetime import date

import pytest

from maatpak.cli import main
from maatpak.kernel.clock import FixedClock
from maatpak.kernel.settings import Settings
from maatpak.ledger.workspace import Workspace
from tasks.engine import Engine
from tests.cli.acting import MONDAY, Answer, Command, run_on
from tests.tasks.act.house import House, at, build_house


@pytest.fixture
def command(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """Runs a command with its arguments."""
    Workspace(settings.workspace).create()
    assert settings.database_url is not None
    monkeypatch.setenv("MAATPAK_WORKSPACE", str(settings.workspace))
    monkeypatch.setenv("MAATPAK_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("MAATPAK_ACTOR", "root")
    monkeypatch.setenv("MAATPAK_PASSWORD_MEMORY", "8")

    def run(*arguments: str) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        return Answer(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FixedClock:
    """The clock that commands read; it stands at ten on the house's Monday until a test moves it."""
    clock = FixedClock(at(MONDAY, 10))
    monkeypatch.setattr("maatpak.kernel.settings.SystemClock", lambda _: clock)
    return clock


@pytest.fixture
def house(engine: Engine, command: Command, clock: FixedClock) -> House:
    """A house with its staff on a Monday: customer C1 owes 1,000.00 and 500.00, both overdue."""
    house = build_house(engine, MONDAY)
    case_id = house.debtor("C1")
    house.item(case_id, "F1", 100_000, date(2026, 1, 30))
    house.item(case_id, "F2", 50_000, date(2026, 2, 6))
    return house


@pytest.fixture
def opened(house: House, command: Command, clock: FixedClock) -> House:
    """The house after its first day: a round is open."""
    run_on(house, command, clock, MONDAY)
    return house
