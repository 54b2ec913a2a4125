"""Playing is the same for the same seed, on any database, and breaks no law."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlmodel import select

from maatpak.demo.days import BESIDE, HERE
from maatpak.demo.figures import Figures, read_figures
from maatpak.demo.generate import WorldPlan, smaller
from maatpak.demo.play import Play
from maatpak.demo.story import tell_story
from maatpak.kernel.calendars import is_working_day
from maatpak.kernel.settings import Settings
from maatpak.ledger.tables import Creditor
from tasks.cases import CaseFilter, list_cases
from tasks.engine import Engine, open_engine
from tasks.replay import replay
from tests.conftest import _lent
from tests.proofs.reader import prove

PLAN = smaller(WorldPlan(), customers=120, documents=600)
DAYS = 2


@contextmanager
def own_engine(server_url: str, template: str, folder: Path) -> Iterator[Engine]:
    """An engine on a database and in a workspace of its own."""
    with _lent(server_url, "maatpak_play", template) as url:
        engine = open_engine(Settings(workspace=folder, database_url=url))
        engine.workspace.create()
        try:
            yield engine
        finally:
            engine.close()


@pytest.fixture(scope="module")
def whole(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Play, Figures]]:
    """All houses in one play."""
    folder = tmp_path_factory.mktemp("whole")
    with own_engine(server_url, template, folder) as engine, closing(Play(engine, PLAN)) as play:
        play.open_houses()
        yield engine, play, lived(play)


def lived(play: Play) -> Figures:
    play.load_past()
    for number, day in enumerate(play.business_days(DAYS)):
        play.play_day(day, number)
    assert play.last_day is not None
    return read_figures(play.engine.database, play.engine.store, PLAN.starts_on, play.last_day)


def test_the_same_seed_gives_the_same_figures_in_one_play_or_two(
    whole: tuple[Engine, Play, Figures], server_url: str, template: str, tmp_path: Path
) -> None:
    one, play, first = whole
    with own_engine(server_url, template, tmp_path) as other:
        with closing(Play(other, PLAN, houses=BESIDE)) as beside:
            beside.open_houses()
            lived(beside)
        with closing(Play(other, PLAN, houses=HERE)) as here:
            second = lived(here)
        assert all(first.counted[name].equals(second.counted[name]) for name in first.counted)
        assert first.fingerprint == second.fingerprint
        assert tell_story(one.database, one.store, PLAN.starts_on) == tell_story(
            other.database, other.store, PLAN.starts_on
        )
    assert first.sent.height > 3
    assert sum(play.done.values()) > 3
    assert len(list_cases(one, CaseFilter())) > 60
    proof = prove(one.database.url, Path(one.store.url))
    assert not proof.breaches, "\n".join(map(str, proof.breaches))


def test_what_houses_that_share_customers_saw_can_be_read_back(whole: tuple[Engine, Play, Figures]) -> None:
    engine, play, _ = whole
    with engine.database.reading() as session:
        creditors = session.exec(select(Creditor)).all()
    for creditor in creditors:
        for day in play.business_days(DAYS):
            if not is_working_day(day, creditor.country):
                continue
            found = replay(engine, int(creditor.id or 0), day)
            assert not found.differences, f"{creditor.code}, {day}: {found.differences}"
