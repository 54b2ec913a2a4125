"""A Prefect server on the loopback interface, a child of `maatpak up` or of the demo. Run as a module with a port."""

import sys

from deployments.children import end_with_parent

HOST = "127.0.0.1"


def main() -> None:
    """Serve Prefect's API and pages until the parent ends us or is gone."""
    end_with_parent()
    import uvicorn
    from prefect.server.api.server import create_app

    uvicorn.run(
        create_app(final=True),
        host=HOST,
        port=int(sys.argv[1]),
        log_level="warning",
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
