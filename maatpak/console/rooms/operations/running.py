"""Acts on what runs: pause, resume, start, reschedule, catch up, try again."""

from datetime import date

from babel.dates import format_datetime
from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Done
from maatpak.console.frame.drawing import LANGUAGE
from maatpak.console.frame.fields import Line, NoFields
from maatpak.console.orchestration import acts
from maatpak.console.orchestration.acts import Operator
from maatpak.console.orchestration.cron import cron_in_words
from maatpak.console.orchestration.deployments import read_deployment
from maatpak.console.rooms.operations.sheets import PATH
from tasks.rights import OPERATIONS

ONE = PATH + "/deployments/{deployment_id}"
RUN = PATH + "/runs/{run_id}"


class NewSchedule(BaseModel):
    """When a deployment runs by itself."""

    cron: Line = Field(
        title="Schedule",
        min_length=1,
        description="Minute, hour, day, month, weekday: 30 9,13 * * 1-5 is 09:30 and 13:30 on weekdays.",
    )
    time_zone: Line = Field(title="Time zone", min_length=1, description="Such as Europe/Amsterdam.")
    schedule: Line | None = Field(None, title="Which one", description="The one that is changed; none: it is added.")


class Day(BaseModel):
    """A date for which the creditor's day is run."""

    as_of: date = Field(title="Date", description="From the date at which the creditor is, up to today.")


def _operator(acting: Acting) -> Operator:
    return Operator(acting.engine, acting.visitor.login, [each.code for each in acting.visitor.creditors], acting.now)


def _pause(acting: Acting, form: NoFields, deployment_id: str) -> Done:
    del form
    acts.pause(_operator(acting), deployment_id)
    return Done("It rests: nothing of it starts by itself until somebody resumes it.")


def _resume(acting: Acting, form: NoFields, deployment_id: str) -> Done:
    del form
    acts.resume(_operator(acting), deployment_id)
    return Done("It runs again by its schedule.")


def _run(acting: Acting, form: NoFields, deployment_id: str) -> Done:
    del form
    run_id = acts.run_now(_operator(acting), deployment_id)
    return Done("The run starts within seconds.", f"{PATH}/runs/{run_id}", {"run_id": run_id})


def _reschedule(acting: Acting, form: NewSchedule, deployment_id: str) -> Done:
    coming = acts.reschedule(_operator(acting), deployment_id, form.cron, form.time_zone, form.schedule)
    words = ", ".join(format_datetime(each, "EEE d MMM HH:mm", locale=LANGUAGE) for each in coming)
    told = f"It runs {cron_in_words(' '.join(form.cron.split()))} ({form.time_zone}), next on {words}."
    return Done(told, f"{PATH}/deployments/{deployment_id}", {"next_at": [each.isoformat() for each in coming]})


def _schedules(asking: Asking, deployment_id: str) -> dict[str, list[Choice]]:
    found = read_deployment([each.code for each in asking.visitor.creditors], deployment_id).deployment
    return {"schedule": [Choice(each.schedule_id, f"{each.words} ({each.time_zone})") for each in found.schedules]}


def _catch_up(acting: Acting, form: Day, creditor: str) -> Done:
    run_id = acts.catch_up(_operator(acting), creditor, form.as_of)
    told = f"The day {form.as_of} of {creditor} starts within seconds."
    return Done(told, f"{PATH}/runs/{run_id}", {"run_id": run_id})


def _retry(acting: Acting, form: NoFields, run_id: str) -> Done:
    del form
    acts.retry(_operator(acting), run_id)
    return Done("It is tried again within seconds; what was done is not done twice.", f"{PATH}/runs/{run_id}")


RUNNING = (
    Act(ONE + "/pause", "Pause", "Nothing of it starts by itself; a segment that rests is left out of the day, too.",
        NoFields, _pause, OPERATIONS, outside=True),
    Act(ONE + "/resume", "Resume", "It runs by its schedule again.", NoFields, _resume, OPERATIONS, outside=True),
    Act(ONE + "/run", "Run now", "A run beside the schedule.", NoFields, _run, OPERATIONS, outside=True),
    Act(ONE + "/schedule", "Change the schedule", "It stays so: a restart does not take it back.", NewSchedule,
        _reschedule, OPERATIONS, outside=True, choices=_schedules),
    Act(PATH + "/creditors/{creditor}/catch-up", "Catch up a day",
        "The creditor's whole day for that date; time does not go back, and a day begun is not taken back.", Day,
        _catch_up, OPERATIONS, outside=True),
    Act(RUN + "/retry", "Try again", "The failed run goes on as itself.", NoFields, _retry, OPERATIONS, outside=True),
)  # fmt: skip
