"""A Dovecot of a test's own: an IMAP server on loopback, whose mails lie in a folder of the test."""

import contextlib
import imaplib
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

HOST = "127.0.0.1"
PASSWORD = "geheim"
PATIENCE = 20.0
CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{folder}/mail
disable_plaintext_auth = no
auth_failure_delay = 0
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
auth_mechanisms = plain xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth.conf
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""

OAUTH = """
introspection_mode = post
introspection_url = {url}
active_attribute = active
active_value = true
username_attribute = username
"""


class Dovecot:
    """The server; `folder` must be short, for its sockets lie there. Whose a token is, it asks at `introspection`."""

    def __init__(self, folder: Path, introspection: str) -> None:
        self.folder = folder
        self._introspection = introspection
        self.port, self.tls_port = _free_ports()
        self.certificate = folder / "certificate.pem"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def maildir(self) -> Path:
        """Where the mails of everybody lie."""
        return self.folder / "mail"

    def deliver(self, content: bytes) -> None:
        """Put a mail into the inbox."""
        with imaplib.IMAP4(HOST, self.port) as client:
            client.login("jan", PASSWORD)
            client.append("INBOX", "", "", content)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        openssl = shutil.which("openssl")
        if program is None or openssl is None:
            pytest.skip("dovecot or openssl is not installed here")
        if not self.certificate.exists():
            self._prepare(openssl)
        self._process = subprocess.Popen(
            [program, "-F", "-c", str(self.folder / "dovecot.conf")], start_new_session=True
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        """End it, and whom it serves."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                return connection.recv(4) == b"* OK"
        except OSError:
            return False

    def _prepare(self, openssl: str) -> None:
        key = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(self.folder / "key.pem"), "-days", "2"]
        named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        made = ["req", "-x509", *key, *named, "-out", str(self.certificate)]
        subprocess.run([openssl, *made], check=True, capture_output=True)
        ssl.create_default_context(cafile=str(self.certificate))
        # Dovecot lets nobody in as root.
        user = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        group = subprocess.run(["id", "-gn", user.pw_name], check=True, capture_output=True, text=True).stdout.strip()
        ports = {"port": self.port, "tls_port": self.tls_port}
        config = CONFIG.format(folder=self.folder, user=user.pw_name, group=group, password=PASSWORD, **ports)
        (self.folder / "dovecot.conf").write_text(config)
        (self.folder / "oauth.conf").write_text(OAUTH.format(url=self._introspection))
        for part in ("", "tmp", "new", "cur"):
            (self.maildir / part).mkdir(exist_ok=True)
            self._own(self.maildir / part)
        self._own(self.folder)

    def _own(self, path: Path) -> None:
        if os.getuid() == 0:
            shutil.chown(path, "nobody")


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind((HOST, 0))
        two.bind((HOST, 0))
        return one.getsockname()[1], two.getsockname()[1]
