"""The web application, a child of `maatpak up` and of the demo. Run as a module with a port."""

import sys
from importlib import import_module
from threading import Thread

from deployments.children import end_with_parent


def main() -> None:
    """Serve the workspace of the environment until the parent ends us or is gone."""
    end_with_parent()
    import uvicorn

    from maatpak.console.app import create_app
    from maatpak.console.charts.pictures import warm_up
    from maatpak.kernel.settings import load_settings
    from tasks.engine import open_engine

    settings = load_settings()
    engine = open_engine(settings)
    Thread(target=warm_up, name="charts", daemon=True).start()
    # It takes seconds to load, and the first who opens Operations is not to wait for it.
    Thread(target=import_module, args=("prefect.client.orchestration",), daemon=True).start()
    try:
        uvicorn.run(
            create_app(engine),
            host=settings.console_host,
            port=int(sys.argv[1]),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=5,
        )
    finally:
        engine.close()


if __name__ == "__main__":
    main()
