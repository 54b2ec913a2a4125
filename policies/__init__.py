"""What should happen: pure rules, facts in and decisions out. No I/O, no clock, no database."""
