"""Prefect's global concurrency limits, obeyed by deliveries where operations have set them.

On Prefect's page: `maatpak-email`, `maatpak-sms` and `maatpak-post` say how many lanes send at once over all runs; the
same names with `-rate` behind them, given a slot decay a second, how fast messages go.
"""

from contextlib import AbstractAsyncContextManager, nullcontext

from prefect.client.orchestration import get_client
from prefect.concurrency.asyncio import concurrency, rate_limit

from maatpak.kernel.words import Channel


class GlobalLimits:
    """The limits that there were when the delivery began."""

    def __init__(self) -> None:
        with get_client(sync_client=True) as client:
            self._names = {limit.name for limit in client.read_global_concurrency_limits(limit=200) if limit.active}

    def lane(self, channel: Channel) -> AbstractAsyncContextManager[None]:
        """Held by a lane while it sends."""
        name = f"maatpak-{channel}"
        return concurrency(name) if name in self._names else nullcontext()

    async def turn(self, channel: Channel) -> None:
        """Waited for before each message."""
        name = f"maatpak-{channel}-rate"
        if name in self._names:
            await rate_limit(name)
