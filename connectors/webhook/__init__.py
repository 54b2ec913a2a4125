"""Events for other programs: what is posted to their addresses, and how it is signed."""

from connectors.webhook.posting import PATIENCE, Answered, post_event, require_address
from connectors.webhook.signing import SECRET_PREFIX, signed_headers

__all__ = ["PATIENCE", "SECRET_PREFIX", "Answered", "post_event", "require_address", "signed_headers"]
