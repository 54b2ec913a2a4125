"""Proofs that read a database after long runs, knowing nothing of how the engine came to what stands there."""
