"""Which pack a command means: a folder, or the standard one."""

from pathlib import Path
from typing import Annotated

import typer

from maatpak.kernel.errors import UsageError

STANDARD = "standard"
PackArgument = Annotated[
    str, typer.Argument(metavar="PACK", help="Folder of a pack, or `standard` for the one built in.")
]


def files_of(pack: str) -> dict[str, str]:
    """The files of a pack in a folder, or of the standard pack.

    Raises:
        UsageError: there is no such folder, or a file in it is no text.
    """
    from policies.pack import pack_files, standard_pack_files

    if pack == STANDARD and not Path(pack).is_dir():
        return standard_pack_files()
    folder = Path(pack)
    if not folder.is_dir():
        raise UsageError(f"There is no folder {pack!r}.", advice="Name the folder that holds pack.yaml, or `standard`.")
    try:
        return pack_files(folder)
    except UnicodeDecodeError as error:
        raise UsageError(f"A file in {pack} is no UTF-8 text: {error.reason}.", advice="Save it as UTF-8.") from None
