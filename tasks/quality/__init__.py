"""The quality gate: what a ledger must be before it may move anybody to act.

One table of rules in three severities drives two engines. Polars finds the rows of a rule, Great Expectations states
the verdict with its counts and keeps it as a page for auditors; where the two differ, nothing is imported. `checks` are
the forms a rule can have, `…_rules` the rules themselves, `gate` runs them, `expectations` is the only module that
imports Great Expectations.
"""
