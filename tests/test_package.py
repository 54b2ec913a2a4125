"""The wheel works where nothing of this checkout is: built, installed into a fresh environment, run from elsewhere."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from maatpak.ledger.embedded import EmbeddedPostgres

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment that has the wheel, and the dependencies of this one by a path file."""
    home = tmp_path_factory.mktemp("elsewhere") / "env"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


def run(installed: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAATPAK"))}
    program = [str(installed / command[0]), *command[1:]]
    return subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_holds_what_is_no_code(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {"maatpak/migrations/script.py.mako", "maatpak/py.typed", "policies/packs/standard/guardrails.yaml"}
    assert wanted <= names
    assert any(name.startswith("maatpak/migrations/versions/") and name.endswith(".sql") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))]


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split(
        "\n"
    )
    rooms = ("maatpak/", "policies/", "connectors/", "tasks/", "flows/", "deployments/")
    assert {name for name in listed if name.startswith(rooms) and (ROOT / name).exists()} <= names


def test_the_installed_package_is_the_one_that_runs(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "python", "-c", "import maatpak, tasks; print(maatpak.__file__, tasks.__file__)")
    assert done.stdout.count(str(installed.parent)) == 2, done


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder to work in, whose database goes when the test ends."""
    folder = tmp_path / uuid4().hex[:8]
    folder.mkdir()
    yield folder
    shutil.rmtree(EmbeddedPostgres.of_workspace(folder / "workspace").home, ignore_errors=True)


def test_the_command_line_works_from_another_folder(installed: Path, elsewhere: Path) -> None:
    assert run(installed, elsewhere, "maatpak", "--version").stdout.startswith("maatpak ")
    made = run(installed, elsewhere, "maatpak", "init")
    assert (made.returncode, made.stderr) == (0, "")
    assert (elsewhere / "workspace" / "evidence").is_dir()
    listed = run(installed, elsewhere, "maatpak", "cases", "--json")
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "[]\n", "")
    well = run(installed, elsewhere, "maatpak", "doctor")
    assert well.returncode == 0, well.stdout + well.stderr
