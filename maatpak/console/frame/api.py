"""The JSON side: all that the console shows and does, at the same paths under `/api/v1`, described by OpenAPI."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import date, datetime
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, TypeAdapter, create_model

from maatpak.console.bodies import Call
from maatpak.console.frame.asking import MOST_DIGITS, NUMBERED, Acting, Asking, ids_of, require_seen
from maatpak.console.frame.declared import Act, Listing, Paper, Room, Shape, Sheet
from maatpak.console.frame.doing import do
from maatpak.console.frame.listing import MOST_A_PAGE, read_page, read_wanted
from maatpak.console.frame.papers import as_answer
from maatpak.console.frame.problems import PROBLEM_JSON, TITLES, Problem
from maatpak.console.frame.rights import require_reader, require_role
from maatpak.console.frame.visiting import caller, query_of
from tasks.access.visitor import Visitor

if TYPE_CHECKING:
    from tasks.engine import Engine

PREFIX = "/api/v1"
LONGEST_CALL = 1024 * 1024
"""Bytes of a body: a pack's files fit, and whoever has not shown who they are fills no memory."""
DESCRIPTION = """
What the console shows and does, for programs. Send `Authorization: Bearer mpk_…`; people make tokens on their account's
page. A list goes on at `next`. An act may carry an `Idempotency-Key`: the same key again is answered with what came of
it the first time. What goes wrong has one shape, `Problem`. Amounts are in minor units of the currency beside them.
"""
TYPES: dict[Shape, Any] = {
    Shape.TEXT: str,
    Shape.CODE: str,
    Shape.MONEY: int,
    Shape.NUMBER: int,
    Shape.SHARE: float,
    Shape.DATE: date,
    Shape.INSTANT: datetime,
    Shape.FLAG: bool,
}


class Outcome(BaseModel):
    """What came of an act."""

    told: str = Field(description="In a sentence.")
    data: dict[str, Any] = Field(default_factory=dict, description="Numbers of what was made, and the like.")
    repeated: bool = Field(default=False, description="It had been done before with this key; nothing was done now.")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How the description tells of what may go wrong."""
    shape = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": TITLES[status], "content": {PROBLEM_JSON: shape}} for status in statuses}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description of the routes, with the one shape of problems and how callers show who they are."""
    told = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = told.setdefault("components", {})
    parts.setdefault("schemas", {}).update({**schema.pop("$defs"), "Problem": schema})
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    told["security"] = [{"token": []}]
    return told


