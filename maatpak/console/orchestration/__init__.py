"""What Prefect knows of deployments, schedules and runs, and what people tell it to do with them."""
