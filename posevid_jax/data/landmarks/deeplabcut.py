"""DeepLabCut's and Lightning Pose's CSV: three or four header rows, then a row a frame.

scorer, (individuals,) bodyparts and coords (x, y, likelihood) name the columns; pixels.
https://deeplabcut.github.io/DeepLabCut
"""

import pathlib

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data import csv_file
from posevid_jax.data.landmarks import naming
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.errors import InputError

FORMAT = 'DeepLabCut CSV'
_HEADER = ('scorer', 'individuals', 'bodyparts', 'coords')
_COORDS = {'x': 0, 'y': 1, 'z': 2, 'likelihood': 3}


def recognises(content: bytes) -> bool:
    lines = content[:65_536].split(b'\n')[:4]
    starts = [line.split(b',')[0].strip().strip(b'"') for line in lines]
    return starts[:1] == [b'scorer'] and b'bodyparts' in starts and b'coords' in starts


def read(path: pathlib.Path, content: bytes, config: ConfigDict) -> Detections:
    """The individuals of a file.

    Args:
      path: for messages.
      content: of the file.
      config: `config.prepare`.

    Raises:
      InputError: a header row is not as expected, or a cell is no number.
    """
    where = f'{path}: {FORMAT}'
    lines = content.decode('utf-8-sig', 'replace').split('\n')
    header = {}
    while lines and lines[0].split(',')[0].strip('" ') in (
        'scorer',
        'individuals',
        'bodyparts',
        'coords',
    ):
        first, *cells = (cell.strip('" \r') for cell in lines.pop(0).split(','))
        header[first] = cells
    parts, coords = header.get('bodyparts', []), header.get('coords', [])
    bodies = header.get('individuals', [''] * len(parts))
    if (
        not parts
        or not len(parts) == len(coords) == len(bodies)
        or not set(coords) <= _COORDS.keys()
    ):
        raise InputError(
            f'{where}: found header rows of {len(parts)} and {len(coords)} cells, expected as many '
            f'bodyparts as coords, of {", ".join(_COORDS)}'
        )
    columns = [
        f'{body}|{part}|{axis}' for body, part, axis in zip(bodies, parts, coords, strict=True)
    ]
    table = '\n'.join([','.join(['frame', *(f'"{name}"' for name in columns)]), *lines])
    file = csv_file.parse(table.encode(), where)
    if not len(file.lines):
        raise InputError(f'{where}: found no frames')
    values = file.numbers(['frame', *columns])
    names_of_parts, people = list(dict.fromkeys(parts)), list(dict.fromkeys(bodies))
    joints = np.full((len(values), len(people), len(names_of_parts), 4), np.nan)
    for at, (body, part, axis) in enumerate(zip(bodies, parts, coords, strict=True), start=1):
        place = people.index(body), names_of_parts.index(part), _COORDS[axis]
        joints[:, *place] = values[:, at]
    frame = np.repeat(values[:, 0], len(people))
    names, names_from = naming.names_of(where, config, len(names_of_parts), names_of_parts)
    return Detections(
        where=where,
        joints=joints.reshape(-1, len(names_of_parts), 4),
        joint_names=names,
        names_from=names_from,
        frame=frame,
        ordered=len(people) == 1,
        has_depth='z' in coords,
        has_visibility='likelihood' in coords,
        person=np.tile(people, len(values)) if len(people) > 1 else None,
        first_frame=0,
    )
