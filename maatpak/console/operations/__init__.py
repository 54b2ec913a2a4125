"""Operations: deployments, their schedules and runs, as Prefect knows them, and what people may change of them."""
