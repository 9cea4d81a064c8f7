"""Labels as JSON: VIA 3's projects and Label Studio's exports.

https://www.robots.ox.ac.uk/~vgg/software/via, https://labelstud.io/guide/export
"""

import json
import pathlib
from typing import Any

from posevid_jax.data.labels.events import FRAMES, SECONDS, Event
from posevid_jax.errors import InputError


def recognises(content: bytes) -> bool:
    return content.lstrip()[:1] in (b'{', b'[')


def read(path: pathlib.Path, content: bytes) -> tuple[list[Event], str]:
    """The events of a file and the unit of their times.

    Args:
      path: for messages.
      content: of the file.

    Raises:
      InputError: it is damaged, or of neither program.
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f'{path}: damaged, or no JSON ({error})') from None
    try:
        if isinstance(value, dict) and 'metadata' in value:
            return _via(path, value), SECONDS
        if isinstance(value, list):
            return _label_studio(path, value)
    except (KeyError, TypeError, IndexError, AttributeError):
        pass
    raise InputError(f'{path}: found other JSON, expected a project of VIA 3 or Label Studio')


def _via(path: pathlib.Path, value: dict[str, Any]) -> list[Event]:
    """Metadata with z = [start, end] in seconds; their attributes name the label."""
    attributes, views, files = value['attribute'], value['view'], value['file']
    events = []
    for key, found in value['metadata'].items():
        if len(found['z']) != 2:
            continue  # a region of one frame
        names = []
        for attribute, chosen in found['av'].items():
            options = attributes[attribute].get('options') or {}
            names.append(str(options.get(str(chosen), chosen)))
        video = files[str(views[str(found['vid'])]['fid_list'][0])]['fname']
        start, end = map(str, found['z'])
        events.append(Event(f'{path}: metadata {key}', start, end, ' '.join(names), str(video)))
    return events


def _label_studio(path: pathlib.Path, tasks: list[Any]) -> tuple[list[Event], str]:
    """Timeline labels of videos (ranges of frames) or of time series (start and end)."""
    events, units = [], set()
    for task in tasks:
        video = next((str(v) for v in task.get('data', {}).values() if isinstance(v, str)), '')
        for annotation in task['annotations']:
            for result in annotation['result']:
                found = result['value']
                ranges, unit = found.get('ranges'), FRAMES
                if ranges is None:
                    ranges, unit = [{'start': found['start'], 'end': found['end']}], SECONDS
                labels = next(v for k, v in found.items() if k.endswith('labels'))
                units.add(unit)
                for one in ranges:
                    where = f'{path}: result {result.get("id")}'
                    events.append(
                        Event(where, str(one['start']), str(one['end']), str(labels[0]), video)
                    )
    if len(units) > 1:
        raise InputError(f'{path}: found ranges of frames and of seconds, expected one of them')
    return events, next(iter(units), SECONDS)
