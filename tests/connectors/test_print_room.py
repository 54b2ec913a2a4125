import asyncio
import json
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader

from connectors.message import Enclosure
from connectors.outcome import Sent
from connectors.post.letters import letter_pdf
from connectors.post.port import LetterReport, LetterState
from connectors.post.print_room import acknowledge, merge_run, overview, withdraw
from connectors.post.spool import PostSpool
from maatpak.kernel.errors import UsageError, WorkspaceError
from maatpak.kernel.ids import bytes_hash
from tests.connectors.letters import WRITTEN, letter

DAY = WRITTEN.date()


def spooled(folder: Path, number: int, enclosures: Sequence[Enclosure] = (), rows: int = 3, days: int = 0) -> str:
    made = replace(letter(number, rows=rows), written_at=WRITTEN + timedelta(days=days))
    outcome = asyncio.run(PostSpool(folder).send(made, enclosures))
    assert isinstance(outcome, Sent)
    return str(outcome.service_ref)


def stem(number: int) -> str:
    return letter(number).message_ref.partition("@")[0]


def test_a_run_holds_every_letter_once_and_says_where(tmp_path: Path) -> None:
    copy = Enclosure("F-2041.pdf", "application/pdf", letter_pdf(letter(9)))
    sheet = Enclosure("F-2041.xlsx", "", b"PK")
    first = spooled(tmp_path, 1, [copy, sheet])
    second = spooled(tmp_path, 2, rows=120)
    spooled(tmp_path, 3, days=1)
    path = merge_run(tmp_path, DAY)
    assert path is not None
    run = json.loads(path.read_text())
    assert [(each["sha256"], each["first_page"], each["pages"], each["apart"]) for each in run["letters"]] == [
        (first, 1, 2, ["F-2041.xlsx"]),
        (second, 3, 3, []),
    ]
    pdf = tmp_path / run["file"]
    assert bytes_hash(pdf.read_bytes()) == run["sha256"]
    texts = [page.extract_text() for page in PdfReader(pdf).pages]
    assert len(texts) == run["pages"] == 5
    alone = [page.extract_text() for page in PdfReader(tmp_path / f"{stem(2)}.pdf").pages]
    assert texts[2:] == alone


def test_the_next_run_has_what_came_since(tmp_path: Path) -> None:
    assert merge_run(tmp_path / "nothing", DAY) is None
    spooled(tmp_path, 1)
    first = merge_run(tmp_path, DAY)
    assert merge_run(tmp_path, DAY) is None
    spooled(tmp_path, 2)
    second = merge_run(tmp_path, DAY)
    assert first is not None
    assert second is not None
    assert (first.name, second.name) == ("run-2026-03-11-1.json", "run-2026-03-11-2.json")
    assert [each["file"] for each in json.loads(second.read_text())["letters"]] == [f"{stem(2)}.pdf"]


def test_a_run_that_was_broken_off_is_made_again(tmp_path: Path) -> None:
    spooled(tmp_path, 1)
    broken_off = merge_run(tmp_path, DAY)
    assert broken_off is not None
    broken_off.unlink()
    spooled(tmp_path, 2)
    path = merge_run(tmp_path, DAY)
    assert path == broken_off
    run = json.loads(path.read_text())
    assert len(run["letters"]) == 2
    assert bytes_hash((tmp_path / run["file"]).read_bytes()) == run["sha256"]


def test_two_who_merge_at_once_print_each_letter_once(tmp_path: Path) -> None:
    for number in range(6):
        spooled(tmp_path, number)
    with ThreadPoolExecutor(4) as pool:
        paths = [path for path in pool.map(lambda _: merge_run(tmp_path, DAY), range(4)) if path is not None]
    named = [each["reference"] for path in paths for each in json.loads(path.read_text())["letters"]]
    assert sorted(named) == [letter(number).message_ref for number in range(6)]


def test_a_letter_that_was_changed_is_not_printed(tmp_path: Path) -> None:
    spooled(tmp_path, 1)
    (tmp_path / f"{stem(1)}.pdf").write_bytes(b"%PDF another")
    with pytest.raises(WorkspaceError, match=stem(1)):
        merge_run(tmp_path, DAY)
    assert list(tmp_path.glob("run-*")) == []


def test_the_print_room_says_what_became_of_letters(tmp_path: Path) -> None:
    alone, first, second = spooled(tmp_path, 1, days=3), spooled(tmp_path, 2), spooled(tmp_path, 3)
    path = merge_run(tmp_path, DAY)
    assert path is not None
    acknowledge(tmp_path, path.stem, LetterState.PRINTED, date(2026, 3, 12))
    acknowledge(tmp_path, path.stem, LetterState.HANDED_OVER, date(2026, 3, 13))
    (tmp_path / f"{stem(1)}.receipt.json").write_text('{"returned": "2026-03-20"}')
    told = asyncio.run(PostSpool(tmp_path).reports(date(2026, 3, 13)))
    receipt = f"{path.stem}.receipt.json"
    assert told == [
        *(
            LetterReport(date(2026, 3, 13), each, LetterState.HANDED_OVER, receipt, by_hand=True)
            for each in sorted([first, second])
        ),
        LetterReport(date(2026, 3, 20), alone, LetterState.RETURNED, f"{stem(1)}.receipt.json", by_hand=True),
    ]
    assert len(asyncio.run(PostSpool(tmp_path).reports(DAY))) == 5
    assert merge_run(tmp_path, DAY + timedelta(days=3)) is not None


