"""The facts once more, one case at a time in plain Python, written from the rules of the trade and the dictionary.

It shares nothing with the code under test but the rows: no SQL, no frames, its own calendar.
"""

from tests.tasks.facts.oracle.case import CaseOracle, Oracle

__all__ = ["CaseOracle", "Oracle"]
