"""Who may do what. A role is a right of the trade, not a rank: the auditor reads, the administrator adds users."""

from maatpak.kernel.words import Role

DESK = (Role.OPERATOR, Role.COLLECTOR, Role.ACCOUNT_MANAGER, Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR)
"""Everybody whose work touches customers."""
IMPORTERS = (*DESK, Role.ADMINISTRATOR)
"""Who takes a ledger in: everybody but who only reads."""
TALKERS = (Role.COLLECTOR, Role.ACCOUNT_MANAGER, Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR)
"""Who talks with customers, and so records what they say."""
COLLECTORS = (Role.COLLECTOR, Role.CREDIT_MANAGER)
"""Who works a case."""
MANAGERS = (Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR)
"""Who decides a case."""
HEARD = (Role.ACCOUNT_MANAGER, Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR)
"""Who answers a consultation: the account manager, and who stands in for them."""
AUDITORS = (Role.AUDITOR, Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR, Role.ADMINISTRATOR)
"""Who looks into history, has it proven, and takes everything on a customer out of the house."""
OPERATIONS = (Role.OPERATOR, Role.CREDIT_MANAGER, Role.ADMINISTRATOR)
"""Who says what runs when."""
