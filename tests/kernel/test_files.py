from pathlib import Path

import pytest

from maatpak.kernel.files import plain_cell, write_whole


def test_a_file_is_there_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"one")
    write_whole(tmp_path / "a", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"two"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_put_in_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="a"):
        write_whole(tmp_path / "a", b"one")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(("text", "cell"), [("=1+1", "'=1+1"), ("-3", "'-3"), ("@a", "'@a"), ("a=1", "a=1"), ("", "")])
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert plain_cell(text) == cell
