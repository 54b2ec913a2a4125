"""A mail server of our own on loopback: takes every mail, keeps it in a Maildir, sends nothing on.

It is the mail service of a workspace without one, of the demo and of the tests. Every process that sends starts its own
(connectors/companion.py) on a free port; all write to the same Maildirs. It answers 250 only when the mail is on disk.
What becomes of a mail is reported as its sender asked (RFC 3461), into the Maildir `incoming` beside its folder. What
it does wrong on demand stands in `faults.json` (connectors/faults.py), by when it does it:

- `recipient`, `content`, `after`: at the recipient, at the content or after the mail was taken, it answers with an SMTP
  reply, late (`delay`), or hangs up (`drop`);
- `delivery`: the mail does not arrive: `550 5.1.1 no such user`, `552 5.2.2 mailbox full`; or is late:
  `451 4.2.1 busy`; or nobody tells (`drop`);
- `callback`: the report comes late (`delay`), not at all (`drop`), or `twice`;
- `answer`: a machine answers with these words, for somebody who is away.

Run alone: `python -m connectors.mail.simulator FOLDER`.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from connectors.faults import Fault, Faults
from connectors.inbox.maildir import drop_mail
from connectors.mail.returning import ARRIVED, UNASKED, automatic_reply, is_wanted, report
from connectors.mail.sink import HOST, INCOMING, MAILDIR

REPORTING = frozenset({"RET", "ENVID", "NOTIFY", "ORCPT"})
"""Parameters of RFC 3461."""
LAST_REPORTS = 3.0
"""Seconds that reports under way have when the simulator is told to end; its owner waits no longer than five."""


class _Server(SMTP):
    """The server of aiosmtpd, which has no reports on demand: it would refuse a command that asks for them."""

    def _getparams(self, params: Sequence[str]) -> dict[str, str | bool] | None:
        known = super()._getparams(params)
        return None if known is None else {name: value for name, value in known.items() if name not in REPORTING}


class _Keeper:
    """The server's handler: one file a mail, and what comes back of it."""

    def __init__(self, folder: Path) -> None:
        self._faults = Faults(folder)
        self._maildir = folder / MAILDIR
        self._incoming = folder.with_name(INCOMING)
        self._coming: set[asyncio.Task[None]] = set()

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """It reports on demand, and reads one command after the other, so they may come at once."""
        del server, envelope
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250-DSN", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, rcpt_options: list[str]
    ) -> str:
        del session
        fault = await self._strike(server, address, "recipient")
        if fault is not None and fault.reply:
            return fault.reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.append(rcpt_options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        del session
        recipients = ", ".join(envelope.rcpt_tos)
        fault = await self._strike(server, recipients, "content")
        if fault is not None and (fault.reply or fault.drop):
            return fault.reply or "421 4.3.0 closing"
        path, content = envelope.mail_from or "", bytes(envelope.original_content)
        name = drop_mail(self._maildir, path, recipients, content)
        for recipient, options in zip(envelope.rcpt_tos, envelope.rcpt_options, strict=True):
            self._deliver(path, recipient, options, content)
        await self._strike(server, recipients, "after")
        return f"250 2.0.0 Ok: queued as {name}"

    async def finish(self) -> None:
        """Let reports under way come to their end, if that is soon."""
        if self._coming:
            await asyncio.wait(self._coming, timeout=LAST_REPORTS)

    def _deliver(self, path: str, recipient: str, options: Sequence[str], content: bytes) -> None:
        """Decide what becomes of a mail, and begin to tell its sender."""
        fate = self._faults.take(recipient, "delivery") or Fault(reply=ARRIVED)
        told = self._faults.take(recipient, "callback") or Fault()
        away = self._faults.take(recipient, "answer")
        asked = [each.partition("=")[2].split(",") for each in options if each.startswith("NOTIFY=")]
        back = [automatic_reply(content, path, recipient, away.reply)] if away is not None else []
        if is_wanted(fate.reply, asked[0] if asked else UNASKED) and not fate.drop and not told.drop:
            back += [report(content, path, recipient, fate.reply)] * (2 if told.reply == "twice" else 1)
        if told.delay:
            task = asyncio.create_task(self._come_late(path, back, told.delay))
            self._coming.add(task)
            task.add_done_callback(self._coming.discard)
        else:
            self._come_in(path, back)

    async def _come_late(self, path: str, back: Sequence[bytes], delay: float) -> None:
        await asyncio.sleep(delay)
        self._come_in(path, back)

    def _come_in(self, path: str, back: Sequence[bytes]) -> None:
        for mail in back:
            drop_mail(self._incoming, "", path, mail)

    async def _strike(self, server: Any, recipient: str, at: str) -> Fault | None:
        fault = self._faults.take(recipient, at)
        if fault is not None:
            await asyncio.sleep(fault.delay)
            if fault.drop:
                server.transport.abort()
        return fault


async def _serve(folder: Path) -> None:
    loop = asyncio.get_running_loop()
    keeper = _Keeper(folder)
    server = await loop.create_server(
        lambda: _Server(keeper, hostname="localhost", ident="maatpak simulator", loop=loop), HOST, 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)
        await keeper.finish()


def main() -> None:
    """Serve the folder named on the command line until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_serve(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
