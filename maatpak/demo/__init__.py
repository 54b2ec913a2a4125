"""A made-up world to try Maatpak on: three creditors, their ledgers, and customers and staff who act day by day."""
