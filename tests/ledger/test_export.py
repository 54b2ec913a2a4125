"""An auditor gets everything on one debtor, nothing of others, and can prove that it is whole."""

import csv
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from maatpak.kernel.errors import UsageError
from maatpak.ledger.audit import EventDraft, append_events
from maatpak.ledger.export import WHOSE, export_debtor
from maatpak.ledger.tables import Hold, metadata
from tests.ledger.world import DAY, NOW, World, pass_over, small_world

if TYPE_CHECKING:
    from tasks.engine import Engine

ELSEWHERE = {
    *("event_head", "figure", "person", "creditor_pack", "finding", "send_turn", "breaker", "wake", "alembic_version"),
    *(
        "api_token",
        "call_once",
        "call_reservation",
        "change_request",
        "console_session",
        "credential",
        "person_creditor",
    ),
    *("webhook", "webhook_delivery", "journey_figure"),
}
"""Tables with nothing about a single debtor."""


@pytest.fixture
def worlds(engine: "Engine") -> tuple[World, World]:
    """Two creditors that know the same party, each with a tick, events and a message with an enclosure."""
    made = []
    for number in (1, 2):
        enclosure = engine.store.put("enclosure", b"%PDF" + bytes([number]), "pdf")
        content = json.dumps({"subject": f"of {number}", "attachments": [{"key": enclosure}]})
        with engine.database.session() as session:
            key = engine.store.put("message", content.encode(), "json")
            world = small_world(session, number, key)
            frame = pl.DataFrame({"case_id": [world.case, 99], "reason": ["wait", "hold"], "asked_amount": [100, 5]})
            evidence = engine.store.put_frame("decisions", frame)
            session.add(pass_over(world.creditor, evidence))
            drafts = [
                EventDraft("tick_decided", "engine", DAY, world.creditor, body={"decisions": evidence}),
                EventDraft("hold_set", "anna", DAY, world.creditor, world.debtor, world.case, body={"hold_no": "H1"}),
            ]
            append_events(session, drafts, NOW)
            made.append(world)
    engine.anchor()
    return made[0], made[1]


def export(engine: "Engine", target: Path) -> None:
    done = export_debtor(engine.database, engine.store, engine.anchors.last(), "C1", "D1", target, NOW)
    assert done.evidence_files == 2


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / f"{table}.json").read_text())
    return found


def test_every_table_is_exported_or_has_a_reason_not_to_be() -> None:
    assert set(WHOSE) | ELSEWHERE == set(metadata.tables) | {"alembic_version"}


@pytest.mark.usefixtures("worlds")
def test_the_checksums_cover_every_file(engine: "Engine", tmp_path: Path) -> None:
    export(engine, tmp_path / "out")
    lines = (line.split("  ", 1) for line in (tmp_path / "out" / "SHA256SUMS").read_text().splitlines())
    sums = {name: digest for digest, name in lines}
    files = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert set(sums) == files - {"SHA256SUMS"}
    for name, digest in sums.items():
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest


