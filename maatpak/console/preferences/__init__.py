"""The page on which customers answer a mail and say how we reach them: its routes, its form, and how it is drawn."""
