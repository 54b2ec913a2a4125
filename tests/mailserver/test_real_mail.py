"""A thousand mails through a real mail server, and what comes back of each."""

import asyncio
import time
from collections import Counter
from email.message import EmailMessage

import aiosmtplib
import pytest
from pydantic import SecretStr

from maatpak.kernel.settings import ImapSecurity
from tasks.receive import read_mailbox
from tests.mailserver.server import CUSTOMERS, DIRECT, OURS, PASSWORD, PATIENCE, MailServer
from tests.tasks.outbox_world import NOW, House
from tests.tasks.send.sending import messages, send, states

DELIVERED, HANDED_ON, UNKNOWN, FULL, FORWARDS = 300, 300, 150, 100, 150
"""How many mailboxes tell that they took a mail, take it without a word, do not exist, are full, and forward."""
MAILBOX = f"bounces@{OURS}"
CREDIT = f"credit@{OURS}"


def connected(house: House, server: MailServer) -> None:
    """The engine sends through the server and reads its mailbox."""
    own = {
        "smtp_host": "127.0.0.1",
        "smtp_port": server.smtp_port,
        "return_path": MAILBOX,
        "imap_host": "127.0.0.1",
        "imap_port": server.imap_port,
        "imap_security": ImapSecurity.NONE,
        "imap_user": MAILBOX,
        "imap_password": SecretStr(PASSWORD),
    }
    house.engine.settings = house.engine.settings.model_copy(update=own)


def quiet(server: MailServer) -> None:
    """Wait until the server has nothing left to do."""
    deadline, empty = time.monotonic() + 4 * PATIENCE, 0
    while empty < 3:
        assert time.monotonic() < deadline, server.log[-2000:]
        empty = 0 if server.waiting() else empty + 1
        time.sleep(0.2)


def reply(server: MailServer, sender: str, **headers: str) -> None:
    """A customer writes to us."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, CREDIT, "Re: your invoice"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("We pay on Friday.\n\n> Dear customer\n")
    asyncio.run(aiosmtplib.send(mail, hostname="127.0.0.1", port=server.smtp_port))


def found(house: House) -> dict[str, tuple[frozenset[str], str | None]]:
    """Recipient → kinds of evidence, and the state of the address."""
    rows = house.rows(
        "SELECT m.recipient, array_agg(e.kind) AS kinds, max(s.state) AS state FROM message m"
        " LEFT JOIN evidence e ON e.message_id = m.id"
        " LEFT JOIN address_state s ON s.address = m.recipient AND s.replaced_at IS NULL GROUP BY m.recipient"
    )
    return {row["recipient"]: (frozenset(row["kinds"]), row["state"]) for row in rows}


@pytest.mark.chaos
def test_every_mail_ends_with_its_evidence_or_the_right_failure(house: House, server: MailServer) -> None:
    telling = [f"d{number}@{DIRECT}" for number in range(DELIVERED)]
    silent = [f"c{number}@{CUSTOMERS}" for number in range(HANDED_ON)]
    unknown = [f"u{number}@{CUSTOMERS}" for number in range(UNKNOWN)]
    full = [f"f{number}@{CUSTOMERS}" for number in range(FULL)]
    forwards = {f"w{number}@{CUSTOMERS}": f"{silent[number]}, {telling[number]}" for number in range(FORWARDS)}
    boxes = {**dict.fromkeys([*telling, *silent], "1G"), **dict.fromkeys(full, "1K"), MAILBOX: "1G"}
    server.start(boxes, {**forwards, CREDIT: MAILBOX})
    connected(house, server)
    for address in (*telling, *silent, *unknown, *full, *forwards):
        house.customer(email=address)
    house.written()
    assert send(house).plain() == {"email": {"sent": len(house.accounts)}}
    quiet(server)
    read_mailbox(house.engine, NOW)
    outcomes = found(house)
    accepted, delivered = frozenset({"accepted"}), frozenset({"accepted", "delivered"})
    bounced = frozenset({"accepted", "bounced"})
    expected = {
        **dict.fromkeys(telling, (delivered, "proven")),
        **dict.fromkeys(silent, (accepted, None)),
        **dict.fromkeys(unknown, (bounced, "dead")),
        **dict.fromkeys(full, (bounced, "unproven")),
        **dict.fromkeys(forwards, (accepted, None)),
    }
    assert {address: outcomes[address] for address in expected} == expected
    said = Counter(row["said"] for row in house.rows("SELECT said FROM evidence WHERE kind = 'bounced'"))
    assert said == {"550 5.1.1 unknown_user": UNKNOWN, "552 5.2.2 mailbox_full": FULL}
    repairs = house.rows("SELECT kind, state FROM work_task")
    assert Counter(row["kind"] for row in repairs) == {"repair": UNKNOWN}
    assert not read_mailbox(house.engine, NOW).counts, "nothing is read twice"


def test_what_is_full_too_long_is_given_up_and_may_be_good_again(house: House, server: MailServer) -> None:
    full = [f"f{number}@{CUSTOMERS}" for number in range(5)]
    server.start({**dict.fromkeys(full, "1K"), MAILBOX: "1G"}, {}, lifetime="3s", full_for_good=False)
    connected(house, server)
    for address in full:
        house.customer(email=address)
    house.written()
    assert send(house).plain() == {"email": {"sent": 5}}
    quiet(server)
    read_mailbox(house.engine, NOW)
    assert set(found(house).values()) == {(frozenset({"accepted", "bounced"}), "unproven")}
    assert house.rows("SELECT 1 AS one FROM work_task") == []


def test_answers_land_on_their_cases(house: House, server: MailServer) -> None:
    names = [f"c{number}@{CUSTOMERS}" for number in range(4)]
    server.start({**dict.fromkeys(names, "1G"), MAILBOX: "1G"}, {CREDIT: MAILBOX})
    connected(house, server)
    for address in names:
        house.customer(email=address)
    house.written()
    send(house)
    quiet(server)
    refs = {row["recipient"]: row["message_ref"] for row in messages(house)}
    by_thread, by_address, on_holiday, stranger = names[0], names[1], names[2], "somebody@elsewhere.test"
    reply(server, f"boss@{CUSTOMERS}", In_Reply_To=f"<{refs[by_thread]}>")
    reply(server, by_address)
    reply(server, on_holiday, In_Reply_To=f"<{refs[on_holiday]}>", Auto_Submitted="auto-replied")
    reply(server, stranger)
    quiet(server)
    summary = read_mailbox(house.engine, NOW)
    assert summary.counts == {"report": 4, "answer": 3, "auto_reply": 1}
    assert summary.unassigned == 1
    cases = {account.debtor_id: account.case_id for account in house.accounts}
    answers = house.rows("SELECT case_id, message_id, read_on, content FROM answer ORDER BY id")
    owners = [cases[house.accounts[number].debtor_id] for number in (0, 1)]
    assert [row["case_id"] for row in answers] == owners
    assert [row["message_id"] is not None for row in answers] == [True, False]
    assert house.engine.store.get(answers[0]["content"]).decode().strip() == "We pay on Friday."
    assert states(house, "work_task") == {"open": 2}
    assert Counter(row["state"] for row in house.rows("SELECT state FROM incoming")) == {"taken": 7, "unassigned": 1}
