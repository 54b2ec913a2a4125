"""Running the command line in this process, on this test's own workspace and database."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from maatpak.cli import main
from maatpak.kernel.settings import Settings
from maatpak.ledger.workspace import Workspace


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    status: int
    out: str
    err: str


Command = Callable[..., Answer]


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

    def run(*arguments: str) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        return Answer(int(ended.value.code or 0), out, err)

    return run
