"""Charts of kept figures: the numbers of each (`series`), how it is drawn (`drawing`), and its address (`pictures`)."""
