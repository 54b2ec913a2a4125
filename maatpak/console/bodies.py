"""Bodies of requests, which strangers send: never read further than they may be long."""

import json
from typing import Any

from fastapi import HTTPException, Request
from starlette.types import Message


async def body_of(request: Request, most: int) -> bytes | None:
    """The body as it came; None if it has more than so many bytes."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return body


class Call(Request):
    """A request whose body is refused as soon as it has more than so many bytes (413), or if it is no text (400)."""

    def __init__(self, request: Request, most: int) -> None:
        super().__init__(request.scope, self._bounded)
        self._came, self._left = request.receive, most

    async def _bounded(self) -> Message:
        message = await self._came()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, "The call is too long.")
        return message

    async def json(self) -> Any:
        """What it says; half a sign of two (`\\ud800`) can neither be kept nor told again."""
        told = await super().json()
        try:
            json.dumps(told, ensure_ascii=False).encode()
        except (UnicodeEncodeError, RecursionError):
            raise HTTPException(400, "The call is no text.") from None
        return told
