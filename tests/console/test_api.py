"""The API as its description says: no fault of ours, nothing undocumented, whatever is sent."""

import asyncio
import base64
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.result import Err

from maatpak.console.frame.api import LONGEST_CALL
from maatpak.console.frame.headers import HEADERS
from tests.console.conftest import At
from tests.console.house import BASE, Console

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
NO_SERVICE = {502, 503}
"""Answers of what asks Prefect, which does not run here: only where they are described, as another check says."""
EXAMPLES = 2
ROLES = ("ada", "max", "colin")
"""Whoever reaches the most: an administrator, a credit manager, a collector."""


def described(console: Console) -> dict[str, Any]:
    answer = console.stranger().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def test_whatever_is_sent_is_answered_as_described(at: At) -> None:
    console = at("placing")
    schema = schemathesis.openapi.from_dict(described(console))
    tokens = [console.program(login).headers["Authorization"] for login in ROLES]
    operations = [each.ok() for each in schema.get_all_operations() if not isinstance(each, Err)]
    assert len(operations) > 10

    async def call(case: Any, token: str) -> httpx.Response:
        transport = httpx.ASGITransport(console.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            sent = case.as_transport_kwargs(base_url="http://127.0.0.1")
            sent["headers"] = {**dict(sent.get("headers") or {}), "Authorization": token}
            sent.pop("cookies", None)
            return await client.request(**sent)

    for operation in operations:

        @given(case=operation.as_strategy(), token=st.sampled_from(tokens))
        @settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        def holds(case: Any, token: str) -> None:
            answer = asyncio.run(call(case, token))
            checks = CHECKS[1:] if answer.status_code in NO_SERVICE else CHECKS
            case.validate_response(schemathesis.Response.from_any(answer), checks=checks)

        holds()


def test_what_no_page_of_ours_sends_is_refused_and_no_fault(at: At) -> None:
    """Places in lists that are none, more rows than a page has, signs that are none, and more than a call may be."""
    console = at("start")
    ada, program, stranger = console.browser("ada"), console.program("ada"), console.stranger()
    places = (b'["\\ud800", 1]', b"[" * 5_000, b'["a\\u0000", 1]')
    for name, value in (
        *(("after", base64.urlsafe_b64encode(place).decode()) for place in places),
        *(("size", size) for size in ("0001999", "9" * 5_000, "0")),
    ):
        assert ada.get("/people", sort="name", **{name: value}).status_code == 422, (name, value[:20])
    for path in ("/people/%00", "/people/ada%00/rights"):
        assert ada.get(path).status_code == 404
        assert program.post(f"/api/v1{path}", {}).status_code in (404, 405)
    for body, status in (
        (b'{"login": "\\ud800"}', 400),
        (b"[" * 20_000, 400),
        (b'{"login": "' + b"a" * LONGEST_CALL + b'"}', 413),
    ):
        sent = {"content": body, "headers": {**stranger.headers, "Content-Type": "application/json"}}
        answer = stranger._sent("POST", "/api/v1/people/add", **sent)
        assert (answer.status_code, answer.json()["status"]) == (status, status), body[:20]
    rights = "/api/v1/people/colin/rights"
    assert program.post(rights, {"creditors": ["a\0"]}).status_code == 422
    for changes in ({"creditors": ["ACME"]}, {"role": "operator", "creditors": []}):
        assert program.post(rights, changes).status_code == 200
    colin = program.get("/api/v1/people/colin").json()
    assert (colin["role"], colin["creditors"]) == ("operator", "ACME")


def test_a_fault_of_ours_is_guarded_like_any_answer(at: At) -> None:
    console = at("start")
    console.app.add_api_route("/broken", lambda: 1 // 0)

    async def answered() -> httpx.Response:
        transport = httpx.ASGITransport(console.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.get("/broken")

    answer = asyncio.run(answered())
    assert answer.status_code == 500
    assert "division" not in answer.text
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
