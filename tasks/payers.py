"""Who pays for an account, and so is written to and called for it (rule 22)."""

PAYING = """
FROM debtor_profile x
JOIN debtor y ON y.creditor_id = x.creditor_id AND y.debtor_no = x.payer_no AND y.id <> x.debtor_id
JOIN debtor_profile z ON z.debtor_id = y.id AND {z}
WHERE x.payer_no IS NOT NULL AND {x}
"""
"""Accounts x, the accounts y that pay for them, and what the master data say of these: who is known is written to.

`{x}` and `{z}` choose the versions of the two; a caller adds its own conditions.
"""

PAYING_NOW = PAYING.format(x="x.replaced_at IS NULL", z="z.replaced_at IS NULL")
"""The same by the newest master data."""
