"""Operations: what runs when, what ledgers brought, and what came in or went out and needs a person."""

from maatpak.console.frame.declared import EVERYBODY, Room, Sheet
from maatpak.console.rooms.operations import arriving, channels, imports, quarantine
from maatpak.console.rooms.operations.running import RUNNING
from maatpak.console.rooms.operations.sheets import (
    PATH,
    RUNS_QUERY,
    DeploymentSheet,
    OperationsSheet,
    RunSheet,
    RunsSheet,
    read_deployment_sheet,
    read_operations,
    read_run_sheet,
    read_runs_sheet,
)

COUNT = """
SELECT (SELECT count(*) FROM quarantined_row WHERE state = 'open' AND creditor_id = ANY(:creditors))
  + (SELECT count(*) FROM message WHERE state = 'unknown' AND creditor_id = ANY(:creditors))
  + (SELECT count(*) FROM incoming WHERE state = 'unassigned')
"""
"""What nobody else's list counts."""

OPERATIONS = Room(
    name="operations",
    title="Operations",
    path=PATH,
    listings=(imports.LIST, imports.REFUSED_LIST, quarantine.LIST, *arriving.LISTINGS),
    sheets=(
        Sheet(
            PATH,
            "Operations",
            "Deployments with their schedules and runs, and what waits for people.",
            OperationsSheet,
            read_operations,
            "operations.html",
            EVERYBODY,
            query={"creditor": "Code of the only creditor to look at."},
        ),
        Sheet(
            PATH + "/deployments/{deployment_id}",
            "Deployment",
            "When a deployment runs by itself, and its last and next runs.",
            DeploymentSheet,
            read_deployment_sheet,
            "operations_deployment.html",
            EVERYBODY,
            outside=True,
        ),
        Sheet(
            PATH + "/runs",
            "Runs",
            "Everything that ran, the youngest first, a page at a time.",
            RunsSheet,
            read_runs_sheet,
            "operations_runs.html",
            EVERYBODY,
            query=RUNS_QUERY,
        ),
        Sheet(
            PATH + "/runs/{run_id}",
            "Run",
            "One run with its steps, the runs inside it, and what it reported.",
            RunSheet,
            read_run_sheet,
            "operations_run.html",
            EVERYBODY,
            outside=True,
        ),
        *imports.SHEETS,
        *quarantine.SHEETS,
        *arriving.SHEETS,
        *channels.SHEETS,
    ),
    papers=imports.PAPERS,
    acts=(*RUNNING, *quarantine.ACTS, *arriving.ACTS),
    waiting=COUNT,
    tabs=(
        PATH,
        PATH + "/runs",
        imports.PATH,
        imports.REFUSED,
        quarantine.PATH,
        arriving.UNKNOWN,
        arriving.INCOMING,
        arriving.ANSWERS,
        arriving.ADDRESSES,
        channels.PATH,
    ),
)
