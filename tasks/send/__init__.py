"""The one way out: messages leave the outbox through the connectors, exactly once as far as the world allows.

`deliver` claims queued messages, asks again whether they are wanted, marks each a moment before it is handed over, and
records what came of it. Killed at any moment, it leaves at most as many messages unknown as were under way (laws 3 and
4).
"""

from tasks.send.delivery import deliver, sending_instant
from tasks.send.reporting import report_outcomes
from tasks.send.resolving import resolve_message
from tasks.send.summary import DeliverySummary

__all__ = ["DeliverySummary", "deliver", "report_outcomes", "resolve_message", "sending_instant"]