class Bounded(APIRoute):
    """A route that reads its body no further than it may be long; it is read before anybody asks who calls."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        answer = super().get_route_handler()

        async def bounds(request: Request) -> Response:
            return await answer(Call(request, LONGEST_CALL))

        return bounds


class Api:
    """Serves rooms to programs. Its routes take the engine and the clock of whichever application they are in."""

    def __init__(self, rooms: Sequence[Room]) -> None:
        self._rooms = rooms

    def router(self) -> APIRouter:
        """The routes; fixed paths before those with names in them."""
        router = APIRouter(prefix=PREFIX, route_class=Bounded)
        added: list[tuple[str, Callable[[], object]]] = []
        for room in self._rooms:
            added += [(each.path, self._adds_listing(router, room, each)) for each in room.listings]
            added += [(each.path, self._adds_sheet(router, room, each)) for each in room.sheets]
            added += [(each.path, self._adds_paper(router, room, each)) for each in room.papers]
            added += [(each.path, self._adds_act(router, room, each)) for each in room.acts]
        for _, add in sorted(added, key=lambda each: (each[0].count("{"), -len(each[0]))):
            add()
        return router

    def _entrance(self, entered: Listing | Sheet | Paper | Act) -> list[Any]:
        """Who calls, and may they: asked before anything that they sent is looked at."""

        def enter(request: Request) -> None:
            engine = _engine_of(request)
            now = request.app.state.clock.now()
            asker = caller(engine, request, now)
            if isinstance(entered, Act):
                require_role(entered, asker)
            else:
                require_reader(asker, entered.roles)
            require_seen(engine, asker, ids_of(request.path_params))
            request.state.caller = (asker, now)

        return [Depends(enter)]

    def _adds(
        self,
        router: APIRouter,
        room: Room,
        each: Listing | Sheet | Paper | Act,
        verb: str,
        answer: Callable[..., Any],
        parameters: Sequence[Parameter],
        known: dict[int | str, dict[str, Any]],
        **shape: Any,
    ) -> Callable[[], None]:
        """What adds a route with all that is said of it."""
        return lambda: router.add_api_route(
            each.path,
            _with(answer, parameters),
            dependencies=self._entrance(each),
            methods=["POST" if isinstance(each, Act) else "GET"],
            responses=known,
            tags=[room.title],
            summary=each.title,
            description=each.help,
            operation_id=f"{verb}.{_plain(each.path)}",
            **shape,
        )

    def _adds_listing(self, router: APIRouter, room: Room, listing: Listing) -> Callable[[], None]:
        def answer(request: Request, **given: Any) -> dict[str, Any]:
            del given  # what the URL says is read whole, so that a name that is misspelt is told
            asker, now = _caller_of(request)
            query = query_of(request)
            engine = _engine_of(request)
            with engine.database.reading() as session:
                asking = Asking(engine, asker, session, now, query)
                page = read_page(asking, listing, read_wanted(listing, query))
            return {"items": page.rows, "count": page.count, "next": page.after}

        parameters = [
            _query(
                "sort",
                "Column to sort by, with a `-` in front for descending order: "
                + ", ".join(column.key for column in listing.columns if column.sorts),
            ),
            _query("after", "Where to go on: `next` of the page before."),
            _query("size", f"Rows of a page, from 1 to {MOST_A_PAGE}."),
            *([_query("q", "Words to search for.")] if listing.search else []),
            *([_query("creditor", "Code of a creditor.")] if listing.creditor else []),
            *(_query(each.key, each.title) for each in listing.filters),
        ]
        known = problems(401, 403, 422, *_ids_missing(listing.path))
        return self._adds(router, room, listing, "list", answer, parameters, known, response_model=_page_model(listing))

    def _adds_sheet(self, router: APIRouter, room: Room, sheet: Sheet) -> Callable[[], None]:
        adapter: TypeAdapter[Any] = TypeAdapter(sheet.context)
        named = _path_parameters(sheet.path)

        def answer(request: Request, **given: Any) -> Any:
            asker, now = _caller_of(request)
            ids = {each.name: given[each.name] for each in named}
            engine = _engine_of(request)
            with engine.database.reading() as session:
                context = sheet.read(Asking(engine, asker, session, now, query_of(request)), **ids)
            return adapter.dump_python(context, mode="json")

        known = problems(401, 403, 422, *_ids_missing(sheet.path), *((502,) if sheet.outside else ()))
        parameters = [*named, *(_query(name, told) for name, told in sheet.query.items())]
        return self._adds(router, room, sheet, "see", answer, parameters, known, response_model=sheet.context)

    def _adds_paper(self, router: APIRouter, room: Room, paper: Paper) -> Callable[[], None]:
        named = _path_parameters(paper.path)

        def answer(request: Request, **given: Any) -> Response:
            asker, now = _caller_of(request)
            ids = {each.name: given[each.name] for each in named}
            engine = _engine_of(request)
            with engine.database.reading() as session:
                return as_answer(paper.read(Asking(engine, asker, session, now, query_of(request)), **ids))

        known = problems(401, 403, 404, 422)
        known[200] = {"content": {kind: {} for kind in paper.media_types}, "description": paper.help}
        parameters = [*named, *(_query(name, told) for name, told in paper.query.items())]
        return self._adds(router, room, paper, "get", answer, parameters, known, response_class=Response)

    def _adds_act(self, router: APIRouter, room: Room, act: Act) -> Callable[[], None]:
        def answer(request: Request, **given: Any) -> dict[str, Any] | Response:
            form, once = given.pop("form", None), given.pop("idempotency_key", None)
            acting = Acting(_engine_of(request), *_caller_of(request))
            done, repeated = do(act, acting, given, form or act.form(), once)
            if done.file is not None:
                return as_answer(done.file)
            return {"told": done.told, "data": dict(done.data), "repeated": repeated}

        key = Parameter(
            "idempotency_key",
            Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None, Header(description="Your own name of this call.", max_length=200, pattern=r"^[\x21-\x7e]+$")
            ],
        )
        parameters = [*_path_parameters(act.path), key]
        if act.form.model_fields:
            parameters.append(Parameter("form", Parameter.KEYWORD_ONLY, annotation=act.form))
        known = problems(400, 401, 403, 404, 409, 413, 422, *((502, 503) if act.outside else ()))
        shape: dict[str, Any] = {"response_model": Outcome}
        if act.file is not None:
            known[200] = {"content": {act.file: {}}, "description": act.help}
            shape = {"response_model": None, "response_class": Response}
        return self._adds(router, room, act, "do", answer, parameters, known, **shape)


def _page_model(listing: Listing) -> type[BaseModel]:
    """A page of rows, each with the listing's columns."""
    name = _model_name(listing.path)
    columns: dict[str, Any] = {
        column.key: (TYPES[column.shape] | None, Field(description=column.title)) for column in listing.columns
    }
    row: Any = create_model(f"{name}Row", **columns)
    page: dict[str, Any] = {
        "items": (list[row], ...),
        "count": (int, Field(description="How many fit; beyond 10,000 they are not counted on.")),
        "next": (str | None, Field(description="`after` of the next page; null: this is the last.")),
    }
    return create_model(f"{name}Page", **page)


def _engine_of(request: Request) -> "Engine":
    """The engine of the application."""
    engine: Engine = request.app.state.engine
    return engine


def _caller_of(request: Request) -> tuple[Visitor, datetime]:
    """Who entered, and when."""
    entered: tuple[Visitor, datetime] = request.state.caller
    return entered


def _with(function: Callable[..., Any], parameters: Sequence[Parameter]) -> Callable[..., Any]:
    """A function that FastAPI reads these parameters of."""

    def endpoint(**given: Any) -> Any:
        return function(**given)

    request = Parameter("request", Parameter.KEYWORD_ONLY, annotation=Request)
    endpoint.__signature__ = Signature([request, *parameters])  # type: ignore[attr-defined]
    return endpoint


def _query(name: str, told: str) -> Parameter:
    """A name in the URL's query; it may be a word of Python, and that of an id in the path, so it has a mark before."""
    said = Query(alias=name, description=told, max_length=400)
    return Parameter(f"by_{name}", Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, said])


def _path_parameters(path: str) -> list[Parameter]:
    found = []
    for part in path.split("/"):
        if not part.startswith("{"):
            continue
        name = part[1:-1]
        kind: Any = Annotated[str, Path(max_length=200, pattern=r"^[^\x00-\x1f/]+$")]
        if name in NUMBERED:
            kind = Annotated[int, Path(ge=0, lt=10**MOST_DIGITS)]
        found.append(Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind))
    return found


def _ids_missing(path: str) -> tuple[int, ...]:
    return (404,) if "{" in path else ()


def _plain(path: str) -> str:
    return ".".join(part.strip("{}") for part in path.strip("/").split("/")) or "today"


def _model_name(path: str) -> str:
    return "".join(part.strip("{}").title().replace("_", "") for part in path.strip("/").split("/"))
