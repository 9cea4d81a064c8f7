"""The one exception for what a user can fix."""


class InputError(Exception):
    """Bad input: a file, a configuration key, a flag or a run directory.

    The message is one line that names the file and the key, what was found and what was
    expected. `main.py` prints it without a traceback and exits with code 2.
    """

    def __init__(self, message: str):
        super().__init__(printable(message))


def printable(text: str) -> str:
    """Text on one line of valid Unicode: names of files and keys may hold anything."""
    return ' '.join(text.splitlines()).encode('utf-8', 'backslashreplace').decode()
