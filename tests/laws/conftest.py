from tests.tasks.act.conftest import case_id, demand, house

__all__ = ["case_id", "demand", "house"]
