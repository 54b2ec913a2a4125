"""What is known and what was done: tables, the database, evidence files and the audit chain."""
