"""Writes the one initial migration anew from the tables and guards, until the first release freezes it."""

import shutil
import tempfile
from pathlib import Path

from alembic import command

from maatpak.ledger import guards, schema
from maatpak.ledger.database import Database
from maatpak.ledger.embedded import EmbeddedPostgres

INITIAL = schema.SCRIPTS / "versions" / "2026_11_23_initial.py"
REVISION = "2026_11_23_initial"


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="maatpak-"))
    server = EmbeddedPostgres(home, {"fsync": "off"})
    server.start()
    try:
        database = Database(server.url)
        versions = home / "versions"
        versions.mkdir()
        with database.engine.begin() as connection:
            config = schema._config(connection)
            config.set_main_option("version_locations", str(versions))
            command.revision(config, "initial", autogenerate=True, rev_id=REVISION, head="base")
        database.close()
        (written,) = versions.glob("*.py")
        INITIAL.write_text(_with_guards(written.read_text()))
        INITIAL.with_suffix(".sql").write_text(guards.create_script())
    finally:
        server.leave()
        shutil.rmtree(home)


def _with_guards(script: str) -> str:
    """The script with its guards set after the tables were made, and taken away before they go."""
    script = script.replace(
        '"""initial."""\n',
        '"""The first schema: its tables, and the guards of the .sql beside."""\n\nfrom pathlib import Path\n',
    )
    script = script.replace("\n\ndef upgrade", '\nGUARDS = Path(__file__).with_suffix(".sql")\n\n\ndef upgrade', 1)
    genesis = "INSERT INTO event_head (id, seq, hash) VALUES (1, 0, repeat('0', 64))"
    script = "".join(line for line in script.splitlines(keepends=True) if not line.startswith("    # ###"))
    up, separator, down = script.partition("\n\ndef downgrade")
    up += f'\n    op.execute(GUARDS.read_text(encoding="utf-8"))\n    op.execute("{genesis}")\n'
    down = down.replace("5s'\")\n", f'5s\'")\n    op.execute("{guards.DROP_SCRIPT}")\n', 1)
    return up + separator + down


if __name__ == "__main__":
    main()
