"""The console over a house of the tests: real database, real application, visitors of every role."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import httpx
from sqlalchemy import event, text
from sqlmodel import select

from maatpak.console.app import create_app
from maatpak.console.frame.visiting import COOKIE
from maatpak.kernel.clock import Clock, FixedClock
from maatpak.kernel.words import Role
from maatpak.ledger.database import Frames
from maatpak.ledger.tables import Person
from tasks.access.login import let_in
from tasks.access.tokens import make_token
from tasks.engine import Engine

BASE = "http://127.0.0.1"


@dataclass
class Console:
    """The application and who visits it. Requests go through the whole of it, but over no socket."""

    engine: Engine
    clock: Clock
    cookies: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.app = create_app(self.engine, self.clock)

    def browser(self, login: str) -> "Browser":
        """A browser in which somebody is logged in."""
        return Browser(self, {"Cookie": f"{COOKIE}={self.cookie(login)}"})

    def cookie(self, login: str) -> str:
        """The value of somebody's cookie."""
        if login not in self.cookies:
            self.cookies[login], _ = let_in(self.engine, login, self.clock.now(), "test")
        return self.cookies[login]

    def program(self, login: str, scope: Any = "write") -> "Browser":
        """A program that calls with somebody's token."""
        key = f"{login} {scope}"
        if key not in self.tokens:
            self.tokens[key], _ = make_token(self.engine, login, key, scope, self.clock.now())
        return Browser(self, {"Authorization": f"Bearer {self.tokens[key]}"})

    def stranger(self) -> "Browser":
        """A browser in which nobody is logged in."""
        return Browser(self, {})

    def logins(self) -> dict[Role, str]:
        """A login of each role; somebody of each role that nobody has is entered."""
        with self.engine.database.session() as session:
            have = {Role(each.role): each.login for each in session.exec(select(Person).order_by(Person.login))}
            for role in set(Role) - set(have):
                session.add(Person(login=f"the.{role}", name=str(role), role=role, recorded_at=self.clock.now()))
                have[role] = f"the.{role}"
        return have

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """What is in the tables."""
        with self.engine.database.reading() as session:
            return [dict(row) for row in session.connection().execute(text(query), values).mappings()]

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """The statements that the database is sent inside the block, those of frames among them."""
        sent: list[str] = []
        read: Any = Frames.read

        def noted(frames: Frames, query: str) -> Any:
            sent.append(query)
            return read(frames, query)

        def note(_: Any, __: Any, statement: str, *___: Any) -> None:
            sent.append(statement)

        event.listen(self.engine.database.engine, "before_cursor_execute", note)
        Frames.read = noted  # type: ignore[assignment,method-assign]
        try:
            yield sent
        finally:
            Frames.read = read  # type: ignore[method-assign]
            event.remove(self.engine.database.engine, "before_cursor_execute", note)


@dataclass(frozen=True)
class Browser:
    """One visitor."""

    console: Console
    headers: Mapping[str, str]

    def get(self, path: str, **query: Any) -> httpx.Response:
        """What is answered; redirects are not followed."""
        return self._sent("GET", path, params=query or None)

    def post(self, path: str, content: Any = None, **headers: str) -> httpx.Response:
        """A program posts JSON."""
        return self._sent("POST", path, json=content, headers={**self.headers, **headers})

    def send(self, path: str, **fields: Any) -> httpx.Response:
        """A person fills in the form of an act and sends it, as its page has it."""
        page = self.get(path)
        assert page.status_code == 200, page.text
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        plain = {name: unescape(value) for name, value in hidden.items()}
        return self._sent("POST", path, data=plain | fields)

    def press(self, page: httpx.Response, path: str, **fields: Any) -> httpx.Response:
        """A person presses a button of a page that posts to a path."""
        form = re.search(rf'<form[^>]*action="{re.escape(path)}"[^>]*>(.*?)</form>', page.text, re.DOTALL)
        assert form, f"no form for {path}"
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[1]))
        return self._sent("POST", path, data={name: unescape(value) for name, value in hidden.items()} | fields)

    def _sent(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def answered() -> httpx.Response:
            transport = httpx.ASGITransport(self.console.app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                return await client.request(method, path, **{"headers": dict(self.headers), **more})

        return asyncio.run(answered())


def console_of(engine: Engine, clock: Clock | None = None) -> Console:
    """The console on an engine, at the instant of its newest event unless told."""
    if clock is None:
        with engine.database.reading() as session:
            at = session.connection().execute(text("SELECT max(recorded_at) FROM event")).scalar_one()
        clock = FixedClock(at)
    return Console(engine, clock)


def words_of(page: httpx.Response) -> str:
    """The words of a page, without its tags."""
    inside = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", inside)).split())


def links_of(page: httpx.Response) -> Sequence[str]:
    """Paths that a page links to."""
    return [unescape(each) for each in re.findall(r'href="(/[^"]*)"', page.text)]
