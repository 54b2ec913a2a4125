"""The root command: what there is, loaded only when called, and one shape for whatever goes wrong.

An error is a sentence of what was wrong and one of what to do, on standard error, with the exit status of its kind;
with `--json` the same as an object. A traceback is shown only with `--debug`.
"""

import json
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from maatpak import __version__
from maatpak.cli.faults import translated
from maatpak.cli.session import Invocation, invoked_with
from maatpak.kernel.errors import MaatpakError, PolicyError


class Entry(NamedTuple):
    """A command: the module that has its `app` (a typer.Typer), and what the help says of it."""

    module: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "init": Entry("maatpak.cli.init", "Make a workspace and its database, or bring them up."),
    "doctor": Entry("maatpak.cli.doctor", "Look whether all is well: settings, database, chain, invariants."),
    "up": Entry("maatpak.cli.up", "Start the database, a Prefect server and the deployments; Ctrl-C stops all."),
    "demo": Entry("maatpak.cli.demo", "Play business days on a made-up ledger, then serve the pages."),
    "creditor": Entry("maatpak.cli.creditor", "Who is owed: add, change, list, licence and licences of the agency."),
    "user": Entry(
        "maatpak.cli.user",
        "Who acts: add, change, list, requests, confirm, refuse, password, logout, token, tokens, revoke.",
    ),
    "policy": Entry(
        "maatpak.cli.policy",
        "Policy packs: check, impact, publish, submit, drafts, confirm, refuse, withdraw, move, diff, schema.",
    ),
    "ingest": Entry("maatpak.cli.ingest", "Take a ledger file in, through its source and the quality gate."),
    "quarantine": Entry("maatpak.cli.quarantine", "Rows that were set apart: list, fix, release, discard."),
    "run": Entry("maatpak.cli.run", "Run a creditor's business day."),
    "deliver": Entry("maatpak.cli.deliver", "Send what is in the outbox."),
    "receive": Entry("maatpak.cli.receive", "Take in what came back: reports, replies, news of letters."),
    "cases": Entry("maatpak.cli.cases", "The cases: amounts, segment, where they stand."),
    "case": Entry(
        "maatpak.cli.case",
        "One case by hand: move, skip, merge, note, notes, recall from the agency, placements.",
    ),
    "explain": Entry("maatpak.cli.explain", "Why a debtor gets what it gets, or nothing."),
    "preview": Entry("maatpak.cli.preview", "What a step would send to a customer today; nothing is sent."),
    "approvals": Entry("maatpak.cli.approvals", "What waits for a yes or no: list, approve, reject."),
    "tasks": Entry("maatpak.cli.tasks", "Work for people: list, done."),
    "hold": Entry("maatpak.cli.hold", "Holds, why and until when nobody is written to: add, lift, list."),
    "promise": Entry("maatpak.cli.promise", "Promises to pay: add, cancel, list."),
    "dispute": Entry("maatpak.cli.dispute", "Disputes: add, decide, list."),
    "claim": Entry("maatpak.cli.claim", "Payments that customers say they made: add, found, not-found, list."),
    "reason": Entry("maatpak.cli.reason", "Why a customer does not pay: add, list."),
    "plan": Entry("maatpak.cli.plan", "Payment plans: add, accept, decline, cancel, list."),
    "ticket": Entry("maatpak.cli.ticket", "Complaints and undelivered orders: add, close, list."),
    "preference": Entry("maatpak.cli.preference", "What customers asked for: add, contact, opt-out, texts, list."),
    "check": Entry("maatpak.cli.check", "What is checked of a customer before a placement: record, list."),
    "messages": Entry(
        "maatpak.cli.messages",
        "Mails, texts and letters: list, resolve, cancel, note, answer, answers, addresses, incoming, assign, watch.",
    ),
    "letters": Entry("maatpak.cli.letters", "Letters in the spool folder: list, print, note what became of them."),
    "report": Entry("maatpak.cli.report", "Overdue items without an action, and other figures."),
    "audit": Entry("maatpak.cli.audit", "The chain of events: verify, export, replay."),
}
"""Every command, in the order of the help."""


class LazyCommands(TyperGroup):
    """Knows its commands by the table; imports a command's module when it is called, not to list it."""

    _listing = False

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=entry.summary) for name, entry in COMMANDS.items()}

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the table."""
        del ctx
        return list(self.commands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command itself, or, for the help page, just its name and summary."""
        if self._listing or cmd_name not in self.commands:
            return super().get_command(ctx, cmd_name)
        entry = COMMANDS[cmd_name]
        command = typer.main.get_command(import_module(entry.module).app)
        command.name = cmd_name
        command.help = command.help or entry.summary
        return command

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The help page, from the table."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


root = typer.Typer(name="maatpak", cls=LazyCommands, add_completion=False, no_args_is_help=True)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer hands the option over by position
    if wanted:
        typer.echo(f"maatpak {__version__}")
        raise typer.Exit


@root.callback()
def _options(
    workspace: Annotated[
        Path | None, typer.Option(envvar="MAATPAK_WORKSPACE", help="Folder of the workspace (default: ./workspace).")
    ] = None,
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Credit management made to measure: get the money in and keep the customer."""
    del version
    invoked_with(Invocation(workspace=workspace, debug=debug))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        typer.main.get_command(root).main(given, prog_name="maatpak")
    except Exception as error:  # noqa: BLE001 - the edge: whatever comes here becomes a message
        if "--debug" in given:
            traceback.print_exc()
        raise SystemExit(_report(translated(error), as_json="--json" in given)) from None


def _report(error: MaatpakError, *, as_json: bool) -> int:
    if as_json:
        shape: dict[str, Any] = {"code": error.code, "message": error.message, "advice": error.advice}
        if isinstance(error, PolicyError):
            shape["problems"] = list(error.problems)
        sys.stderr.write(json.dumps({"error": shape}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"{error}\n")
    return error.exit_status
