"""What went wrong is kept, whatever it quotes."""

from pathlib import Path

from maatpak.ledger.failures import FAILURES, keep_failure
from maatpak.ledger.workspace import Workspace


def test_a_failure_over_words_that_are_none_is_kept(tmp_path: Path) -> None:
    assert keep_failure(Workspace(tmp_path), ValueError("words with \udc80 in them")) == "ValueError"
    (kept,) = (tmp_path / FAILURES).iterdir()
    assert r"words with \udc80 in them" in kept.read_text()
