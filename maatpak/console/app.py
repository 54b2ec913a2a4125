"""The web application: for now, the hooks by which services call back, and the page that customers open from a mail."""

from fastapi import FastAPI

from maatpak.console.hooks import hooks
from maatpak.console.preferences import preferences
from tasks.engine import Engine


def create_app(engine: Engine) -> FastAPI:
    """The application on an engine; it opens nothing of its own."""
    app = FastAPI(title="Maatpak", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(hooks(engine))
    app.include_router(preferences(engine))
    return app
