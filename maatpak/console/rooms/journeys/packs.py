"""Published packs: their versions, their files, and what changed from one to another."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from maatpak.console.frame.asking import Asking
from maatpak.console.frame.declared import EVERYBODY, Column, Filter, Listing, Shape
from maatpak.console.frame.problems import missing
from maatpak.kernel.errors import UsageError
from maatpak.ledger.packs import load_pack_files
from policies.comparison import PackChange, compare

PATH = "/packs"
FOLLOWERS = """LEFT JOIN LATERAL (
  SELECT string_agg(c.code, ', ' ORDER BY c.code) AS codes
  FROM creditor_pack g JOIN creditor c ON c.id = g.creditor_id
  WHERE g.pack_id = p.id AND g.replaced_at IS NULL AND c.id = ANY(CAST(:creditors AS bigint[]))) f ON true"""
PACK = """
SELECT id AS pack_id, name, version, content_hash, note, published_by, published_on, recorded_at
FROM policy_pack WHERE id = :id
"""
OTHERS = """
SELECT id AS pack_id, name, version, published_on FROM policy_pack WHERE id <> :id
ORDER BY name <> :name, id DESC LIMIT 50
"""
FOLLOWED_BY = """
SELECT c.code FROM creditor_pack g JOIN creditor c ON c.id = g.creditor_id
WHERE g.pack_id = :id AND g.replaced_at IS NULL AND c.id = ANY(CAST(:creditors AS bigint[])) ORDER BY c.code
"""
FILE_QUERY = {"file": "Path of the file to show, such as journeys/prompt.yaml."}
WITH_QUERY = {"with": "Number of the pack that it is compared with; without one, the version before."}
FIRST_FILE = "pack.yaml"


@dataclass(frozen=True)
class PackLine:
    """A published pack."""

    pack_id: int
    name: str
    version: int
    published_on: date | None


@dataclass(frozen=True)
class PackFile:
    """A file of a pack."""

    path: str
    folder: str
    name: str
    """Inside its folder."""
    lines: int


@dataclass(frozen=True)
class PackSheet:
    """A published pack and one of its files."""

    pack_id: int
    name: str
    version: int
    content_hash: str
    """SHA-256 of all its files: the same files always decide the same."""
    note: str
    """What is new in it."""
    published_by: str
    published_on: date | None
    recorded_at: datetime
    followed_by: list[str]
    """Codes of the creditors whose new rounds follow it, of those that the visitor may see."""
    others: list[PackLine]
    """That it can be compared with."""
    languages: list[str]
    """Codes of those that its templates are in."""
    files: list[PackFile]
    shown: str
    """Path of the file that is shown."""
    text: str


@dataclass(frozen=True)
class CompareSheet:
    """Two packs side by side."""

    before: PackLine
    after: PackLine
    others: list[PackLine]
    changes: list[PackChange]


PACKS_LIST = Listing(
    path=PATH,
    title="Policy packs",
    help="Every version that was published. It never changes; another takes two people. A round keeps its own.",
    source=f"policy_pack p {FOLLOWERS}",
    columns=(
        Column("name", "Pack", "p.name", sorts=True, link=PATH + "/{pack_id}"),
        Column("version", "Version", "p.version", Shape.NUMBER, sorts=True, link=PATH + "/{pack_id}"),
        Column("followed_by", "Followed by", "f.codes", help="Creditors whose new rounds follow it."),
        Column("note", "What is new", "p.note"),
        Column("published_by", "Published by", "p.published_by", sorts=True),
        Column("published_on", "On", "p.published_on", Shape.DATE),
        Column("content_hash", "Hash", "left(p.content_hash, 12)"),
        Column("pack_id", "Number", "p.id", Shape.NUMBER, sorts=True),
    ),
    key="p.id",
    order="-pack_id",
    filters=(
        Filter("name", "Pack", "p.name = :value"),
        Filter("published_by", "Published by", "p.published_by = :value"),
    ),
    search="p.note ILIKE :words OR p.name ILIKE :words OR p.content_hash LIKE :words",
    searched=lambda words: f"%{words}%",
    roles=EVERYBODY,
    empty="No pack is published yet: `maatpak policy publish` publishes the first.",
)


def read_pack(asking: Asking, pack_id: int) -> PackSheet:
    """A pack, and the file that is asked for."""
    row = _pack(asking, pack_id)
    files = files_of(asking.session, pack_id)
    shown = asking.query.get("file") or FIRST_FILE
    if shown not in files:
        raise missing("file", shown)
    return PackSheet(
        **row,
        followed_by=followers(asking, pack_id),
        others=_others(asking, row),
        files=[_file(path, text) for path, text in sorted(files.items(), key=rules_first)],
        languages=sorted({path.split("/")[1] for path in files if path.startswith("templates/")}),
        shown=shown,
        text=files[shown],
    )


def read_compare(asking: Asking, pack_id: int) -> CompareSheet:
    """What changes from another pack to this one."""
    row = _pack(asking, pack_id)
    others = _others(asking, row)
    asked = asking.query.get("with", "")
    if asked and not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        raise missing("pack", asked)
    older = [each for each in others if each.name == row["name"] and each.version < row["version"]]
    if not asked and not older:
        raise missing("earlier version of", f"pack {pack_id}")
    with_id = int(asked) if asked else older[0].pack_id
    before = _pack(asking, with_id)
    changes = compare(asking.engine.pack(with_id), asking.engine.pack(pack_id))
    return CompareSheet(_line(before), _line(row), others, changes)


def files_of(session: Session, pack_id: int) -> dict[str, str]:
    """The files of a pack.

    Raises:
        MissingError: there is no such pack.
    """
    try:
        return load_pack_files(session, pack_id)
    except UsageError:
        raise missing("pack", pack_id) from None


def followers(asking: Asking, pack_id: int) -> list[str]:
    """Codes of the creditors whose new rounds follow a pack, of those that the visitor may see."""
    rows = asking.rows(FOLLOWED_BY, id=pack_id, creditors=list(asking.visitor.creditor_ids))
    return [row["code"] for row in rows]


def _file(path: str, text: str) -> PackFile:
    folder, _, name = path.rpartition("/")
    return PackFile(path, folder, name, len(text.splitlines()))


def rules_first(file: tuple[str, str]) -> tuple[bool, bool, str]:
    """Order of files: those a pack has once, journeys and fragments, then texts."""
    path = file[0]
    return path.startswith("templates/"), "/" in path, path


def _pack(asking: Asking, pack_id: int) -> dict[str, Any]:
    found = asking.rows(PACK, id=pack_id)
    if not found:
        raise missing("pack", pack_id)
    return found[0]


def _others(asking: Asking, row: dict[str, Any]) -> list[PackLine]:
    return [PackLine(**each) for each in asking.rows(OTHERS, id=row["pack_id"], name=row["name"])]


def _line(row: dict[str, Any]) -> PackLine:
    return PackLine(row["pack_id"], row["name"], row["version"], row["published_on"])
