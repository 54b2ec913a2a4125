"""Papers: what was sent, or lies in the evidence, as a browser shows or keeps it. It runs nothing and loads nothing."""

from urllib.parse import quote

from fastapi import Response

from maatpak.console.frame.declared import Content

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
"""A mail is laid out by styles inside it; a page of ours may show it in a frame. It has no origin, so no cookies."""


def as_answer(content: Content) -> Response:
    """The file with headers of its own: shown in a frame, or downloaded under its name."""
    headers = {"Content-Security-Policy": POLICY, "X-Frame-Options": "SAMEORIGIN"}
    if content.name is not None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(content.name, safe='')}"
    return Response(content.body, headers=headers, media_type=content.media_type)
