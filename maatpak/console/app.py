"""The web application: the console and its API, the hooks by which services call back, and the customers' page."""

from collections.abc import Mapping, Sequence
from functools import cache

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from maatpak import __version__
from maatpak.console.charts.pictures import chart_routes
from maatpak.console.entrance import entrance
from maatpak.console.frame.api import DESCRIPTION, PREFIX, Api, describe
from maatpak.console.frame.drawing import ASSETS, asset_content, draw_problem
from maatpak.console.frame.headers import HEADERS, guard
from maatpak.console.frame.pages import Pages
from maatpak.console.frame.problems import FieldProblem, Problem, answer, problem, problem_of
from maatpak.console.hooks import hooks
from maatpak.console.preferences.routes import preferences
from maatpak.console.rooms import ROOMS
from maatpak.kernel.clock import Clock
from maatpak.kernel.errors import MaatpakError
from maatpak.ledger.failures import keep_failure
from tasks.engine import Engine

FOR_EVER = "public, max-age=31536000, immutable"


def create_app(engine: Engine, clock: Clock | None = None) -> FastAPI:
    """The application on an engine; it opens nothing of its own. Its clock is the engine's unless given."""
    given = clock or engine.clock
    app = FastAPI(
        title="Maatpak",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.include_router(hooks(engine, given))
    app.include_router(preferences(engine, given))
    app.include_router(entrance(engine, given))
    app.include_router(chart_routes(engine, given))
    app.state.engine, app.state.clock = engine, given
    app.router.routes.extend(_api_routes())
    app.router.routes.extend(Pages(engine, given, ROOMS).routes())
    app.add_api_route("/static/{digest}/{name}", _asset, methods=["GET"], include_in_schema=False)
    _describe(app)
    _tell_problems(app, engine)
    app.middleware("http")(guard)
    return app


@cache
def _api_routes() -> Sequence[BaseRoute]:
    """Made once a process: describing them to FastAPI takes half a second."""
    return Api(ROOMS).router().routes


def _describe(app: FastAPI) -> None:
    described = cache(lambda: describe(app))

    @app.get(f"{PREFIX}/openapi.json", include_in_schema=False)
    def description() -> JSONResponse:
        return JSONResponse(described())


def _asset(digest: str, name: str) -> Response:
    del digest  # it changes with the content, so that what a browser kept is never too old
    if name not in ASSETS:
        return Response(status_code=404)
    return Response(asset_content(name), media_type=ASSETS[name], headers={"Cache-Control": FOR_EVER})


def _tell_problems(app: FastAPI, engine: Engine) -> None:
    """One shape for whatever goes wrong: a page for people, problem+json for programs."""

    async def told(request: Request, error: Exception) -> Response:
        return _shown(request, problem_of(error))

    async def not_valid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        fields = [
            FieldProblem(field=".".join(map(str, each["loc"][1:])) or "body", message=str(each["msg"]))
            for each in error.errors()
        ]
        return _shown(request, problem(422, "form", "The call does not hold.", "Correct what is listed.", fields))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        what = {404: "There is nothing here.", 405: "This cannot be done here."}
        told = problem(error.status_code, "http", what.get(error.status_code, str(error.detail)))
        return _shown(request, told, error.headers)

    async def ours(request: Request, error: Exception) -> Response:
        keep_failure(engine.workspace, error)
        return _shown(request, problem_of(error), HEADERS)  # it is told outside of the guard

    app.add_exception_handler(MaatpakError, told)
    app.add_exception_handler(RequestValidationError, not_valid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, ours)


def _shown(request: Request, told: Problem, headers: Mapping[str, str] | None = None) -> Response:
    if request.url.path.startswith(PREFIX):
        return answer(told, headers)
    return Response(draw_problem(told), told.status, dict(headers or {}), media_type="text/html")
