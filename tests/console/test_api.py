"""The API as its description says: no fault of ours, nothing undocumented, whatever is sent."""

import asyncio
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

from tests.console.conftest import At
from tests.console.house import Console

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
