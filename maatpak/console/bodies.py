"""Bodies of requests, which strangers send: never read further than they may be long."""

from fastapi import Request


async def body_of(request: Request, most: int) -> bytes | None:
    """The body as it came; None if it has more than so many bytes."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return body