def news(folder: Path) -> tuple[list[str], list[str]]:
    """The letters of which something is told, and what cannot be understood."""
    told = asyncio.run(PostSpool(folder).reports(DAY))
    errors = [str(each) for each in told if isinstance(each, UsageError)]
    return [each.service_ref for each in told if isinstance(each, LetterReport)], errors


@pytest.mark.parametrize(
    "words",
    [
        *("", "[]", "{", '{"lost": "2026-03-12"}', '{"printed": "12-3-2026"}', '{"printed": "2026-02-30"}'),
        *('{"printed": 1}', "[" * 100_000),
    ],
    ids=range(8),
)
def test_a_receipt_that_cannot_be_read_is_named_and_stops_no_other(tmp_path: Path, words: str) -> None:
    spooled(tmp_path, 1)
    second = spooled(tmp_path, 2, rows=4)
    spooled(tmp_path, 3)
    (tmp_path / f"{stem(1)}.receipt.json").write_text(words)
    acknowledge(tmp_path, stem(2), LetterState.PRINTED, DAY)
    heard, (error,) = news(tmp_path)
    assert heard == [second]
    assert f"{stem(1)}.receipt.json cannot be read" in error
    run = merge_run(tmp_path, DAY)
    assert run is not None
    named = {each["file"] for each in json.loads(run.read_text())["letters"]}
    assert named == {f"{stem(2)}.pdf", f"{stem(3)}.pdf"}, "it may say that the first one failed"


def test_a_letter_whose_receipt_cannot_be_read_is_not_taken_back(tmp_path: Path) -> None:
    first, second = spooled(tmp_path, 1), spooled(tmp_path, 2, rows=4)
    (tmp_path / f"{stem(1)}.receipt.json").mkdir()
    assert not withdraw(tmp_path, first, DAY)
    assert withdraw(tmp_path, second, DAY)


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: (folder / "notes.json").write_text("{}"),
        lambda folder: (folder / "notes.json").write_text("Call Piet"),
        lambda folder: (folder / "notes.json").write_bytes(b"\xff"),
        lambda folder: (folder / "notes.json").write_text("[" * 100_000),
        lambda folder: shutil.copy(folder / f"{stem(1)}.json", folder / "notes.json"),
        lambda folder: (folder / "notes.receipt.json").write_text("{}"),
        lambda folder: (folder / f"{stem(3)}.json").write_text('{"reference": "'),
    ],
    ids=["empty", "words", "bytes", "deep", "copy", "receipt of nothing", "damaged"],
)
def test_a_stray_file_is_told_of_and_stops_nothing(tmp_path: Path, make: Callable[[Path], object]) -> None:
    first, second = spooled(tmp_path, 1), spooled(tmp_path, 2, rows=4)
    make(tmp_path)
    acknowledge(tmp_path, stem(1), LetterState.PRINTED, DAY)
    heard, (error,) = news(tmp_path)
    assert heard == [first]
    assert str(tmp_path) in error
    assert withdraw(tmp_path, second, DAY)
    run = merge_run(tmp_path, DAY)
    assert run is not None
    assert [each["file"] for each in json.loads(run.read_text())["letters"]] == [f"{stem(1)}.pdf"]
    assert len(overview(tmp_path)) == 2


@pytest.mark.parametrize(
    "make",
    [
        Path.mkdir,
        lambda path: path.symlink_to(path.name),
        os.mkfifo,
    ],
    ids=["folder", "loop", "pipe"],
)
def test_what_is_no_file_is_left_alone(tmp_path: Path, make: Callable[[Path], None]) -> None:
    first = spooled(tmp_path, 1)
    make(tmp_path / "x.json")
    make(tmp_path / "run-x.json")
    acknowledge(tmp_path, stem(1), LetterState.PRINTED, DAY)
    assert news(tmp_path) == ([first], [])
    assert merge_run(tmp_path, DAY) is not None


def test_behind_a_list_that_cannot_be_read_nothing_is_printed_or_taken_back(tmp_path: Path) -> None:
    """Its letters would be printed twice, and one that is printed would be said not to be."""
    first = spooled(tmp_path, 1)
    run = merge_run(tmp_path, DAY)
    assert run is not None
    run.write_bytes(run.read_bytes()[:-9])
    acknowledge(tmp_path, stem(1), LetterState.PRINTED, DAY)
    heard, (error,) = news(tmp_path)
    assert heard == [first]
    assert f"{run.name} is no list of a print run" in error
    for act in (lambda: merge_run(tmp_path, DAY), lambda: withdraw(tmp_path, first, DAY)):
        with pytest.raises(UsageError, match=r"Restore it"):
            act()


def test_a_receipt_is_of_something_that_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run-2026-03-11-1"):
        acknowledge(tmp_path, "run-2026-03-11-1", LetterState.PRINTED, DAY)
