"""Joins that several listings have beside their rows: whose a row is, and what is known of its case."""


def of_debtor(debtor: str) -> tuple[str, ...]:
    """The customer `d`, its creditor `c` and its newest profile `p`, from the SQL of a debtor's id."""
    return (
        f"JOIN debtor d ON d.id = {debtor}",
        "JOIN creditor c ON c.id = d.creditor_id",
        "LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL",
    )


OF_TASK = (
    *of_debtor("t.debtor_id"),
    'LEFT JOIN "case" k ON k.id = t.case_id',
    "LEFT JOIN case_standing s ON s.case_id = t.case_id",
)
"""Of a task `t`."""
