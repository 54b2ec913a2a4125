"""Tells webhooks of events, a thread of the dispatcher: beside the runs, and beside each other."""

import threading
from functools import partial

from deployments.beside import OneOfEach
from maatpak.ledger.failures import keep_failure
from tasks.engine import Engine
from tasks.webhooks import gather, send_events, those_due

LOOK_EVERY = 1.0
"""Seconds."""
AGAIN_AFTER = 10.0
"""Seconds until a program is told again that took nothing, or that could not be told."""
AT_ONCE = 8
"""Programs; one that does not answer takes one of these places for as long as it is waited for."""


def tell_programs(engine: Engine, stop: threading.Event) -> None:
    """Look every so often whom something is to be told, until we are asked to end."""
    programs = OneOfEach(AT_ONCE, "webhook")
    while not stop.wait(LOOK_EVERY):
        try:
            now = engine.clock.now()
            gather(engine, now)
            due = those_due(engine, now)
        except Exception as error:  # noqa: BLE001 - what was not told stays to be told
            keep_failure(engine.workspace, error)
            stop.wait(AGAIN_AFTER)
            continue
        for webhook_id in due:
            programs.start(webhook_id, partial(_tell, engine, webhook_id))
    programs.close()


def _tell(engine: Engine, webhook_id: int) -> float:
    """Tell one program what is due; the seconds that it is then left alone: some, if it took nothing."""
    try:
        told = send_events(engine, webhook_id, engine.clock.now())
    except Exception as error:  # noqa: BLE001 - what was not told stays to be told
        keep_failure(engine.workspace, error)
        return AGAIN_AFTER
    return 0.0 if told["delivered"] else AGAIN_AFTER
