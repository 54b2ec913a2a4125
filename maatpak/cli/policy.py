"""`maatpak policy`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maatpak.cli import publishing
from maatpak.cli.output import Column, say, show, show_json
from maatpak.cli.packs import STANDARD, PackArgument, files_of
from maatpak.cli.session import ActorOption, JsonOption, acting, now, opened

if TYPE_CHECKING:
    from policies.pack import CompiledPack

app = typer.Typer(no_args_is_help=True, help="Policy packs: check, publish, compare, and help for editors.")

app.add_typer(publishing.app)


@app.command()
def check(pack: PackArgument = STANDARD, *, as_json: JsonOption = False) -> None:
    """Look whether a pack holds; every problem is listed at once, with file and line."""
    from policies.templates import checked_pack

    compiled = checked_pack(files_of(pack))
    rows = [
        {
            "segment": segment.name,
            "who": segment.who,
            "steps": len(compiled.journeys[segment.name].steps),
            "rule": segment.rule.text,
        }
        for segment in compiled.segments
    ]
    if as_json:
        show_json({"pack": compiled.name, "content_hash": compiled.content_hash, "segments": rows})
        return
    columns = (Column("segment", "segment"), Column("who", "who"), Column("steps", "steps", number=True))
    show(rows, (*columns, Column("rule", "rule")), as_json=False)
    say(f"Pack {compiled.name} holds. Its hash is {compiled.content_hash[:12]}…")


@app.command()
def publish(
    pack: PackArgument = STANDARD,
    note: Annotated[str, typer.Option(help="What is new in it.")] = "",
    creditors: Annotated[
        list[str] | None, typer.Option("--creditor", help="Whose pack it becomes; may be given again.")
    ] = None,
    actor: ActorOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Publish a pack for good, and give it to creditors that have none yet; `submit` is for those that have one."""

    from tasks.publishing import publish as publish_files

    files = files_of(pack)
    with opened() as engine:
        made = publish_files(engine, files, note, acting(actor), now(), creditors or ())
    if as_json:
        show_json(vars(made))
        return
    verb = "is published" if made.is_new else "was published before, word for word"
    say(f"{made.name} version {made.version} (pack {made.pack_id}, {made.content_hash[:12]}…) {verb}.")
    if made.creditors:
        say(f"New rounds of {', '.join(made.creditors)} follow it.")
    else:
        say("No creditor has it yet: name whose it becomes with --creditor.")


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="Folder, `standard`, or the number of a published pack.")],
    after: Annotated[str, typer.Argument(help="The same of the other.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """What changes from one pack to another: segments, rules, steps, limits."""
    from policies.diff import diff as compare

    changes = [vars(change) for change in compare(_compiled(before), _compiled(after))]
    columns = (Column("where", "where"), Column("before", "before"), Column("after", "after"))
    show(changes, columns, as_json=as_json, empty="They decide alike.")


@app.command()
def schema(
    to: Annotated[Path, typer.Option(help="Folder to write the schemas to.")] = Path("schemas"),
) -> None:
    """JSON Schemas of a pack's files, for editors that complete and check while you type."""
    from policies.json_schema import json_schemas

    to.mkdir(parents=True, exist_ok=True)
    for name, content in json_schemas().items():
        (to / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    say(f"{len(json_schemas())} schemas are in {to}. docs/policies.md says how to use them.")


def _compiled(pack: str) -> "CompiledPack":
    from policies.pack import load_pack

    if pack.isdigit():
        with opened() as engine:
            return engine.pack(int(pack))
    return load_pack(files_of(pack))
