"""Post: the port, letters set by typst, a spool folder for a print room, and Pingen, which prints and posts."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from maatpak.kernel.errors import UsageError

if TYPE_CHECKING:
    from connectors.post.port import PostPort
    from maatpak.kernel.settings import Settings

SIMULATOR = "simulator"


def build_post(settings: "Settings", workspace: Path) -> "PostPort":
    """Pingen or its simulator where the settings say so, else the workspace's spool folder. Nothing connects yet.

    Raises:
        UsageError: Pingen is named, and its login or library is not there.
    """
    if settings.pingen_url is None:
        from connectors.post.spool import PostSpool

        return PostSpool(workspace / "post")
    if find_spec("pingen2sdk") is None:
        raise UsageError(
            "Letters go to Pingen, and its library is not installed.",
            advice="`pip install maatpak[pingen]`, or leave MAATPAK_PINGEN_URL empty for the spool folder.",
        )
    from connectors.post.pingen import PingenPost
    from connectors.post.pingen_simulator import PingenSimulator

    secret = settings.pingen_secret
    login = {
        "organisation": settings.pingen_organisation or "",
        "client": settings.pingen_client or "",
        "secret": secret.get_secret_value() if secret is not None else "",
    }
    simulator = None
    if settings.pingen_url == SIMULATOR:
        login = {name: value or SIMULATOR for name, value in login.items()}
        simulator = PingenSimulator(workspace / "pingen", **login)
    if missing := [f"MAATPAK_PINGEN_{name.upper()}" for name, value in login.items() if not value]:
        raise UsageError(
            f"Letters go to Pingen, and its login is not complete: {', '.join(missing)} is missing.",
            advice="Set it, or leave MAATPAK_PINGEN_URL empty: letters then go to the spool folder.",
        )
    return PingenPost(
        url=settings.pingen_url,
        **login,
        product=settings.pingen_product,
        print_mode=settings.pingen_print_mode,
        print_spectrum=settings.pingen_print_spectrum,
        simulator=simulator,
    )
