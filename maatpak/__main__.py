"""`python -m maatpak` is `maatpak`."""

from maatpak.cli import main

if __name__ == "__main__":
    main()
