"""The web application: for now, the hooks by which services call back. Run as a module with a port."""

import sys

from fastapi import FastAPI

from maatpak.console.hooks import hooks
from tasks.engine import Engine

HOST = "127.0.0.1"


def create_app(engine: Engine) -> FastAPI:
    """The application on an engine; it opens nothing of its own."""
    app = FastAPI(title="Maatpak", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(hooks(engine))
    return app


def main() -> None:
    """Serve the workspace of the environment until the parent ends us or is gone."""
    import uvicorn

    from maatpak.kernel.settings import load_settings
    from tasks.engine import open_engine

    engine = open_engine(load_settings())
    try:
        uvicorn.run(create_app(engine), host=HOST, port=int(sys.argv[1]), log_level="warning", access_log=False)
    finally:
        engine.close()


if __name__ == "__main__":
    main()
