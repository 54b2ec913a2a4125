"""A mail server of our own on loopback: takes every mail, keeps it in a Maildir, sends nothing on.

It is the mail service of a workspace without one, of the demo and of the tests. Every process that sends starts its own
(connectors/companion.py) on a free port; all write to the same Maildir. It answers 250 only when the mail is on disk.
What it does wrong on demand stands in `faults.json` (connectors/faults.py). Run alone:
`python -m connectors.mail.sink FOLDER`.
"""

import asyncio
import itertools
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from connectors.companion import Companion
from connectors.faults import Fault, Faults, plan_faults

HOST = "127.0.0.1"


class MailSink:
    """The sink of a folder, seen from the process that sends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._companion = Companion("connectors.mail.sink", folder)

    @property
    def maildir(self) -> Path:
        """Where the mails lie; any reader of Maildirs can open it."""
        return self.folder / "maildir"

    def port(self) -> int:
        """The port it listens on; starts it at first use."""
        return self._companion.port()

    def plan_faults(self, faults: Sequence[Fault]) -> None:
        """What goes wrong from now on; none heals it."""
        plan_faults(self.folder, faults)

    def stop(self) -> None:
        """End it."""
        self._companion.stop()


class _Keeper:
    """The server's handler: one file a mail."""

    def __init__(self, folder: Path) -> None:
        self._faults = Faults(folder)
        self._maildir = folder / "maildir"
        for part in ("tmp", "new", "cur"):
            (self._maildir / part).mkdir(parents=True, exist_ok=True)
        self._mark = f"{os.getpid()}_{secrets.token_hex(4)}"
        self._numbers = itertools.count(1)

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """It reads one command after the other, so they may come at once."""
        del server, envelope
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, rcpt_options: list[str]
    ) -> str:
        del session, rcpt_options
        fault = await self._strike(server, address, "recipient")
        if fault is not None and fault.reply:
            return fault.reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        del session
        recipient = ", ".join(envelope.rcpt_tos)
        fault = await self._strike(server, recipient, "content")
        if fault is not None and (fault.reply or fault.drop):
            return fault.reply or "421 4.3.0 closing"
        name = f"{next(self._numbers):08d}.{self._mark}.localhost"
        traced = f"Return-Path: <{envelope.mail_from or ''}>\r\nDelivered-To: {recipient}\r\n".encode()
        draft = self._maildir / "tmp" / name
        draft.write_bytes(traced + envelope.original_content)
        draft.rename(self._maildir / "new" / name)
        await self._strike(server, recipient, "after")
        return f"250 2.0.0 Ok: queued as {name}"

    async def _strike(self, server: Any, recipient: str, at: str) -> Fault | None:
        fault = self._faults.take(recipient, at)
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.drop:
                server.transport.abort()
        return fault


async def _serve(folder: Path) -> None:
    from aiosmtpd.smtp import SMTP

    loop = asyncio.get_running_loop()
    keeper = _Keeper(folder)
    server = await loop.create_server(
        lambda: SMTP(keeper, hostname="localhost", ident="maatpak sink", loop=loop), HOST, 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Serve the folder named on the command line until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_serve(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
