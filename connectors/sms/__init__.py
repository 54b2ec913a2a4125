"""Texts: an adapter over Twilio's official client, and a simulator that speaks Twilio's API."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.message import MessagePort
    from maatpak.kernel.settings import Settings


def build_sms(settings: "Settings", workspace: Path) -> "MessagePort":
    """The service of the settings, or the workspace's own simulator. Nothing is started or connected yet."""
    from connectors.sms.hooks import INCOMING_PATH
    from connectors.sms.simulator import SmsSimulator
    from connectors.sms.twilio_client import TwilioSms

    token = settings.sms_token.get_secret_value()
    simulator = None
    if settings.sms_url is None:
        incoming = f"{settings.public_url}{INCOMING_PATH}" if settings.public_url else ""
        simulator = SmsSimulator(workspace / "sms", settings.sms_account, token, settings.sms_sender, incoming)
    return TwilioSms(
        account=settings.sms_account,
        token=token,
        sender=settings.sms_sender,
        base_url=settings.sms_url,
        simulator=simulator,
        most_segments=settings.sms_segments,
        public_url=settings.public_url,
    )
