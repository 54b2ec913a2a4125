"""How a creditor's messages look and who signs them: plain settings in `looks/<creditor>.yaml` of the workspace."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from maatpak.kernel.errors import UsageError
from maatpak.kernel.references import ReferenceKind

FOLDER = "looks"
LARGEST_LOGO = 200_000


class Signatory(BaseModel):
    """Who signs, and whom a customer can call."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    title: str = ""
    phone: str = ""


class Look(BaseModel):
    """A creditor's look."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    colour: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = "#1f4e79"
    """Of the letterhead, of rules and buttons."""
    logo: str | None = None
    """An SVG file beside the settings, for letters."""
    footer: tuple[str, ...] = ()
    """Lines at the foot; the creditor's name, address and numbers when there are none."""
    reference: ReferenceKind | None = None
    """What customers state when they pay; what creditors of its country use when it is not given."""
    signatory: Signatory | None = None
    """The active credit manager when it is not given."""


def look_of(workspace: Path, code: str) -> Look:
    """The look of a creditor; the standard one when nothing was set.

    Raises:
        UsageError: the settings or the logo do not hold.
    """
    path = workspace / FOLDER / f"{code}.yaml"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return Look()


def logo_of(workspace: Path, look: Look) -> str:
    """The logo as SVG; empty when there is none."""
    if look.logo is None:
        return ""
    folder = (workspace / FOLDER).resolve()
    path = (folder / look.logo).resolve()
    if not path.is_relative_to(folder) or path.suffix.lower() != ".svg" or not path.is_file():
        raise UsageError(f"The logo {look.logo!r} is no SVG file in {folder}.", advice="Put the file there.")
    if path.stat().st_size > LARGEST_LOGO:
        raise UsageError(f"The logo {path} is larger than {LARGEST_LOGO} bytes.", advice="Make it simpler.")
    return path.read_text(encoding="utf-8")


@lru_cache(maxsize=64)
def _read(path: Path, changed: int) -> Look:
    del changed
    try:
        return Look.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (yaml.YAMLError, ValidationError) as error:
        raise UsageError(
            f"The look in {path} does not hold: {error}", advice="Mend it, or take the file away."
        ) from None
