"""The web application: for now, the hooks by which services call back, and the page that customers open from a mail."""

from fastapi import FastAPI

from maatpak.console.hooks import hooks
from maatpak.console.preferences import preferences
from maatpak.kernel.clock import Clock, SystemClock
from tasks.engine import Engine


def create_app(engine: Engine, clock: Clock | None = None) -> FastAPI:
    """The application on an engine; it opens nothing of its own. Its clock is the machine's unless given."""
    app = FastAPI(title="Maatpak", docs_url=None, redoc_url=None, openapi_url=None)
    given = clock or SystemClock()
    app.include_router(hooks(engine, given))
    app.include_router(preferences(engine, given))
    return app
