"""A workspace is made whole, keeps what is there, and is refused when it is none."""

import os
from pathlib import Path

import pytest

from maatpak.kernel.errors import UsageError, WorkspaceError
from maatpak.kernel.settings import Settings, load_settings
from maatpak.ledger.workspace import FOLDERS, Workspace, settings_template


def test_create_makes_everything_and_keeps_what_is_there(tmp_path: Path) -> None:
    place = Workspace(tmp_path / "deep" / "workspace")
    place.create()
    place.require()
    settings = Settings(workspace=place.root)
    key = place.link_key(settings)
    (place.root / "maatpak.env").write_text("MAATPAK_SHARDS=3\n")
    place.create()
    assert place.link_key(settings) == key
    assert len(key) >= 32
    assert (place.root / "link.key").stat().st_mode & 0o777 == 0o600
    assert load_settings(place.root).shards == 3


def test_the_template_is_a_valid_settings_file(tmp_path: Path) -> None:
    place = Workspace(tmp_path / "workspace")
    place.create()
    assert load_settings(place.root) == Settings(workspace=place.root)
    for name in set(Settings.model_fields) - {"workspace"}:
        assert f"MAATPAK_{name.upper()}=" in settings_template()


def test_the_template_shows_defaults_but_no_secret() -> None:
    lines = settings_template().splitlines()
    assert "# MAATPAK_SMTP_PORT=25" in lines
    assert {"# MAATPAK_SMS_TOKEN=", "# MAATPAK_SMTP_PASSWORD="} <= set(lines)
    assert "*" not in settings_template()


def test_the_setting_overrules_the_workspaces_key(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path, link_secret="given")
    assert Workspace(tmp_path).link_key(settings) == "given"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_that_lacks_something_is_no_workspace(tmp_path: Path, folder: str) -> None:
    place = Workspace(tmp_path / "workspace")
    place.create()
    (place.root / folder).rmdir()
    with pytest.raises(WorkspaceError, match=folder):
        place.require()


def test_no_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"link\.key"):
        Workspace(tmp_path).link_key(Settings(workspace=tmp_path))


def test_a_place_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be made"):
        Workspace(tmp_path / "file" / "workspace").create()


def test_unknown_settings_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "maatpak.env").write_text("MAATPAK_SHARD=3\n")
    with pytest.raises(UsageError, match="MAATPAK_SHARD: there is no such setting"):
        load_settings(tmp_path)
    (tmp_path / "maatpak.env").unlink()
    monkeypatch.setenv("MAATPAK_SHARD", "3")
    with pytest.raises(UsageError, match="MAATPAK_SHARD"):
        load_settings(tmp_path)


def test_the_environment_overrules_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "maatpak.env").write_text("MAATPAK_SHARDS=3\nMAATPAK_SMTP_PORT=2525\n")
    monkeypatch.setenv("MAATPAK_SHARDS", "5")
    monkeypatch.setenv("MAATPAK_WORKSPACE", str(tmp_path))
    settings = load_settings()
    assert (settings.shards, settings.smtp_port) == (5, 2525)
    assert os.fspath(settings.workspace) == str(tmp_path)
