"""Where and when flows run: the table of deployments and schedules, and the server that serves them."""
