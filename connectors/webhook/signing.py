"""Signatures of webhooks, after the Standard Webhooks specification 1.0, so that its libraries verify them.

The signed text is `id.timestamp.body`; the key is what follows `whsec_`, decoded from base64.
"""

import base64
import hmac
from datetime import datetime

SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with


def signed_headers(secret: str, event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a webhook whose body is sent at an instant."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    seconds = str(int(at.timestamp()))
    text = f"{event_id}.{seconds}.".encode() + body
    mark = base64.b64encode(hmac.digest(key, text, "sha256")).decode()
    return {"webhook-id": event_id, "webhook-timestamp": seconds, "webhook-signature": f"v1,{mark}"}
