"""A second database for tests that compare two."""

import pytest

from maatpak.ledger import schema
from maatpak.ledger.database import Database


@pytest.fixture
def empty_copy(empty_database: Database) -> Database:
    """Another migrated, empty database."""
    schema.upgrade(empty_database)
    return empty_database
