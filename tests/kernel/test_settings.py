"""Every setting says what it is for, and keeps a secret to itself."""

import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from maatpak.kernel.errors import UsageError
from maatpak.kernel.settings import LOCAL_TOKEN, Settings, load_settings


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


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("MAATPAK_SMTP_PASSWRD=hunter2", "MAATPAK_SMTP_PASSWRD: there is no such setting"),
        ("MAATPAK_SMTP_PASSWRD=hunter2", "Did you mean MAATPAK_SMTP_PASSWORD?"),
        ("MAATPAK_SHARDS=hunter2", "MAATPAK_SHARDS: Input should be a valid integer"),
        ("MAATPAK_SMTP_PORT=99999", "MAATPAK_SMTP_PORT: Input should be less than or equal to 65535"),
        ("MAATPAK_SMS_SENDER=hunter2", "MAATPAK_SMS_SENDER: Value error, it is a number such as +31970000000"),
        ("MAATPAK_SMS_SENDER=MG99999", "the SID of a messaging service (MG and 32 hex digits)"),
        (
            "MAATPAK_PUBLIC_URL=hunter2",
            "MAATPAK_PUBLIC_URL: Value error, it is a URL such as https://maatpak.example.com",
        ),
    ],
)
def test_a_setting_that_does_not_hold_is_named_and_its_value_is_not(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "maatpak.env").write_text(f"{line}\n")
    with pytest.raises(UsageError) as refused:
        load_settings(tmp_path)
    assert told in str(refused.value)
    assert not {"hunter2", "99999"} & set("".join(traceback.format_exception(refused.value)).replace("=", " ").split())


@pytest.mark.parametrize("sender", ["+31970000000", "MG0123456789abcdef0123456789ABCDEF"])
def test_texts_come_from_a_number_or_a_messaging_service(sender: str) -> None:
    assert Settings(sms_sender=sender).sms_sender == sender


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", None),
        ("https://maatpak.example.com/", "https://maatpak.example.com"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
    ],
)
def test_the_public_url_is_a_base(given: str, kept: str | None) -> None:
    assert Settings(public_url=given).public_url == kept


@pytest.mark.parametrize(
    ("public", "token", "forgeable"),
    [
        ("https://maatpak.example.com", LOCAL_TOKEN, True),
        ("http://203.0.113.7:4243", LOCAL_TOKEN, True),
        ("https://maatpak.example.com", "a secret", False),
        ("http://127.0.0.1:4243", LOCAL_TOKEN, False),
        ("http://[::1]:4243", LOCAL_TOKEN, False),
        ("http://localhost", LOCAL_TOKEN, False),
        (None, LOCAL_TOKEN, False),
    ],
)
def test_a_token_that_everybody_knows_is_for_this_machine_only(public: str | None, token: str, forgeable: bool) -> None:
    assert Settings(public_url=public, sms_token=SecretStr(token)).forgeable == forgeable


def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "maatpak.env").write_bytes(b"MAATPAK_ACTOR=\xff\xfe\n")
    with pytest.raises(UsageError, match=r"maatpak.env cannot be read: UnicodeDecodeError"):
        load_settings(tmp_path)


def test_a_mistyped_variable_gets_a_suggestion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAATPAK_SHARD", "2")
    with pytest.raises(UsageError, match="Did you mean MAATPAK_SHARDS"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("host", "public", "clear"),
    [
        ("127.0.0.1", None, False),
        ("::1", None, False),
        ("0.0.0.0", None, True),
        ("192.0.2.7", "http://maatpak.example", True),
        ("0.0.0.0", "https://maatpak.example", False),
    ],
)
def test_passwords_that_others_could_read_are_told_of(host: str, public: str | None, clear: bool) -> None:
    assert Settings(console_host=host, public_url=public).in_the_clear == clear


def test_the_console_is_served_at_an_address() -> None:
    with pytest.raises(ValidationError, match="IP address"):
        Settings(console_host="everywhere")
