"""Having the service that prints and posts letters call us back."""

import asyncio
from typing import TYPE_CHECKING

from maatpak.kernel.errors import UsageError

if TYPE_CHECKING:
    from tasks.engine import Engine


def watch_letters(engine: "Engine") -> str:
    """Have it call back; the URL at which it does.

    Raises:
        UsageError: the settings do not say where or signed how, or letters go to the spool folder.
        OutsideError: the service refuses, or cannot be asked now.
    """
    from maatpak.console.hooks import PINGEN_PATH

    given = engine.settings
    wanted = {"MAATPAK_PUBLIC_URL": given.public_url, "MAATPAK_PINGEN_HOOK_SECRET": given.pingen_hook_secret}
    missing = [name for name, value in wanted.items() if value is None]
    if given.public_url is None or given.pingen_hook_secret is None:
        raise UsageError(
            f"Nobody can call us back: {' and '.join(missing)} is not set.", advice="Set it, and ask again."
        )
    url = f"{given.public_url}{PINGEN_PATH}"
    if not asyncio.run(_watch(engine, url, given.pingen_hook_secret.get_secret_value())):
        raise UsageError(
            "Letters go to the spool folder, and print rooms call nobody back.",
            advice="They leave receipts (docs/post.md); MAATPAK_PINGEN_URL names a service that calls back.",
        )
    return url


async def _watch(engine: "Engine", url: str, secret: str) -> bool:
    try:
        return await engine.post.watch(url, secret)
    finally:
        await engine.post.close()
