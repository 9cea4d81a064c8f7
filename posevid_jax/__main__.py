"""The program `posevid`, and `python -m posevid_jax`."""

from posevid_jax.machine import huge_pages


def main() -> None:
    """Starts the program, in huge pages where there is something to be gained."""
    huge_pages.restart()  # here, so that the import below happens once
    from posevid_jax.main import main as run

    run()


if __name__ == '__main__':
    main()
