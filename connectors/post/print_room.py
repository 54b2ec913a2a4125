"""What a print room does with the spool folder: take what is there as one print run, and say what became of it.

A run is one PDF, and a list that says where each letter stands in it. The list is put in place last and in one stroke,
and only a list counts: a run that was broken off is made again under the same name, and a letter that a list names is
in no other. Receipts are small JSON files beside a letter's manifest or a run's list.

Others put files there, too. One that cannot be understood is left and told of, and stops nothing but what it may be
about: a letter with such a receipt is not printed, and behind such a list of a run no letter is.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
MANIFEST: dict[str, type] = {"reference": str, "file": str, "sha256": str, "dated": str, "enclosures": list}
ENCLOSED: dict[str, type] = {"name": str, "file": str, "sha256": str}
LIST: dict[str, type] = {"day": str, "file": str, "pages": int, "letters": list}
LISTED: dict[str, type] = {"reference": str, "sha256": str}


@dataclass(frozen=True)
class _Folder:
    """What lies in the folder."""

    manifests: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    others: dict[Path, UsageError]
    """Neither, though their names say so; receipts are looked at on their own."""

    def in_runs(self) -> set[str]:
        """The references of letters that are in runs.

        Raises:
            UsageError: a run's list cannot be read: which letters it has, nobody knows.
        """
        for path, error in self.others.items():
            if _is_run(path):
                raise error
        return {letter["reference"] for run in self.runs for letter in run["letters"]}


def merge_run(folder: Path, day: date) -> Path | None:
    """Merge the letters up to that day that are in no run yet into the next run of that day; none without letters.

    One of which a receipt says that it failed is left out, and so is one whose receipt cannot be read.

    Gives the list's path; it names the PDF, and for each letter in order its first page, its pages and the hash of what
    was merged. Enclosures that are PDFs follow their letter, others are listed as `apart`, to be put in by hand.

    Raises:
        UsageError: a run's list cannot be read.
        WorkspaceError: a letter is not what its manifest says. Nothing was merged.
    """
    if not folder.is_dir():
        return None
    with _alone(folder):
        lying = _folder(folder)
        taken = lying.in_runs()
        waiting = [
            manifest
            for manifest in lying.manifests
            if manifest["reference"] not in taken
            and manifest["dated"] <= day.isoformat()
            and LetterState.FAILED not in _known(folder, manifest, LetterState.FAILED)
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
        number = 1 + sum(run["day"] == day.isoformat() for run in lying.runs)
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
    """Have no run take a letter, by the number that `Sent` gave: its receipt says failed. Whether none has it yet.

    Raises:
        UsageError: a run's list cannot be read.
    """
    if not folder.is_dir():
        return False
    with _alone(folder):
        lying = _folder(folder)
        manifest = next((each for each in lying.manifests if each["sha256"] == service_ref), None)
        in_run = lying.in_runs()
        if manifest is None or manifest["reference"] in in_run or _known(folder, manifest, LetterState.PRINTED):
            return False
        acknowledge(folder, Path(manifest["file"]).stem, LetterState.FAILED, on)
        return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time says what is printed and what is not."""
    with (folder / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def overview(folder: Path) -> list[dict[str, Any]]:
    """The runs, and the letters that are in none yet: `name`, `day`, `letters`, `pages`, and `known`, a day a state.

    Raises:
        UsageError: a run's list or a receipt cannot be read.
    """
    lying = _folder(folder)
    taken = lying.in_runs()
    rows = [
        {"name": Path(run["file"]).stem, "day": run["day"], "letters": len(run["letters"]), "pages": run["pages"]}
        for run in lying.runs
    ] + [
        {"name": Path(each["file"]).stem, "day": each["dated"], "letters": 1, "pages": pages(_content(folder, each))}
        for each in lying.manifests
        if each["reference"] not in taken
    ]
    return [{**row, "known": _receipt(folder, row["name"])} for row in rows]


def receipts(folder: Path) -> Iterator[LetterReport | UsageError]:
    """Everything that receipts say, letter by letter; and of each file that cannot be understood what it should be."""
    lying = _folder(folder)
    yield from lying.others.values()
    files = {Path(each["file"]).stem: [each["sha256"]] for each in lying.manifests}
    for run in lying.runs:
        files[Path(run["file"]).stem] = [letter["sha256"] for letter in run["letters"]]
    for path in sorted(folder.glob(f"*{RECEIPT}")):
        name = path.name.removesuffix(RECEIPT)
        if name not in files:
            yield _unreadable(path)
            continue
        try:
            known = _receipt(folder, name)
        except UsageError as error:
            yield error
            continue
        for state, on in known.items():
            yield from (LetterReport(on, reference, state, path.name, by_hand=True) for reference in files[name])


def _receipt(folder: Path, name: str) -> dict[LetterState, date]:
    path = folder / f"{name}{RECEIPT}"
    if not path.exists():
        return {}
    try:
        return {LetterState(state): date.fromisoformat(on) for state, on in _json(path).items()}
    except (ValueError, TypeError):
        raise _unreadable(path) from None


def _known(folder: Path, manifest: dict[str, Any], doubtful: LetterState) -> set[LetterState]:
    """What a receipt says of a letter; of one that cannot be read, what it is to be taken for."""
    try:
        return set(_receipt(folder, Path(manifest["file"]).stem))
    except UsageError:
        return {doubtful}


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


def _folder(folder: Path) -> _Folder:
    lying = _Folder([], [], {})
    for path in sorted(folder.glob("[!.]*.json")):
        if path.name.endswith(RECEIPT) or not path.is_file():
            continue  # What is half-written begins with a dot.
        try:
            described = _json(path)
        except ValueError:
            described = {}
        keys, inner, each_of = (LIST, "letters", LISTED) if _is_run(path) else (MANIFEST, "enclosures", ENCLOSED)
        # A copy is another file than the one that it names.
        named = described.get("file") == path.with_suffix(".pdf").name
        if named and _has(described, keys) and all(_has(each, each_of) for each in described[inner]):
            (lying.runs if _is_run(path) else lying.manifests).append(described)
        else:
            lying.others[path] = _not_ours(path)
    return lying


def _json(path: Path) -> dict[str, Any]:
    """What a file says.

    Raises:
        ValueError: it is no file, or says nothing that can be understood.
    """
    try:
        described = json.loads(path.read_bytes()) if path.is_file() else None
    except (OSError, RecursionError) as error:
        raise ValueError(path) from error
    if not isinstance(described, dict):
        raise ValueError(path)  # noqa: TRY004 -- to who reads, a wrong type is a wrong value
    return described


def _has(described: object, keys: dict[str, type]) -> bool:
    return isinstance(described, dict) and all(isinstance(described.get(key), kind) for key, kind in keys.items())


def _not_ours(path: Path) -> UsageError:
    if _is_run(path):
        return UsageError(
            f"{path} is no list of a print run.",
            advice="Restore it: nobody knows which letters the run has, and until then none is printed or taken back.",
        )
    return UsageError(
        f"{path} is no manifest of a letter.", advice="Restore it, or move it away; the other letters are printed."
    )


def _is_run(path: Path) -> bool:
    return path.name.startswith(RUN)
