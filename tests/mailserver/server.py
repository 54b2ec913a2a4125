"""Postfix takes mail on a port of its own and hands it to Dovecot; both live in one folder and end with the test.

Domains: `customers.test` and `direct.test` have the customers' mailboxes, `ours.test` ours, with what stands behind a
plus. Postfix itself delivers to `direct.test`, and says so; what it hands to Dovecot it calls relayed. Unknown
mailboxes are found out only after the mail was taken, as at many a relay, so that real bounces come back.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 30.0
CUSTOMERS, DIRECT, OURS = "customers.test", "direct.test", "ours.test"
PASSWORD = "for tests only"
NEEDED = {
    "Postfix": Path("/usr/sbin/postfix"),
    "Dovecot": Path("/usr/sbin/dovecot"),
    "Dovecot's LMTP": Path("/usr/lib/dovecot/lmtp"),
    "Dovecot's IMAP": Path("/usr/lib/dovecot/imap"),
}
DAEMONS = "/usr/lib/postfix/sbin"
QUEUES = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"),
)

SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def require() -> None:
    """Skip the test where such a server cannot be had, and say why; where it must be there (`TESTS_NEED`), fail."""
    reason = _missing()
    if reason is not None:
        (pytest.fail if "mail" in os.environ.get("TESTS_NEED", "") else pytest.skip)(reason)


def _missing() -> str | None:
    if os.geteuid() != 0:
        return "Postfix needs root"
    absent = [name for name, path in NEEDED.items() if not path.exists()]
    return f"{', '.join(absent)} not installed (Debian: postfix, dovecot-imapd, dovecot-lmtpd)" if absent else None


class MailServer:
    """A running server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.smtp_port, self.imap_port = _free_port(), _free_port()
        self._postfix: subprocess.Popen[bytes] | None = None
        self._dovecot: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What Postfix said."""
        file = self.folder / "postfix.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def maildir(self, address: str) -> Path:
        """Where Dovecot keeps a mailbox."""
        name, _, domain = address.partition("@")
        return self.folder / "mail" / domain / name

    def waiting(self) -> int:
        """Mails that Postfix has not handed on yet."""
        queue = self.folder / "queue"
        return sum(1 for name in ("incoming", "active", "deferred", "maildrop") for _ in _files(queue / name))

    def start(
        self,
        mailboxes: Mapping[str, str],
        aliases: Mapping[str, str],
        *,
        lifetime: str = "5d",
        full_for_good: bool = True,
    ) -> None:
        """Serve mailboxes (address → quota, such as "1G") and forward aliases (address → addresses).

        A full mailbox refuses mail for good, or, to be tried again, for as long as the queue's `lifetime` lasts.
        """
        self.folder.chmod(0o755)
        _dovecot_files(self.folder, self.imap_port, mailboxes, full_for_good=full_for_good)
        _postfix_files(self.folder, self.smtp_port, mailboxes, aliases, lifetime)
        self._dovecot = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", str(self.folder / "dovecot.conf")])
        master = [f"{DAEMONS}/master", "-d", "-c", str(self.folder / "postfix")]
        self._postfix = subprocess.Popen(master, env={**os.environ, "MAIL_CONFIG": str(self.folder / "postfix")})
        for port in (self.smtp_port, self.imap_port):
            _wait_for(port)

    def stop(self) -> None:
        """End both."""
        for process in (self._postfix, self._dovecot):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=PATIENCE)

    def reconfigure(self, name: str, value: str) -> None:
        """Change a setting of Postfix while it runs."""
        main = self.folder / "postfix" / "main.cf"
        kept = [line for line in main.read_text().splitlines() if not line.startswith(f"{name} =")]
        main.write_text("\n".join([*kept, f"{name} = {value}", ""]))
        assert self._postfix is not None
        self._postfix.send_signal(signal.SIGHUP)


@contextmanager
def mail_server(folder: Path) -> Iterator[MailServer]:
    """A server of a folder, to be started; it ends with the block."""
    server = MailServer(folder)
    try:
        yield server
    finally:
        server.stop()


def _postfix_files(
    folder: Path, port: int, mailboxes: Mapping[str, str], aliases: Mapping[str, str], lifetime: str
) -> None:
    home = folder / "postfix"
    home.mkdir()
    queue, data = folder / "queue", folder / "data"
    owner = pwd.getpwnam("postfix")
    for name in (
        "active",
        "bounce",
        "corrupt",
        "defer",
        "deferred",
        "flush",
        "hold",
        "incoming",
        "private",
        "saved",
        "trace",
    ):
        _own(queue / name, owner.pw_uid, 0o700)
    for name in ("public", "maildrop"):
        _own(queue / name, owner.pw_uid, 0o730)
    (queue / "pid").mkdir(exist_ok=True)
    queue.chmod(0o755)
    _own(data, owner.pw_uid, 0o700)
    direct = [address for address in mailboxes if address.endswith(f"@{DIRECT}")]
    (home / "direct").write_text("".join(f"{address} {address}/\n" for address in direct))
    _own(folder / "direct", owner.pw_uid, 0o700)
    (home / "transport").write_text(f"{DIRECT} virtual:\n")
    (home / "aliases").write_text("".join(f"{address} {goes}\n" for address, goes in aliases.items()))
    settings = {
        "compatibility_level": "3.6",
        "queue_directory": queue,
        "data_directory": data,
        "daemon_directory": DAEMONS,
        "command_directory": "/usr/sbin",
        "mail_owner": "postfix",
        "setgid_group": "postdrop",
        "maillog_file_prefixes": folder,
        "maillog_file": folder / "postfix.log",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "mynetworks": "127.0.0.0/8",
        "myhostname": "mx.ours.test",
        "myorigin": "ours.test",
        "mydestination": "",
        "alias_maps": "",
        "local_recipient_maps": "",
        "virtual_mailbox_domains": f"{CUSTOMERS}, {DIRECT}, {OURS}",
        "virtual_mailbox_base": folder / "direct",
        "virtual_mailbox_maps": f"texthash:{home / 'direct'}",
        "virtual_uid_maps": f"static:{owner.pw_uid}",
        "virtual_gid_maps": f"static:{owner.pw_gid}",
        "transport_maps": f"texthash:{home / 'transport'}",
        "virtual_alias_maps": f"texthash:{home / 'aliases'}",
        "virtual_transport": f"lmtp:unix:{folder / 'run' / 'lmtp'}",
        "recipient_delimiter": "+",
        "smtpd_reject_unlisted_recipient": "no",
        "smtpd_recipient_restrictions": "permit_mynetworks, reject",
        "smtputf8_enable": "no",
        "smtpd_client_connection_count_limit": "0",
        "default_transport": "error:5.1.2 no mail leaves this machine",
        "maximal_queue_lifetime": lifetime,
        "bounce_queue_lifetime": lifetime,
        "queue_run_delay": "1s",
        "minimal_backoff_time": "1s",
        "maximal_backoff_time": "2s",
        "in_flow_delay": "0",
        "disable_dns_lookups": "yes",
    }
    (home / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    (home / "master.cf").write_text(SERVICES.format(port=port))


def _dovecot_files(folder: Path, port: int, mailboxes: Mapping[str, str], *, full_for_good: bool) -> None:
    owner = pwd.getpwnam("dovecot")
    _own(folder / "mail", owner.pw_uid, 0o700)
    users = folder / "users"
    users.write_text(
        "".join(
            f"{address}:{{PLAIN}}{PASSWORD}:{owner.pw_uid}:{owner.pw_gid}::::userdb_quota_rule=*:storage={quota}\n"
            for address, quota in mailboxes.items()
        )
    )
    users.chmod(0o644)
    (folder / "dovecot.conf").write_text(
        f"""\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%d/%n
recipient_delimiter = +
mail_plugins = quota
lmtp_save_to_detail_mailbox = no
default_vsz_limit = 0
protocol imap {{
  mail_plugins = quota imap_quota
}}
protocol lmtp {{
  mail_plugins = quota
  postmaster_address = postmaster@{OURS}
}}
plugin {{
  quota = maildir:User quota
  quota_exceeded_message = Mailbox is full
}}
quota_full_tempfail = {"no" if full_for_good else "yes"}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {users}
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {users}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0666
  }}
}}
namespace inbox {{
  inbox = yes
}}
"""
    )


def _own(folder: Path, owner: int, mode: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, owner, -1)
    folder.chmod(mode)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file()) if folder.exists() else iter(())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def remove(folder: Path) -> None:
    """Take a server's folder away, whoever owns what is in it."""
    shutil.rmtree(folder, ignore_errors=True)
