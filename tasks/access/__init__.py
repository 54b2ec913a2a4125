"""Who is let in, as whom, and what they may see."""
