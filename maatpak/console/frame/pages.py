"""The HTML side: routes of every listing, sheet and act. Who is not logged in is asked to; a failure is a page, too."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from maatpak.console.frame.about import about
from maatpak.console.frame.asking import Acting, Asking, ids_of, require_seen
from maatpak.console.frame.declared import Act, Listing, Paper, Room, Sheet
from maatpak.console.frame.doing import do
from maatpak.console.frame.drawing import draw, draw_problem
from maatpak.console.frame.exporting import MOST_ROWS, as_csv, as_xlsx, one_at_a_time
from maatpak.console.frame.fields import given_of, inputs_of, read_form
from maatpak.console.frame.listing import choices_of, read_all, read_page, read_wanted
from maatpak.console.frame.papers import as_answer
from maatpak.console.frame.problems import FormError, MissingError, Problem, problem_of
from maatpak.console.frame.rights import may_do, require_reader, require_role
from maatpak.console.frame.said import SAID, said_cookie, what_was_said
from maatpak.console.frame.visiting import (
    by_https,
    fields_of,
    local_path,
    login_path,
    query_of,
    require_own_form,
    visitor,
)
from maatpak.kernel.clock import Clock
from maatpak.kernel.errors import MaatpakError
from tasks.access.visitor import Visitor, csrf_mark

if TYPE_CHECKING:
    from tasks.engine import Engine

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SEE_OTHER = 303
PASSWORD_PATH = "/account/password"  # noqa: S105 - a path


class Pages:
    """Serves rooms to browsers."""

    def __init__(self, engine: "Engine", clock: Clock, rooms: Sequence[Room]) -> None:
        self._engine = engine
        self._clock = clock
        self._rooms = rooms
        self._acts = {act.path: act for room in rooms for act in room.acts}
        self._shown = {each.path: each.roles for room in rooms for each in room.pages}

    def routes(self) -> list[Route]:
        """Fixed paths before those with names in them, so that `/approvals/batch` is no approval's number."""
        made: list[Route] = []
        for room in self._rooms:
            for listing in room.listings:
                made.append(self._route(listing.path, ["GET"], self._listing(room, listing)))
                made.append(self._route(f"{listing.path}.csv", ["GET"], self._export(listing, "csv")))
                made.append(self._route(f"{listing.path}.xlsx", ["GET"], self._export(listing, "xlsx")))
            made += [self._route(sheet.path, ["GET"], self._sheet(room, sheet)) for sheet in room.sheets]
            made += [self._route(paper.path, ["GET"], self._paper(paper)) for paper in room.papers]
            made += [self._route(act.path, ["GET", "POST"], self._act(room, act)) for act in room.acts]
        return sorted(made, key=lambda route: (route.path.count("{"), -len(route.path)))

    def _route(self, path: str, methods: list[str], answer: Callable[..., Response]) -> Route:
        """A route whose work is done in a thread: `answer(request, visitor, now, fields)`."""

        async def endpoint(request: Request) -> Response:
            fields: Sequence[tuple[str, str]] = ()
            if request.method == "POST":
                try:
                    fields = await fields_of(request)
                except MaatpakError as error:
                    return _failed(error)
            return await run_in_threadpool(self._answered, request, answer, fields)

        return Route(path, endpoint, methods=methods, include_in_schema=False)

    def _answered(
        self, request: Request, answer: Callable[..., Response], fields: Sequence[tuple[str, str]]
    ) -> Response:
        now = self._clock.now()
        try:
            asker = visitor(self._engine, request, now)
            if asker is None:
                return RedirectResponse(login_path(request), SEE_OTHER)
            if asker.must_change_password and request.url.path != PASSWORD_PATH:
                return RedirectResponse(PASSWORD_PATH, SEE_OTHER)
            return answer(request, asker, now, fields)
        except MaatpakError as error:
            return _failed(error)

    def _listing(self, room: Room, listing: Listing) -> Callable[..., Response]:
        def answer(request: Request, asker: Visitor, now: datetime, fields: object) -> Response:
            del fields
            require_reader(asker, listing.roles)
            query = query_of(request)
            with self._engine.database.reading() as session:
                asking = Asking(self._engine, asker, session, now, query)
                wanted = read_wanted(listing, query)
                page = read_page(asking, listing, wanted)
                choices = {each.key: choices_of(asking, each) for each in listing.filters}
                shell = self._shell(asking, request, room)
            kept = {key: value for key, value in query.items() if key != "after"}
            acts = [act for act in listing.acts if may_do(act, asker)]
            return self._drawn(
                "listing.html",
                listing=listing,
                page=page,
                wanted=wanted,
                choices=choices,
                kept=kept,
                acts=acts,
                **shell,
            )

        return answer

    def _export(self, listing: Listing, kind: str) -> Callable[..., Response]:
        def answer(request: Request, asker: Visitor, now: datetime, fields: object) -> Response:
            del fields
            require_reader(asker, listing.roles)
            query = {key: value for key, value in query_of(request).items() if key not in ("after", "size")}
            with one_at_a_time(), self._engine.database.reading() as session:
                asking = Asking(self._engine, asker, session, now, query)
                rows = read_all(asking, listing, read_wanted(listing, query), MOST_ROWS)
                body = as_xlsx(listing, rows) if kind == "xlsx" else as_csv(listing, rows)
            name = f"{listing.path.strip('/').replace('/', '-')}-{now:%Y-%m-%d}.{kind}"
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return Response(body, headers=headers, media_type=XLSX if kind == "xlsx" else "text/csv; charset=utf-8")

        return answer

    def _sheet(self, room: Room, sheet: Sheet) -> Callable[..., Response]:
        def answer(request: Request, asker: Visitor, now: datetime, fields: object) -> Response:
            del fields
            require_reader(asker, sheet.roles)
            ids = ids_of(request.path_params)
            with self._engine.database.reading() as session:
                asking = Asking(self._engine, asker, session, now, query_of(request))
                context = sheet.read(asking, **ids)
                shell = self._shell(asking, request, room)
            shell |= {"act": self._offer(asker), "sees": self._sees(asker)}
            return self._drawn(sheet.template, sheet=sheet, it=context, ids=ids, **shell)

        return answer

    def _paper(self, paper: Paper) -> Callable[..., Response]:
        def answer(request: Request, asker: Visitor, now: datetime, fields: object) -> Response:
            del fields
            require_reader(asker, paper.roles)
            with self._engine.database.reading() as session:
                asking = Asking(self._engine, asker, session, now, query_of(request))
                return as_answer(paper.read(asking, **ids_of(request.path_params)))

        return answer

    def _act(self, room: Room, act: Act) -> Callable[..., Response]:
        def answer(request: Request, asker: Visitor, now: datetime, fields: Sequence[tuple[str, str]]) -> Response:
            ids = ids_of(request.path_params)
            acting = Acting(self._engine, asker, now)
            require_role(act, asker)
            require_seen(self._engine, asker, ids)
            if request.method == "GET":
                return self._form(request, room, act, asker, now, ids, query_of(request), {})
            sent = dict(fields)
            require_own_form(self._engine, asker, request, sent.get("mark", ""))
            try:
                form = read_form(act.form, fields)
                done, _ = do(act, acting, ids, form, sent.get("once") or None)
            except FormError as error:
                given = {**error.given, "back": sent.get("back")}
                return self._form(request, room, act, asker, now, ids, given, error.errors)
            except MissingError:
                raise
            except MaatpakError as error:
                given = {**given_of(act.form, fields), "back": sent.get("back")}
                return self._form(request, room, act, asker, now, ids, given, {}, problem_of(error))
            go = local_path(done.go or sent.get("back"))
            answered = as_answer(done.file) if done.file else RedirectResponse(go, SEE_OTHER)
            answered.set_cookie(
                value=said_cookie(self._engine.link_key, done.told), secure=by_https(self._engine), **SAID
            )
            return answered

        return answer

    def _form(
        self,
        request: Request,
        room: Room,
        act: Act,
        asker: Visitor,
        now: datetime,
        ids: Mapping[str, Any],
        given: Mapping[str, Any],
        errors: Mapping[str, str],
        told: Problem | None = None,
    ) -> Response:
        """The page of an act alone: to fill in, or what does not hold."""
        with self._engine.database.reading() as session:
            asking = Asking(self._engine, asker, session, now, query_of(request))
            what = about(asking, ids)
            choices = act.choices(asking, **ids) if act.choices else {}
            if act.first is not None and request.method == "GET":
                given = {**act.first(asking, **ids), **given}
            wanted = act.wanted(asking, **ids) if act.wanted else act.form.model_fields
            shell = self._shell(asking, request, room)
        inputs = [each for each in inputs_of(act.form, given, errors, choices) if each.name in wanted]
        back = local_path(given.get("back") or (what.path if what else room.path))
        status = told.status if told else 422 if errors else 200
        return self._drawn(
            "act.html",
            status,
            act_=act,
            ids=ids,
            inputs=inputs,
            errors=errors,
            about=what,
            told=told,
            back=back,
            **shell,
        )

    def _offer(self, asker: Visitor) -> Callable[[str], Act | None]:
        """For templates: the act of a path, if this visitor may do it."""

        def offered(path: str) -> Act | None:
            act = self._acts[path]
            return act if may_do(act, asker) else None

        return offered

    def _sees(self, asker: Visitor) -> Callable[[str], bool]:
        """For templates: whether there is a page of a path, and this visitor may see it: then it is linked to."""
        return lambda path: asker.role in self._shown.get(path, ())

    def _shell(self, asking: Asking, request: Request, room: Room | None) -> dict[str, Any]:
        """What surrounds every page: the menu with what waits, the visitor, and what was just said."""
        seen = [each for each in self._rooms if each.in_menu and asking.visitor.role in each.roles]
        return {
            "rooms": seen,
            "here": room,
            **_tabs(room, asking.visitor.role, request.url.path),
            "waiting": _waiting(asking, seen),
            "visitor": asking.visitor,
            "query": dict(asking.query),
            "path": request.url.path,
            "mark": csrf_mark(self._engine.link_key, asking.visitor),
            "once": lambda: secrets.token_urlsafe(12),
            "said": what_was_said(self._engine.link_key, request),
            "zone": asking.zone_of,
        }

    def _drawn(self, template: str, status: int = 200, **data: Any) -> HTMLResponse:
        answered = HTMLResponse(draw(template, **data), status)
        if data.get("said"):
            answered.delete_cookie(SAID["key"], path=SAID["path"])
        return answered


def _failed(error: Exception) -> HTMLResponse:
    """What went wrong, as a page."""
    told = problem_of(error)
    return HTMLResponse(draw_problem(told), told.status)


def _tabs(room: Room | None, role: str, path: str) -> dict[str, Any]:
    """Pages of a room that stand side by side, as far as a role sees them; and which of them a path is below."""
    pages = {each.path: each for each in room.pages if role in each.roles} if room else {}
    tabs = [pages[each] for each in room.tabs if each in pages] if room else []
    above = [each.path for each in tabs if f"{path}/".startswith(f"{each.path}/")]
    return {"tabs": tabs, "tab": max(above, key=len, default=None)}


def _waiting(asking: Asking, rooms: Sequence[Room]) -> dict[str, int]:
    """Room → how much waits there for the visitor, in one query."""
    counted = {room.name: room.waiting for room in rooms if room.waiting}
    if not counted:
        return {}
    columns = ", ".join(f'({query}) AS "{name}"' for name, query in counted.items())
    values = {
        "creditors": list(asking.visitor.creditor_ids),
        "role": asking.visitor.role,
        "login": asking.visitor.login,
    }
    return asking.rows(f"SELECT {columns}", **values)[0]
