"""The way in: what comes back of messages, and what customers write, put where it belongs.

A report becomes evidence on its message and a state of the address; a person's answer lies on its case until somebody
has read it. Each is recorded once, in one transaction, and kept as it came.
"""

from tasks.receive.letters import read_letter_reports
from tasks.receive.mails import read_mailbox
from tasks.receive.summary import ReceivedSummary

__all__ = ["ReceivedSummary", "read_letter_reports", "read_mailbox"]
