"""The outside world: one folder a port, each with its protocol, adapters and a simulator."""
