"""Collection agencies: the port, and a folder adapter that writes one dossier a placement."""

from pathlib import Path

from connectors.agency.port import AgencyPort, Dossier
from maatpak.kernel.settings import Settings

__all__ = ["AgencyPort", "Dossier", "build_agency"]


def build_agency(settings: Settings, workspace: Path) -> AgencyPort:
    """The workspace's folder of dossiers."""
    del settings
    from connectors.agency.folder import AgencyFolder

    return AgencyFolder(workspace / "agency")
