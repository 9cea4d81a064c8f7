"""How well bodies tell the shape of a picture, on recordings whose size is known.

    python -m benchmarks.picture_shape --landmarks=$CLIPS/landmarks/train \\
        --landmarks=$CLIPS/landmarks/val [--video_table=sizes.csv] [--each]

Of every recording whose file, or row of the table, states a size, the shape is estimated as if
nobody did, from faces, from shoulders, and by what `--mode=prepare` would take of the two. A shape
is snapped where a usual one is as likely as what was measured, and rightly so if this is the usual
one nearest to what is stated. Then the size is stated after all, as it is, turned on its side, and
square: how often do bodies contradict it?
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from absl import app, flags

from posevid_jax.config import get_config
from posevid_jax.data.landmarks import picture_shape
from posevid_jax.data.landmarks.read import read_recording
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.data.pairing import pair
from posevid_jax.errors import InputError
from posevid_jax.evaluation.table import Table

_LANDMARKS = flags.DEFINE_multi_string('landmarks', None, 'A folder of landmark files.')
_VIDEO_TABLE = flags.DEFINE_string('video_table', '', 'As prepare.video_table.')
_EACH = flags.DEFINE_bool('each', False, 'A row for each recording too.')
_UPRIGHT = 0.1  # |log| of shapes that are as good as square

USUAL = tuple(picture_shape.USUAL.values())
WAYS = {ratio.name: (ratio,) for ratio in picture_shape.RATIOS} | {'both': picture_shape.RATIOS}


class Told(NamedTuple):
    """What bodies tell of a recording.

    Attributes:
      video: its name.
      aspect: width over height, as stated.
      estimates: by what they were measured, for those that could be.
    """

    video: str
    aspect: float
    estimates: dict[str, picture_shape.Estimate]


def main(_):
    known = recordings(_LANDMARKS.value, _VIDEO_TABLE.value)
    told = [told_by_bodies(recording) for recording in known]
    if _EACH.value:
        print('\n'.join(each(told).lines()), end='\n\n')
    print('\n'.join(summary(told).lines()))


def recordings(folders: Sequence[str], video_table: str) -> Iterator[Recording]:
    """Those whose size is known; prints a line for each that cannot be read."""
    for folder in folders:
        config = get_config().prepare
        config.landmarks, config.video_table = folder, video_table
        for video in pair(config)[0]:
            try:
                recording = read_recording(video.landmarks, video.name, config)
            except InputError as error:
                print(f'left out: {error}')
                continue
            if recording.origin is not None and recording.origin.size not in ('bodies', 'none'):
                yield recording


def told_by_bodies(recording: Recording) -> Told:
    """The estimates of a recording, from its shares of the picture alone."""
    found = {
        name: picture_shape.estimate(recording.joints, recording.joint_names, ratios)
        for name, ratios in WAYS.items()
    }
    known = {name: estimate for name, estimate in found.items() if estimate is not None}
    return Told(recording.name, recording.aspect, known)


def each(told: list[Told]) -> Table:
    """A row a recording."""
    rows = [
        (one.video, f'{one.aspect:.3f}', *(_cell(one.estimates.get(name)) for name in WAYS))
        for one in told
    ]
    return Table('Recordings', ('video', 'stated', *WAYS), rows)


def _cell(estimate: picture_shape.Estimate | None) -> str:
    return '' if estimate is None else f'{estimate.measured:.3f} ({estimate.frames})'


def summary(told: list[Told]) -> Table:
    """A row for each way to measure."""
    header = (
        'measured by', 'recordings', 'usable', 'snapped', 'of these right', 'median |log error|',
        '90 %', 'right size contradicted', 'turned', 'square',
    )  # fmt: skip
    rows = [(name, str(len(told)), *_figures(told, name)) for name in WAYS]
    return Table('The shape of the picture as bodies tell it', header, rows)


def _figures(told: list[Told], name: str) -> tuple[str, ...]:
    """Of one way to measure, under the header of `summary`."""
    usable = [(one.aspect, one.estimates[name]) for one in told if name in one.estimates]
    oblong = [(aspect, found) for aspect, found in usable if abs(np.log(aspect)) > _UPRIGHT]
    errors = [abs(np.log(found.measured / aspect)) for aspect, found in usable]
    middle, most = np.quantile(errors, (0.5, 0.9)) if errors else (np.nan, np.nan)
    snapped = [(aspect, found) for aspect, found in usable if found.aspect in USUAL]
    return (
        str(len(usable)),
        _share([found.aspect in USUAL for _, found in usable]),
        _share([found.aspect == _nearest(aspect) for aspect, found in snapped]),
        f'{middle:.3f}',
        f'{most:.3f}',
        _count([found.contradicts(aspect) for aspect, found in usable]),
        _count([found.contradicts(1 / aspect) for aspect, found in oblong]),
        _count([found.contradicts(1.0) for _, found in oblong]),
    )


def _nearest(aspect: float) -> float:
    return min(USUAL, key=lambda usual: abs(np.log(usual / aspect)))


def _share(found: list[bool]) -> str:
    return f'{np.mean(found):.0%}' if found else ''


def _count(found: list[bool]) -> str:
    return f'{sum(found)} of {len(found)}'


if __name__ == '__main__':
    flags.mark_flag_as_required('landmarks')
    app.run(main)
