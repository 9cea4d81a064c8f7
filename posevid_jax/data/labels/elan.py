"""ELAN's .eaf: XML with time slots in milliseconds and annotations in tiers.

https://archive.mpi.nl/tla/elan. Read by the standard library's parser, which loads no external
entities; a file that declares entities of its own is refused before it is parsed.
"""

import pathlib
from xml.etree import ElementTree

from posevid_jax.data.labels.events import MILLISECONDS, Event
from posevid_jax.errors import InputError


def recognises(content: bytes) -> bool:
    return b'<ANNOTATION_DOCUMENT' in content[:4096]


def read(path: pathlib.Path, content: bytes) -> tuple[list[Event], str]:
    """The aligned annotations of all tiers, each with its value as the label.

    Args:
      path: for messages.
      content: of the file.

    Raises:
      InputError: it is damaged, or declares entities.
    """
    if b'<!ENTITY' in content or b'<!DOCTYPE' in content:
        raise InputError(f'{path}: found declarations of entities, expected none in an .eaf file')
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f'{path}: damaged, or no XML ({error})') from None
    slots = {slot.get('TIME_SLOT_ID'): slot.get('TIME_VALUE') for slot in root.iter('TIME_SLOT')}
    events = []
    for tier in root.iter('TIER'):
        for found in tier.iter('ALIGNABLE_ANNOTATION'):
            where = f'{path}: annotation {found.get("ANNOTATION_ID")}'
            ends = [slots.get(found.get(f'TIME_SLOT_REF{k}')) for k in (1, 2)]
            if None in ends:
                raise InputError(f'{where}: found no time in its time slots, expected one in both')
            label = (found.findtext('ANNOTATION_VALUE') or '').strip() or tier.get('TIER_ID') or ''
            events.append(Event(where, str(ends[0]), str(ends[1]), label))
    return events, MILLISECONDS
