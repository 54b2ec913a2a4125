"""Carries decisions on, and tells programs of events.

It looks whom people's acts want looked at, and starts a run of `onward` for each through Prefect.

The run is made from its deployment, so it is seen there, paused there, and shown with its cause; it is carried out in
this process, which has loaded everything already. Of each creditor there is one run at a time, and what is recorded
meanwhile leads to one more. Where Prefect does not answer or the deployment is paused, what asks stays (tasks.waking).
Run as a module, as a child of `maatpak up` and the demo (deployments/stack.py).
"""

import logging
import signal
import sys
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.flow_engine import run_flow
from prefect.states import Pending

from deployments.beside import OneOfEach
from deployments.children import end_with_parent
from deployments.telling import tell_programs
from flows.onward import onward
from flows.workplace import lent
from maatpak.kernel.errors import OutsideError
from maatpak.kernel.settings import load_settings
from tasks.engine import Engine, open_engine
from tasks.waking import Waiting, taken, those_waiting

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

LOOK_EVERY = 0.5
"""Seconds."""
AGAIN_AFTER = 10.0
"""Seconds until a creditor is tried again whose run could not be started."""
LONG = 10.0
"""A run of more seconds is followed by as many without one: a large creditor's people act all day, and the database is
not theirs alone."""
RUNS_AT_ONCE = 2

said = logging.getLogger("maatpak.dispatch")


class Dispatcher:
    """Starts what is asked for, and remembers what was said."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._runs = OneOfEach(RUNS_AT_ONCE, "onward")
        self._told: dict[str, str] = {}
        """What was last said of a creditor, or of all."""

    def look(self) -> None:
        """Start a run for each creditor that wants one and has none. Returns at once."""
        try:
            waiting = those_waiting(self._engine)
        except Exception as error:  # noqa: BLE001 - the database comes back, or `up` ends for other reasons
            self._tell("all", f"The database does not answer ({type(error).__name__}); looking again.")
            return
        self._told.pop("all", None)
        for each in waiting:
            self._runs.start(each.creditor_id, partial(self.carry_on, each))

    def close(self) -> None:
        """Wait for what is under way."""
        self._runs.close()

    def carry_on(self, waiting: Waiting) -> float:
        """Run what a creditor asks for; the seconds that it rests afterwards. What cannot be run stays asked for."""
        begun = time.monotonic()
        try:
            with taken(self._engine, waiting.creditor_id) as causes:
                if causes:
                    _run(waiting.code, causes)
        except Exception as error:  # noqa: BLE001 - what asks stays, and the next day looks at it anyway
            self._tell(waiting.code, _why(error))
            return AGAIN_AFTER
        self._told.pop(waiting.code, None)
        lasted = time.monotonic() - begun
        return lasted if lasted > LONG else 0.0

    def _tell(self, whom: str, what: str) -> None:
        """Once, however often it happens."""
        if self._told.get(whom) != what:
            self._told[whom] = what
            said.warning("%s: %s", whom, what)


def _run(code: str, causes: list[str]) -> None:
    flow_run = _made(code, ", ".join(f"{cause} {count}" for cause, count in Counter(causes).most_common()))
    run_flow(onward, flow_run=flow_run, parameters=dict(flow_run.parameters), return_type="state")


def _made(code: str, causes: str) -> "FlowRun":
    """A flow run of the deployment, pending from the start, so that no runner takes it up.

    Raises:
        OutsideError: Prefect does not know the deployment, or it is paused.
    """
    with get_client(sync_client=True) as client:
        try:
            deployment = client.read_deployment_by_name(f"{onward.name}/{code}")
        except ObjectNotFound as error:
            raise OutsideError(
                f"Prefect has no deployment {onward.name}/{code}.", advice="`maatpak up` makes it at its next start."
            ) from error
        if deployment.paused:
            raise OutsideError(f"The deployment {onward.name}/{code} is paused; decisions wait.")
        return client.create_flow_run_from_deployment(
            deployment.id, parameters={"creditor": code}, state=Pending(), name=f"{code}: {causes}"
        )


def _why(error: Exception) -> str:
    if isinstance(error, OutsideError):
        return str(error)
    return f"Prefect did not take the run ({type(error).__name__}); what was recorded waits, and is tried again."


def dispatch(engine: Engine, stop: threading.Event) -> None:
    """Look every so often until we are asked to end; what is under way ends first."""
    dispatcher = Dispatcher(engine)
    telling = threading.Thread(target=tell_programs, args=(engine, stop), name="webhooks")
    telling.start()
    with lent(engine):
        while not stop.wait(LOOK_EVERY):
            dispatcher.look()
        dispatcher.close()
    telling.join()


def main() -> None:
    """Dispatch for the workspace of the environment until the parent ends us or is gone."""
    end_with_parent()
    logging.basicConfig(format="%(asctime)s %(message)s")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    engine = open_engine(load_settings())
    try:
        Path(sys.argv[1]).touch()
        dispatch(engine, stop)
    finally:
        engine.close()


if __name__ == "__main__":
    main()
