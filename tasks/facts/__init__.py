"""The facts: everything that rules and the engine may know of a case as of a date, one row a case (policies.facts).

`build_facts` reads what was recorded by an instant and computes with it; it neither writes nor looks at a clock, so the
same arguments give the same frames for as long as history stands.
"""

from tasks.facts.build import FactFrames, build_facts
from tasks.facts.supposing import Supposed

__all__ = ["FactFrames", "Supposed", "build_facts"]
