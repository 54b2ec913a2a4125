"""The command line. Importing it loads no command; each is loaded when it is called (`maatpak.cli.app`)."""

from maatpak.cli.app import main

__all__ = ["main"]
