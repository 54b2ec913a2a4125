"""What auditors ask: what happened, why somebody got a letter, what became of a case, whether history is whole."""
