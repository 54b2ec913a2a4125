"""Post: the port, letters set by typst, and a spool folder for a print room."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.post.port import PostPort
    from maatpak.kernel.settings import Settings


def build_post(settings: "Settings", workspace: Path) -> "PostPort":
    """The workspace's spool folder."""
    del settings
    from connectors.post.spool import PostSpool

    return PostSpool(workspace / "post")
