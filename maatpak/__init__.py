"""Maatpak: credit management made to measure."""

__version__ = "0.1.0"
