"""What a print room does with the spool folder: take what is there as one print run, and say what became of it.

A run is one PDF, and a list that says where each letter stands in it. The list is put in place last and in one stroke,
and only a list counts: a run that was broken off is made again under the same name, and a letter that a list names is
in no other. Receipts are small JSON files beside a letter's manifest or a run's list.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from connectors.message import Enclosure
from connectors.post.binding import bound, pages, printable
from connectors.post.port import LetterReport, LetterState
from maatpak.kernel.errors import UsageError, WorkspaceError
from maatpak.kernel.files import write_whole
from maatpak.kernel.ids import bytes_hash

RECEIPT = ".receipt.json"
RUN = "run-"
LOCK = ".run.lock"


def merge_run(folder: Path, day: date) -> Path | None:
    """Merge the letters up to that day that are in no run yet into the next run of that day; none without letters.

    One of which a receipt says that it failed is left out.

    Gives the list's path; it names the PDF, and for each letter in order its first page, its pages and the hash of what
    was merged. Enclosures that are PDFs follow their letter, others are listed as `apart`, to be put in by hand.

    Raises:
        WorkspaceError: a letter is not what its manifest says. Nothing was merged.
    """
    if not folder.is_dir():
        return None
    with _alone(folder):
        taken = {letter["reference"] for run in _runs(folder) for letter in run["letters"]}
        waiting = [
            manifest
            for manifest in _manifests(folder)
            if manifest["reference"] not in taken
            and manifest["dated"] <= day.isoformat()
            and LetterState.FAILED not in _receipt(folder, Path(manifest["file"]).stem)
        ]
        if not waiting:
            return None
        waiting.sort(key=lambda manifest: (manifest["dated"], manifest["reference"]))
        parts: list[bytes] = []
        listed: list[dict[str, Any]] = []
        next_page = 1
        for manifest in waiting:
            merged, apart = _with_enclosures(folder, manifest)
            count = sum(pages(each) for each in merged)
            listed.append(
                {
                    "reference": manifest["reference"],
                    "file": manifest["file"],
                    "sha256": manifest["sha256"],
                    "first_page": next_page,
                    "pages": count,
                    "apart": apart,
                }
            )
            parts += merged
            next_page += count
        number = 1 + sum(run["day"] == day.isoformat() for run in _runs(folder))
        path = folder / f"{RUN}{day.isoformat()}-{number}.json"
        pdf = bound(parts)
        write_whole(path.with_suffix(".pdf"), pdf)
        run = {
            "day": day.isoformat(),
            "file": path.with_suffix(".pdf").name,
            "sha256": bytes_hash(pdf),
            "pages": next_page - 1,
            "letters": listed,
        }
        write_whole(path, json.dumps(run, ensure_ascii=False, indent=1).encode())
        return path


def acknowledge(folder: Path, name: str, state: LetterState, on: date) -> None:
    """Note for a letter (`name` of its manifest without `.json`) or for all of a run what happened to it, and when.

    A print room's own program may as well write the file: `{"printed": "2026-03-12", "handed_over": "2026-03-13"}`.

    Raises:
        UsageError: there is no such letter or run.
    """
    if not (folder / f"{name}.json").exists():
        raise UsageError(f"There is no letter or run {name} in {folder}.", advice="Give its file's name without .json.")
    told = {each: day.isoformat() for each, day in {**_receipt(folder, name), state: on}.items()}
    write_whole(folder / f"{name}{RECEIPT}", json.dumps(told, indent=1).encode())


def withdraw(folder: Path, service_ref: str, on: date) -> bool:
    """Have no run take a letter, by the number that `Sent` gave: its receipt says failed. Whether none has it yet."""
    if not folder.is_dir():
        return False
    with _alone(folder):
        name = next((Path(each["file"]).stem for each in _manifests(folder) if each["sha256"] == service_ref), None)
        in_run = any(letter["sha256"] == service_ref for run in _runs(folder) for letter in run["letters"])
        if name is None or in_run or _receipt(folder, name):
            return False
        acknowledge(folder, name, LetterState.FAILED, on)
        return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time says what is printed and what is not."""
    with (folder / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def overview(folder: Path) -> list[dict[str, Any]]:
    """The runs, and the letters that are in none yet: `name`, `day`, `letters`, `pages`, and `known`, a day a state."""
    runs = _runs(folder)
    taken = {letter["reference"] for run in runs for letter in run["letters"]}
    rows = [
        {"name": Path(run["file"]).stem, "day": run["day"], "letters": len(run["letters"]), "pages": run["pages"]}
        for run in runs
    ] + [
        {"name": Path(each["file"]).stem, "day": each["dated"], "letters": 1, "pages": pages(_content(folder, each))}
        for each in _manifests(folder)
        if each["reference"] not in taken
    ]
    return [{**row, "known": _receipt(folder, row["name"])} for row in rows]


def receipts(folder: Path) -> Iterator[LetterReport]:
    """Everything that receipts say, letter by letter.

    Raises:
        UsageError: a receipt cannot be read; the message names the file and what it should be.
    """
    files = {Path(each["file"]).stem: [each["sha256"]] for each in _manifests(folder)}
    for run in _runs(folder):
        files[Path(run["file"]).stem] = [letter["sha256"] for letter in run["letters"]]
    for path in sorted(folder.glob(f"*{RECEIPT}")):
        name = path.name.removesuffix(RECEIPT)
        if name not in files:
            raise _unreadable(path)
        for state, on in _receipt(folder, name).items():
            yield from (LetterReport(on, reference, state, path.name) for reference in files[name])


def _receipt(folder: Path, name: str) -> dict[LetterState, date]:
    path = folder / f"{name}{RECEIPT}"
    if not path.exists():
        return {}
    try:
        return {LetterState(state): date.fromisoformat(on) for state, on in json.loads(path.read_text()).items()}
    except (ValueError, TypeError, AttributeError):
        raise _unreadable(path) from None


def _unreadable(path: Path) -> UsageError:
    return UsageError(
        f"The receipt {path} cannot be read.",
        advice=f"It is the name of a letter or run and {RECEIPT}, and says as JSON when it was "
        f'{", ".join(LetterState)}: {{"printed": "2026-03-12"}}.',
    )


def _with_enclosures(folder: Path, manifest: dict[str, Any]) -> tuple[list[bytes], list[str]]:
    """A letter and what is merged with it, and the names of enclosures that cannot be."""
    pdf = _content(folder, manifest)
    enclosed = [Enclosure(each["name"], "", _content(folder, each)) for each in manifest["enclosures"]]
    merged = [each.content for each in enclosed if printable(each)]
    return [pdf, *merged], [each.name for each in enclosed if not printable(each)]


def _content(folder: Path, described: dict[str, Any]) -> bytes:
    path = folder / described["file"]
    content = path.read_bytes() if path.exists() else b""
    if bytes_hash(content) != described["sha256"]:
        raise WorkspaceError(
            f"{path} is not the file that its manifest describes.", advice="Restore it before the run is printed."
        )
    return content


def _manifests(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in _named(folder) if not _is_run(path)]


def _runs(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in _named(folder) if _is_run(path)]


def _named(folder: Path) -> list[Path]:
    """Manifests and lists of runs; receipts are neither, nor is anything half-written."""
    return sorted(each for each in folder.glob("[!.]*.json") if not each.name.endswith(RECEIPT))


def _is_run(path: Path) -> bool:
    return path.name.startswith(RUN)
