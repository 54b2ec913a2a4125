"""What speaks against the arrival of an invoice v that was sent (rule 29); `{a}`, `{f}` choose versions."""

CAME_BACK = """
EXISTS (SELECT 1 FROM address_state a WHERE a.debtor_id = v.debtor_id AND {a}
  AND a.state = 'dead' AND a.valid_from >= v.invoice_sent_on AND a.channel IN ('email', 'post')
  AND a.channel = replace(lower(COALESCE(v.invoice_channel, 'email')), '-', ''))
"""
"""The address that it went to turned out dead since."""

WENT_ELSEWHERE = """
(lower(COALESCE(v.invoice_channel, '')) <> 'portal' AND EXISTS (SELECT 1 FROM preference f
  WHERE f.debtor_id = v.debtor_id AND f.name = 'portal' AND {f}))
"""
"""The customer takes invoices through a portal, and it did not go there."""
