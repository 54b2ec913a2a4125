"""One delivery in a process of its own, to be killed."""

import sys
from pathlib import Path

from maatpak.kernel.settings import Settings
from tasks.engine import open_engine
from tasks.send import deliver
from tests.tasks.outbox_world import DAY, NOW


def main() -> None:
    workspace, url, creditor, worker = sys.argv[1:5]
    engine = open_engine(Settings(workspace=Path(workspace), database_url=url))
    try:
        deliver(engine, int(creditor), DAY, NOW, worker)
    finally:
        engine.close()


if __name__ == "__main__":
    main()
