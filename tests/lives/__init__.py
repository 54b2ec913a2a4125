"""Random lives of many customers side by side in one database, one tick a day for all."""
