"""What every room shares and nothing more: words, money, calendars, clock, ids, errors, settings."""
