"""Today: what waits for whom, what is wrong, how the money stands, and that every figure leads to what it is made of."""
