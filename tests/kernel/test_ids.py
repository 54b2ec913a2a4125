"""The same content always gets the same name."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.ids import bytes_hash, canonical_json, content_hash, salted_hash, shard_key

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), PLAIN))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    assert content_hash(value) == content_hash(dict(reversed(value.items())))


def test_known_answers_never_change() -> None:
    value = {"b": [1, None, True], "a": {"day": date(2024, 3, 1), "at": datetime(2024, 3, 1, 6, tzinfo=UTC), "é": "ü"}}
    spelled = '{"a":{"at":"2024-03-01T06:00:00+00:00","day":"2024-03-01","é":"ü"},"b":[1,null,true]}'
    assert canonical_json(value) == spelled
    assert content_hash(value) == bytes_hash(spelled.encode())
    assert bytes_hash(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert shard_key("NL123") == 26960


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        content_hash({"x": object()})


@given(st.text())
def test_shard_keys_are_small_and_stable(party_ref: str) -> None:
    assert 0 <= shard_key(party_ref) <= 32767
    assert shard_key(party_ref) == shard_key(party_ref)


def test_a_salted_hash_proves_its_content_only_with_the_salt() -> None:
    with_salt = salted_hash("+31612345678", "salt of the row")
    assert with_salt == salted_hash("+31612345678", "salt of the row")
    others = {salted_hash("+31612345678", "another"), salted_hash("+31612345679", "salt of the row")}
    assert not {with_salt, content_hash("+31612345678")} & others