def test_it_holds_this_debtor_and_nobody_else(engine: "Engine", worlds: tuple[World, World], tmp_path: Path) -> None:
    mine, theirs = worlds
    folder = tmp_path / "out"
    with engine.database.session() as session:
        for number, world in enumerate(worlds):
            session.add(
                Hold(
                    hold_no=f"H{number}",
                    scope="party",
                    party_id=1,
                    debtor_id=world.debtor,
                    reason="hardship",
                    source="person",
                    from_on=DAY,
                    until_on=DAY,
                    note="told us",
                    actor="anna",
                    valid_from=DAY,
                    recorded_at=NOW,
                )
            )
    export(engine, folder)
    assert [row["debtor_id"] for row in rows(folder, "hold")] == [mine.debtor] != [theirs.debtor]
    assert [row["id"] for row in rows(folder, "action")] == [mine.action]
    assert [row["creditor_id"] for row in rows(folder, "touch")] == [mine.creditor]
    assert [(row["tick_id"], row["reason"]) for row in rows(folder, "decisions_evidence")] == [(1, "wait")]
    assert [row["case_id"] for row in rows(folder, "facts_evidence")] == [mine.case]
    assert [(row["kind"], row["debtor_id"]) for row in rows(folder, "event")] == [("hold_set", mine.debtor)]
    assert [row["creditor_id"] for row in rows(folder, "tick_event")] == [mine.creditor]
    evidence = sorted(path.suffix for path in (folder / "evidence").rglob("*") if path.is_file())
    assert evidence == [".json", ".pdf"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["event_head"]["seq"] == manifest["last_anchor"]["seq"] == 4
    assert manifest["rows"]["item_version"] == 1


@pytest.mark.usefixtures("worlds")
def test_a_spreadsheet_sees_text_not_formulas(engine: "Engine", tmp_path: Path) -> None:
    export(engine, tmp_path / "out")
    text = (tmp_path / "out" / "debtor_profile.csv").read_text(encoding="utf-8-sig")
    (row,) = csv.DictReader(StringIO(text))
    assert row["name"] == "'=Ålpha & Co"
    assert rows(tmp_path / "out", "debtor_profile")[0]["name"] == "=Ålpha & Co"


@pytest.mark.usefixtures("worlds")
def test_an_archive_holds_the_same_files(engine: "Engine", tmp_path: Path) -> None:
    export(engine, tmp_path / "out")
    export(engine, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    for name, content in packed.items():
        assert (tmp_path / "out" / name).read_bytes() == content
    assert (tmp_path / "out.zip").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


@pytest.mark.usefixtures("worlds")
def test_what_is_there_is_not_overwritten(engine: "Engine", tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        export(engine, tmp_path / "out")


@pytest.mark.usefixtures("worlds")
@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_failed_export_leaves_nothing_and_may_be_tried_again(
    engine: "Engine", tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, f"No space for {target} beside {self}")

    with monkeypatch.context() as disk:
        disk.setattr(Path, "rename", full)
        with pytest.raises(OSError, match="No space"):
            export(engine, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []
    export(engine, tmp_path / name)
    assert (tmp_path / name).exists()


def proven(folder: Path, *seal: str) -> tuple[int, str]:
    """Run the program that goes along, with nothing around it; its exit code and what it says."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py"), *seal]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def sealed_anew(folder: Path) -> None:
    """Write SHA256SUMS to match what is there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    sums = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files)
    (folder / "SHA256SUMS").write_text("".join(sums))


def change(path: Path, old: str, new: str) -> None:
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new, 1))


def mail_changed(folder: Path) -> None:
    (mail,) = folder.glob("evidence/message/*/*.json")
    change(mail, "of 1", "of 9")


def event_removed(folder: Path) -> None:
    (folder / "event.json").write_text("[]")
    (folder / "event.csv").write_text("")


def row_changed_twice(folder: Path) -> None:
    """In both forms of the table, so that only the checksums or the seal are left to tell."""
    for ending in ("json", "csv"):
        change(folder / f"debtor_profile.{ending}", "=Ålpha", "=Omega")


def cells_dropped(folder: Path) -> None:
    """The end of a row is missing: what was settled may look as if nobody said."""
    header, row, *others = (folder / "item_version.csv").read_text("utf-8").splitlines()
    (folder / "item_version.csv").write_text("\n".join([header, row.rpartition(",")[0], *others]), "utf-8")


TAMPERINGS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "a byte of a mail": (mail_changed, "its checksum is another", "its name is the hash of other content"),
    "an event's body": (
        lambda folder: change(folder / "event.json", '"H1"', '"H2"'),
        "event.json was changed",
        "Event 2 (hold_set) was changed: it does not have its hash",
    ),
    "an event's place": (
        lambda folder: change(folder / "tick_event.json", '"seq": 1', '"seq": 3'),
        "tick_event.json was changed",
        "Event 3 (tick_decided) was changed",
    ),
    "an event removed": (event_removed, "event.json was changed", "event.json has 0 rows; the manifest says 1"),
    "a row, in JSON": (
        lambda folder: change(folder / "debtor_profile.json", "=Ålpha", "=Omega"),
        "debtor_profile.json was changed",
        "row 1 says one name in JSON and another in CSV",
    ),
    "cells of a row, in CSV": (
        cells_dropped,
        "item_version.csv was changed",
        "item_version.csv has other rows or columns than item_version.json",
    ),
    "a row": (row_changed_twice, "debtor_profile.csv was changed", "The seal is another"),
    "a file added": (lambda folder: (folder / "note.txt").write_text("x"), "note.txt was added", "The seal is another"),
    "evidence removed": (
        lambda folder: next(folder.glob("evidence/message/*/*.json")).unlink(),
        "is missing",
        "message.json names evidence that is not here",
    ),
    "the head": (
        lambda folder: change(folder / "manifest.json", '"seq": 4', '"seq": 1'),
        "manifest.json was changed",
        "Event 2 is beyond the head of the chain",
    ),
    "not even JSON": (
        lambda folder: (folder / "case.json").write_text("["),
        "case.json was changed",
        "cannot be read on",
    ),
}
"""What somebody does → what is found at once, and what after they wrote the checksums anew."""


@pytest.mark.usefixtures("worlds")
def test_a_program_that_needs_nothing_but_python_finds_what_was_changed(engine: "Engine", tmp_path: Path) -> None:
    done = export_debtor(engine.database, engine.store, engine.anchors.last(), "C1", "D1", tmp_path / "out", NOW)
    code, said = proven(tmp_path / "out")
    assert (code, "Nothing was changed, added or removed." in said, done.seal in said) == (0, True, True), said
    assert "found\nonly by an anchor that was kept outside their reach" in said
    assert "2 events, 2 of which follow one in here" in said
    assert proven(tmp_path / "out", done.seal)[0] == 0
    for name, (tamper, at_once, afterwards) in TAMPERINGS.items():
        folder = tmp_path / "forged"
        shutil.copytree(tmp_path / "out", folder)
        tamper(folder)
        code, said = proven(folder)
        assert (code, at_once in said) == (1, True), (name, said)
        sealed_anew(folder)
        code, said = proven(folder, done.seal)
        assert (code, afterwards in said) == (1, True), (name, said)
        shutil.rmtree(folder)
