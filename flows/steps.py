"""The units of work as Prefect tasks: thin, so that everything else works without Prefect (decision 3).

Parameters are codes, ids and dates. Results stay in the process; what Prefect keeps of a task run are its state, a
message without names, and an artifact of counts and ids.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from prefect import State, Task, TaskRun, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.states import Failed

from flows.report import Cohort, artifact_key, cohort_report
from flows.workplace import discreet, engine
from maatpak.kernel.errors import TransientError

F = TypeVar("F", bound=Callable[..., Any])
