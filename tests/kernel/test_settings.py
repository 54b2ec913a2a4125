"""Every setting says what it is for, and keeps a secret to itself."""

import pytest
from pydantic import SecretStr

from maatpak.kernel.settings import Settings


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    description = Settings.model_fields[name].description or ""
    assert description.endswith(".")
    assert len(description) > 10


def test_secrets_do_not_print() -> None:
    settings = Settings(database_url=SecretStr("postgresql://me:hush@host/name"), sms_token=SecretStr("hush"))
    assert "hush" not in f"{settings!r} {settings}"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().shards = 3  # type: ignore[misc]
