"""Audacity's label track: start, end and label in a line, between tabs, in seconds.

https://manual.audacityteam.org/man/importing_and_exporting_labels.html
"""

import pathlib
import re

from posevid_jax.data.labels.events import SECONDS, Event
from posevid_jax.errors import InputError

_LINE = re.compile(r'\s*(-?[\d.,]+(?:e-?\d+)?)\t(-?[\d.,]+(?:e-?\d+)?)(?:\t(.*))?', re.IGNORECASE)


def recognises(content: bytes) -> bool:
    return (
        _LINE.fullmatch(content[:1000].partition(b'\n')[0].decode('utf-8', 'replace')) is not None
    )


def read(path: pathlib.Path, content: bytes) -> tuple[list[Event], str]:
    """The events of a file, in seconds.

    Args:
      path: for messages.
      content: of the file.

    Raises:
      InputError: a line is not of the form above.
    """
    events = []
    for number, line in enumerate(content.decode('utf-8', 'replace').splitlines(), start=1):
        if not line.strip() or line.startswith('\\'):  # the range of a spectral selection
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(f'{path}: line {number}: expected start, end and label between tabs')
        start, end = (match[k].replace(',', '.') for k in (1, 2))
        events.append(Event(f'{path}: line {number}', start, end, match[3] or ''))
    return events, SECONDS
