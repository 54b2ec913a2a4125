"""A creditor with customers for several journeys, whose names and addresses are found again wherever they leak to."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from maatpak.kernel.settings import Settings
from tasks.day import catch_up_instant
from tasks.engine import Engine, open_engine
from tests.conftest import _lent
from tests.tasks.act.house import build_house

CODE = "ACME"
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
NOW = catch_up_instant(TUESDAY)

CANARIES = ("Zwaluwenberg", "kanarie", "Nachtegaalsteeg", "612345")
"""Parts of the names, mail addresses, streets and numbers of all customers."""

WAYS: tuple[Mapping[str, Any], ...] = (
    {},
    {"key_account": True},
    {"hardship_until": date(2026, 12, 1)},
    {"customer_since": date(2026, 1, 5)},
    {"kind": "consumer"},
    {"preferred_channel": "post"},
    {"email": None},
    {"phone": None},
)
DUE = (date(2026, 2, 24), date(2026, 2, 17), date(2026, 2, 6), date(2026, 1, 20))


def people_town(engine: Engine, customers: int) -> None:
    """Fill an engine with a creditor on the eve of a busy Tuesday, whose ledger is in."""
    house = build_house(engine, MONDAY, CODE)
    for number in range(customers):
        profile = {
            "name": f"Zwaluwenberg {number} B.V.",
            "email": f"kanarie{number}@example.test",
            "street": f"Nachtegaalsteeg {number}",
            "phone": f"+316123450{number:02d}",
            **WAYS[number % len(WAYS)],
        }
        case_id = house.debtor(f"C{number}", **profile)
        house.item(case_id, f"F{number}", 40_000 + number * 100, DUE[number // len(WAYS) % len(DUE)])
    house.snapshot(TUESDAY)


@dataclass(frozen=True)
class Twins:
    """Makes copies of an engine's whole installation: database and workspace."""

    server_url: str
    folder: Path

    @contextmanager
    def of(self, engine: Engine) -> Iterator[Engine]:
        """An engine on a copy of the installation as it stands."""
        engine.database.close()
        workspace = self.folder / uuid4().hex[:8]
        shutil.copytree(engine.settings.workspace, workspace)
        name = urlsplit(engine.database.url).path.lstrip("/")
        with _lent(self.server_url, "maatpak_twin", name) as url:
            twin = open_engine(Settings(workspace=workspace, database_url=url, shards=engine.settings.shards))
            try:
                yield twin
            finally:
                twin.close()
