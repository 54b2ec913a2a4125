"""`maatpak demo`: two months of a made-up world, told as a credit manager would want to read it.

It always works on a workspace of its own, with the embedded database and the local sinks: nothing leaves this machine.
"""

import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maatpak.cli.output import Column, console, progress, say, show
from maatpak.kernel.clock import SystemClock
from maatpak.kernel.errors import UsageError, WorkspaceError
from maatpak.kernel.settings import Settings

if TYPE_CHECKING:
    from deployments.children import Child
    from deployments.patience import Patience
    from maatpak.demo.beside import Beside
    from maatpak.demo.play import Play
    from tasks.engine import Engine

app = typer.Typer()

DAYS = 47
"""So long that the first handoffs to an agency wait for a yes."""
MARK = "demo"
"""A file that says: this workspace is the demo's, and may be made afresh."""


@app.command()
def demo(
    *,
    leave: Annotated[bool, typer.Option("--exit", help="End after the summary instead of serving the pages.")] = False,
    days: Annotated[int, typer.Option(min=1, max=260, help="Business days to play.")] = DAYS,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of Prefect's page.")] = 4242,
    console_port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the console.")] = 4243,
    folder: Annotated[Path, typer.Option(help="Where the demo's workspace is made afresh.")] = Path("demo-workspace"),
) -> None:
    """Play business days of three made-up houses, sum them up, then serve the console until Ctrl-C."""
    from deployments.patience import patience

    # Frames of some hundred rows: to share them out takes longer than the work, and the database wants its core.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    settings = _fresh_workspace(folder.resolve(), port, console_port)
    with patience() as waiting, ExitStack() as started:
        try:
            _play(settings, days, waiting, started, leave=leave)
        except KeyboardInterrupt:
            say("Stopped.")


def _play(settings: Settings, days: int, waiting: "Patience", started: ExitStack, *, leave: bool) -> None:
    from deployments.stack import console as web
    from deployments.stack import dispatching, prefect_server, serving
    from maatpak.demo.beside import Beside
    from maatpak.demo.days import HERE
    from maatpak.demo.generate import WorldPlan
    from maatpak.demo.play import Play
    from tasks.engine import initialise, open_engine

    pages = ExitStack()
    aside = started.enter_context(ThreadPoolExecutor(1))
    # Prefect's first start takes its time; it may do so while the first days are played.
    opening = aside.submit(pages.enter_context, prefect_server(settings, wait=waiting.wait))
    started.callback(pages.close)
    started.callback(opening.exception)
    initialise(settings)
    engine = open_engine(settings)
    started.callback(engine.close)
    play = started.enter_context(closing(Play(engine, WorldPlan(), houses=HERE)))
    play.open_houses()
    with closing(Beside(settings, days)) as beside:
        _play_days(play, beside, days, opening, waiting)
        _sum_up(play)
        if leave:
            return
        settings = _open_the_morning(play, beside, days, waiting)
    url, server = opening.result()
    parts = [part(settings, url, named=False, wait=waiting.wait) for part in (serving, dispatching, web)]
    children = [server, *(started.enter_context(part) for part in parts)]
    _say_the_way_in(engine, settings, url)
    while True:
        for child in children:
            child.require_alive()
        waiting.wait(1.0)


def _open_the_morning(play: "Play", beside: "Beside", days: int, waiting: "Patience") -> Settings:
    """Play the next morning, and stop the clock's difference there: from now on it is that day for all who look."""
    from deployments.stack import LOOK_EVERY
    from maatpak.demo.days import next_morning
    from maatpak.demo.play import OPENING, at

    say("The next morning: the ledgers of the night and the runs, for you to go on with …")
    beside.go_on()
    day = next_morning(play, days)
    while not beside.news():
        waiting.wait(LOOK_EVERY)
    settings = play.engine.settings
    ahead = int((at(day, OPENING) - SystemClock().now()).total_seconds())
    (settings.workspace / "maatpak.env").write_text(f"MAATPAK_CLOCK_AHEAD={ahead}\n")
    return settings.model_copy(update={"clock_ahead": ahead})


def _say_the_way_in(engine: "Engine", settings: Settings, prefect_url: str) -> None:
    from maatpak.demo.logins import give_demo_logins

    logins = give_demo_logins(engine, settings.clock.now())
    say("")
    columns = (Column("login", "login"), Column("role", "role"), Column("password", "password"))
    rows = [{"login": login, "role": role.replace("_", " "), "password": password} for login, role, password in logins]
    show(rows, columns, as_json=False, title=f"Log in at the console: http://127.0.0.1:{settings.console_port}/")
    say(f"It is {settings.clock.now():%A %d %B %Y} there. Prefect's page: {prefect_url.removesuffix('/api')}")
    say("Ctrl-C stops everything.")


def _play_days(
    play: "Play", beside: "Beside", days: int, opening: "Future[tuple[str, Child]]", waiting: "Patience"
) -> None:
    """Here and beside, until both are through."""
    from deployments.stack import LOOK_EVERY
    from maatpak.demo.days import play_days

    parts = days + 1
    with progress("Days", 2 * parts) as advance:

        def listen() -> int:
            news = beside.news()
            for name, refused in news:
                play.rejected += refused
                advance(name)
            return len(news)

        left = parts
        for name in play_days(play, days, lambda: opening.result()[0]):
            advance(name)
            left -= listen()
            waiting.wait(0)  # Ctrl-C ends the play between two days
            if opening.done():
                opening.result()
        while left:
            waiting.wait(LOOK_EVERY)
            left -= listen()


def _sum_up(play: "Play") -> None:
    from maatpak.demo.figures import read_figures
    from maatpak.demo.story import tell_story
    from maatpak.demo.summary import show as sum_up

    engine, start = play.engine, play.plan.starts_on
    as_of = play.last_day or start
    figures = read_figures(engine.database, engine.store, start, as_of)
    sum_up(console(), figures, tell_story(engine.database, engine.store, start))
    for house, day, why in sorted(play.rejected, key=itemgetter(1, 0)):
        say(f"Refused by the quality gate: {house}, {day:%d %b}: {why}")
    workspace = engine.workspace
    say(f"Mails, texts and letters, as they were written, and what came back: {workspace.sinks}")
    say(f"Look further: `maatpak --workspace {workspace.root}` with `cases`, `tasks list`, `explain`, `audit verify`.")


def _fresh_workspace(folder: Path, port: int, console_port: int) -> Settings:
    """An empty workspace: an earlier demo's is made afresh, anybody else's is refused.

    Raises:
        UsageError: the folder holds something that is not a demo's.
        WorkspaceError: an earlier demo is still running there.
    """
    from maatpak.ledger.embedded import EmbeddedPostgres

    for name in [name for name in os.environ if name.startswith("MAATPAK_")]:
        del os.environ[name]  # the demo has no outside: no other database, no mail server
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise UsageError(
            f"{folder} is not a workspace of the demo.",
            advice="Choose another folder with --folder; it is made afresh.",
        )
    server = EmbeddedPostgres.of_workspace(folder)
    if server.exists:
        server.start()
        if not server.leave():
            raise WorkspaceError(f"A demo still runs in {folder}.", advice="Stop it, or choose another with --folder.")
    shutil.rmtree(server.home, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("made by `maatpak demo`; the next demo makes it afresh\n")
    return Settings(workspace=folder, prefect_port=port, console_port=console_port)
