"""One unit of work each: a function of plain data with one transaction."""
