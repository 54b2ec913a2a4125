import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors.inbox import build_mailbox
from connectors.inbox.maildir import MaildirMailbox
from connectors.inbox.port import Arrived
from maatpak.kernel.errors import WorkspaceError
from maatpak.kernel.settings import Settings
from tests.connectors.inbox.mails import mail


@pytest.fixture
def mailbox(tmp_path: Path) -> MaildirMailbox:
    built = build_mailbox(Settings(workspace=tmp_path), tmp_path)
    assert isinstance(built, MaildirMailbox)
    assert list(tmp_path.iterdir()) == []
    assert list(built.arrived()) == []
    return built


def _lay(mailbox: MaildirMailbox, name: str) -> Arrived:
    content = mail(name)
    (mailbox.folder / name).write_bytes(content)
    return Arrived(Path(name).name.partition(":2,")[0], content)


def test_a_mail_comes_until_it_is_filed(mailbox: MaildirMailbox) -> None:
    first, opened = _lay(mailbox, "new/1.a.host"), _lay(mailbox, "cur/2.b.host:2,F")
    _lay(mailbox, "cur/3.c.host:2,RS")
    _lay(mailbox, "tmp/4.d.host")
    assert list(mailbox.arrived()) == [first, opened]
    mailbox.file(first)
    mailbox.file(first)
    assert list(MaildirMailbox(mailbox.folder).arrived()) == [opened]
    mailbox.file(opened)
    assert list(mailbox.arrived()) == []
    names = sorted(path.name for path in (mailbox.folder / "cur").iterdir())
    assert names == ["1.a.host:2,S", "2.b.host:2,FS", "3.c.host:2,RS"]


def test_two_readers_lose_nothing(mailbox: MaildirMailbox) -> None:
    laid = {_lay(mailbox, f"new/{number:03d}.x.host") for number in range(200)}

    def read(reader: MaildirMailbox) -> set[Arrived]:
        got = set()
        for each in reader.arrived():
            got.add(each)
            reader.file(each)
        return got

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(read, [mailbox, MaildirMailbox(mailbox.folder)])
    assert one | two == laid
    assert len(list((mailbox.folder / "cur").glob("*:2,S"))) == len(laid)
    assert list(mailbox.arrived()) == []


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "incoming").write_text("no folder")
    with pytest.raises(WorkspaceError, match="incoming cannot be used"):
        list(MaildirMailbox(tmp_path / "incoming").arrived())


def test_a_mail_that_cannot_be_read_is_told_of_and_the_others_are_read(
    mailbox: MaildirMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lay(mailbox, "new/1.a.host")
    second = _lay(mailbox, "new/2.b.host")
    read = Path.read_bytes

    def damaged(path: Path) -> bytes:
        if path.name == "1.a.host":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", damaged)
    first, other = mailbox.arrived()
    assert (first.uid, first.content) == ("1.a.host", b"")
    assert "cannot be read, and stays where it is: Input/output error" in str(first.error)
    assert other == second
