"""Settings: one root, from the environment (`MAATPAK_…`) and the workspace's `maatpak.env`. Unknown keys fail."""

import os
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from maatpak.kernel.errors import UsageError


class Settings(BaseSettings):
    """Everything that differs between one installation and the next."""

    model_config = SettingsConfigDict(env_prefix="MAATPAK_", extra="forbid", frozen=True)

    workspace: Path = Field(
        default=Path("workspace"), description="Folder of the workspace: evidence, anchors, sinks, packs."
    )
    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL URL; empty: an embedded PostgreSQL that belongs to the workspace."
    )
    evidence_url: str | None = Field(
        default=None, description="fsspec URL for evidence files; empty: the workspace's `evidence` folder."
    )
    shards: int = Field(default=1, ge=1, le=64, description="Into how many shards a creditor's parties are spread.")
    smtp_host: str | None = Field(default=None, description="Mail server; empty: the local sink of the workspace.")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="Port of the mail server.")
    smtp_user: str | None = Field(default=None, description="Login at the mail server.")
    smtp_password: SecretStr | None = Field(default=None, description="Password at the mail server.")
    smtp_connections: int = Field(default=4, ge=1, le=32, description="Mail connections at once.")
    sms_url: str | None = Field(
        default=None, description="Base URL of a service that speaks Twilio's API; empty: the local simulator."
    )
    sms_account: str = Field(
        default="AC00000000000000000000000000000000", description="Account SID at the SMS service."
    )
    sms_token: SecretStr = Field(default=SecretStr("local-simulator"), description="Token at the SMS service.")
    sms_sender: str = Field(default="+31970000000", description="Number that texts come from.")
    pingen_url: str | None = Field(
        default=None,
        description="Pingen, which prints and posts letters: https://api.pingen.com, "
        "https://api-staging.pingen.com, or `simulator`; empty: the spool folder.",
    )
    pingen_organisation: str | None = Field(default=None, description="Id of the organisation at Pingen.")
    pingen_client: str | None = Field(default=None, description="Client id at Pingen.")
    pingen_secret: SecretStr | None = Field(default=None, description="Client secret at Pingen.")
    pingen_hook_secret: SecretStr | None = Field(
        default=None, max_length=32, description="Signing key of Pingen's webhooks; empty: none is believed."
    )
    pingen_product: str = Field(
        default="cheap", description="Delivery product: cheap, fast, bulk, premium, registered, or a post's own."
    )
    pingen_print_mode: Literal["simplex", "duplex"] = Field(default="simplex", description="Sides printed on.")
    pingen_print_spectrum: Literal["color", "grayscale"] = Field(default="color", description="Colours printed in.")
    prefect_port: int = Field(default=4242, ge=1, le=65535, description="Port of the Prefect server that `up` starts.")
    prefect_api_url: str | None = Field(
        default=None, description="A Prefect server of your own; empty: `up` starts one inside the workspace."
    )
    actor: str | None = Field(
        default=None, description="Login of the person who acts on the command line; empty: the operating system's."
    )
    link_secret: SecretStr | None = Field(
        default=None, description="Key that signs references in messages; empty: made once and kept in the workspace."
    )


def load_settings(workspace: Path | None = None) -> Settings:
    """Settings for a workspace: its `maatpak.env`, overruled by the environment, overruled by the argument.

    Raises:
        UsageError: a key is unknown or a value does not fit; the message names it.
    """
    folder = Path(workspace or os.environ.get("MAATPAK_WORKSPACE", "workspace")).expanduser().resolve()
    unknown = sorted(
        key
        for key in os.environ
        if key.startswith("MAATPAK_") and key.removeprefix("MAATPAK_").lower() not in Settings.model_fields
    )
    if unknown:
        raise UsageError(f"Unknown setting in the environment: {', '.join(unknown)}.", advice=_meant(unknown))
    file = folder / "maatpak.env"
    try:
        return Settings(workspace=folder, _env_file=file)
    except ValidationError as error:
        # Reason and key, never the value, and not the original as a cause: it may be a password.
        wrong = {_name(str(each["loc"][0])): each for each in error.errors(include_input=False, include_url=False)}
    except ValueError as error:
        raise UsageError(
            f"{file} cannot be read: {type(error).__name__}.", advice="It is lines of MAATPAK_NAME=value, in UTF-8."
        ) from None
    unknown = [name for name, each in wrong.items() if each["type"] == "extra_forbidden"]
    told = "; ".join(
        f"{name}: {'there is no such setting' if name in unknown else each['msg']}" for name, each in wrong.items()
    )
    raise UsageError(f"The settings of {file} or the environment do not hold: {told}.", advice=_meant(unknown))


def _name(key: str) -> str:
    return f"MAATPAK_{key.upper().removeprefix('MAATPAK_')}"


def _meant(unknown: Sequence[str]) -> str:
    """What may have been meant by these names, and where all are listed."""
    names = [_name(field) for field in Settings.model_fields]
    nearest = [close for name in unknown for close in get_close_matches(name, names, n=1)]
    question = f"Did you mean {', '.join(nearest)}? " if nearest else ""
    return f"{question}`maatpak doctor --settings` lists the settings there are."
