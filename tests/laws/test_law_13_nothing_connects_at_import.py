"""Law 13. Importing any module opens no connection, starts no process and reads no clock of the network."""

import subprocess
import sys

WATCH = """
import importlib, pkgutil, socket, subprocess, sys

def refused(*arguments, **more):
    raise RuntimeError("connected at import")

socket.socket.connect = socket.socket.connect_ex = refused
subprocess.Popen.__init__ = refused
for room in ("tasks", "policies", "connectors", "maatpak.ledger", "maatpak.kernel"):
    package = importlib.import_module(room)
    for module in pkgutil.walk_packages(package.__path__, room + "."):
        importlib.import_module(module.name)
print("quiet")
"""


def test_importing_every_module_below_the_flows_is_quiet() -> None:
    done = subprocess.run([sys.executable, "-c", WATCH], capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout.strip(), done.returncode) == ("quiet", 0), done.stderr[-2000:]
