"""What people change on Prefect's page outlives the next registration; runs are taken up and ended."""

from typing import Any

from deployments.table import Planned
from tests.flows.conftest import Prefect

NAP = Planned(
    flow="tests.flows.small_flows.nap",
    name="acme",
    description="A short rest.",
    parameters={"creditor": "acme"},
    tags=("maatpak", "acme"),
    time_zone="Europe/Amsterdam",
    cron="0 6 * * 1-5",
)


def _deployment(prefect: Prefect) -> dict[str, Any]:
    found = prefect.get("deployments/name/nap/acme")
    assert isinstance(found, dict)
    return found


def test_a_new_deployment_is_as_the_table_says(prefect: Prefect) -> None:
    assert prefect.register([NAP]) == ["nap/acme"]
    found = _deployment(prefect)
    assert found["entrypoint"] == NAP.flow
    assert found["parameters"] == {"creditor": "acme"}
    assert set(found["tags"]) == {"maatpak", "acme"}
    assert not found["paused"]
    assert [each["schedule"]["cron"] for each in found["schedules"]] == [NAP.cron]
    assert [each["schedule"]["timezone"] for each in found["schedules"]] == [NAP.time_zone]


def test_what_people_changed_holds(prefect: Prefect) -> None:
    assert prefect.register([NAP]) == ["nap/acme"]
    found = _deployment(prefect)
    path, schedule = f"deployments/{found['id']}", found["schedules"][0]["id"]
    prefect.post(f"{path}/pause_deployment", {})
    prefect.patch(f"{path}/schedules/{schedule}", {"schedule": {"cron": "15 9 * * *", "timezone": "Europe/Brussels"}})
    prefect.post(f"{path}/schedules", [{"schedule": {"interval": 7200}, "active": False}])
    prefect.patch(path, {"parameters": {"creditor": "acme", "seconds": 0.5}, "tags": ["ours"], "concurrency_limit": 1})
    changed = _deployment(prefect)
    assert prefect.register([NAP]) == ["nap/acme"]
    after = _deployment(prefect)
    assert after["paused"]
    assert after["parameters"] == {"creditor": "acme", "seconds": 0.5}
    assert after["tags"] == ["ours"]
    assert after["global_concurrency_limit"]["limit"] == 1
    held = [(each["schedule"], each["active"]) for each in changed["schedules"]]
    assert sorted(map(str, held)) == sorted(str((each["schedule"], each["active"])) for each in after["schedules"])
    assert {each["schedule"].get("cron") for each in after["schedules"]} == {"15 9 * * *", None}
