"""The one exception for what a person can fix."""


class InputError(Exception):
    """Bad input: a file, a configuration key, a flag or a run directory.

    The message is one line that names the file and the key, what was found and what was
    expected. `main.py` prints it without a traceback and exits with code 2.
    """
