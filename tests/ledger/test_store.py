"""Evidence is named by its content, written once, whole, and private."""

import threading
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.errors import UsageError, WorkspaceError
from maatpak.kernel.ids import bytes_hash
from maatpak.ledger.store import KEY, EvidenceStore


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(str(tmp_path / "evidence"))


def test_the_key_is_the_content(store: EvidenceStore) -> None:
    key = store.put("letter", b"%PDF", "pdf")
    digest = bytes_hash(b"%PDF")
    assert key == f"letter/{digest[:2]}/{digest}.pdf"
    assert store.get(key) == b"%PDF"
    assert store.put("letter", b"%PDF", "pdf") == key


def test_files_are_private_and_nothing_else_lies_beside_them(store: EvidenceStore) -> None:
    path = store.path(store.put("letter", b"x", "pdf"))
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("key", ["../etc/passwd", "letter/ab/abc.pdf", "", "letter/ab/" + "cd" * 32 + ".pdf", "/x"])
def test_what_is_not_a_key_is_refused(store: EvidenceStore, key: str) -> None:
    for act in (store.get, store.path, store.problem):
        with pytest.raises(UsageError, match="not an evidence key"):
            act(key)


def test_missing_and_changed_files_are_told(store: EvidenceStore) -> None:
    key = store.put("letter", b"x", "pdf")
    path = store.path(key)
    assert path is not None
    assert store.problem(key) is None
    path.write_bytes(b"y")
    assert store.problem(key) == "was changed"
    with pytest.raises(WorkspaceError, match="was changed"):
        store.get(key)
    path.unlink()
    with pytest.raises(WorkspaceError, match="is missing"):
        store.get(key)


def test_frames_come_back_as_they_were(store: EvidenceStore) -> None:
    frame = pl.DataFrame(
        {"case_id": [1, 2], "reason": ["wait", None], "on": [None, None]}, schema_overrides={"on": pl.Date}
    )
    key = store.put_frame("decisions", frame)
    assert store.get_frame(key).equals(frame)
    assert store.get_frame(key).schema == frame.schema
    assert store.put_frame("decisions", frame.clone()) == key


def test_many_at_once_write_one_whole_file(store: EvidenceStore) -> None:
    content = b"x" * 1_000_000
    threads = [threading.Thread(target=store.put, args=("big", content, "bin")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    key = store.put("big", content, "bin")
    path = store.path(key)
    assert path is not None
    assert store.get(key) == content
    assert len(list(path.parent.iterdir())) == 1


def test_an_object_store_works_like_a_folder() -> None:
    store = EvidenceStore("memory://maatpak-test")
    key = store.put("letter", b"x", "pdf")
    assert store.put("letter", b"x", "pdf") == key
    assert (store.get(key), store.problem(key), store.path(key)) == (b"x", None, None)
    assert store.problem(f"letter/ab/ab{'0' * 62}.pdf") == "is missing"


def test_an_unknown_url_is_refused() -> None:
    with pytest.raises(UsageError, match="MAATPAK_EVIDENCE_URL"):
        EvidenceStore("nosuchthing://bucket")


@given(st.binary(max_size=200))
def test_keys_are_spelled_as_the_pattern_says(content: bytes) -> None:
    store = EvidenceStore("memory://maatpak-spelling")
    assert KEY.fullmatch(store.put("kind_2", content, "bin"))
