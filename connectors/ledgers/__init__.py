"""Ledgers from the outside: a source file says how somebody's export is read into the canonical columns.

`source` is the YAML, `readers` turn files into rows of text, `canonical` turns text into typed columns. Nothing here
judges: what does not convert, and what is wrong with a file, is handed on as data for the quality gate.
"""
