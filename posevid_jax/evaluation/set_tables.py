"""What was found in some sets of clips, as tables."""

import numpy as np

from posevid_jax.data.leakage import STRETCH, SameFootage
from posevid_jax.data.summary import Summary
from posevid_jax.evaluation.inspection import Inspection, Shared
from posevid_jax.evaluation.table import Table

MOST_PAIRS = 20  # rows of the table of common footage


def on_screen(seen: Inspection) -> list[Table]:
    """The tables for a terminal; the others say more than a screen holds."""
    tables = [facts(seen), classes(seen), *map(features, seen.names, seen.summaries), footage(seen)]
    return [table for table in tables if table is not None and table.rows]


def facts(seen: Inspection) -> Table:
    """One row per fact, one column per set."""
    columns = []
    for clips, s in zip(seen.sets, seen.summaries, strict=True):
        columns.append({
            'clips': f'{s.clips:,}',
            'videos': f'{s.videos:,}',
            'clips per video': _span(s.clips_per_video),
            'frames of clips': f'{s.frames:,}',
            'different frames': f'{s.distinct_frames:,}',
            'frames of a clip': _span(s.lengths),
            'frames per second': _values(s.fps),
            'width / height': _values(s.aspect),
            'features': f'{len(s.features)}',
            'joints': f'{len(s.joints)}',
            'missing values': f'{s.missing:.1%}',
            'clips more than half missing': f'{s.half_missing:,}',
            'frames with a label': f'{(clips.frame_label[:] >= 0).sum() / s.frames:.1%}',
        })  # fmt: skip
    return Table(
        'Sets', ('', *seen.names), [(key, *(c[key] for c in columns)) for key in columns[0]]
    )


def classes(seen: Inspection) -> Table:
    """One row for each class of each set."""
    rows = [
        (
            f'{name}: {c.name}',
            f'{c.clips:,}',
            f'{c.share:.1%}',
            f'{c.videos:,}',
            *(('-', '-') if c.own_frames is None else (f'{x:.0%}' for x in c.own_frames)),
            '-' if c.agreeing is None else f'{c.agreeing:.1%}',
        )
        for name, summary in zip(seen.names, seen.summaries, strict=True)
        for c in summary.classes
    ]
    header = ('class', 'clips', 'share', 'videos', 'own frames, least', 'median', 'agreeing')
    return Table('Classes and the labels of their frames', header, rows)


def features(name: str, summary: Summary) -> Table:
    """One row per feature: what is missing, and the range of what is not."""
    rows = []
    for f in summary.features:
        numbers = ('-',) * 5 if f.quantiles is None else [f'{x:.4g}' for x in f.quantiles]
        note = 'never observed' if f.quantiles is None else 'constant' if f.constant else ''
        note = f'{f.outliers:,}' if f.outliers else note
        rows.append((f.name, f'{f.missing:.1%}', *numbers, note))
    header = ('feature', 'missing', 'min', 'p1', 'median', 'p99', 'max', 'outliers')
    return Table(f'Features of {name}', header, rows)


def joints(name: str, summary: Summary) -> Table:
    """One row per joint: what is missing, and how visible the rest is."""
    rows = [
        (
            j.name,
            f'{j.missing:.1%}',
            *(('-', '-') if j.visibility is None else (f'{x:.2f}' for x in j.visibility)),
        )
        for j in summary.joints
    ]
    return Table(f'Joints of {name}', ('joint', 'missing', 'visibility, p10', 'median'), rows)


def footage(seen: Inspection) -> Table | None:
    """A row for each two videos of the same footage, the first MOST_PAIRS of each comparison."""
    rows = []
    for shared in seen.shared:
        for same in shared.found[:MOST_PAIRS]:
            (first, last), (other_first, other_last) = same.frames
            seconds = same.length / seen.sets[shared.sets[0]].fps[same.clips[0][0]]
            rows.append((
                video_name(seen, shared, same, 0),
                video_name(seen, shared, same, 1),
                f'{first}-{last}',
                f'{other_first}-{other_last}',
                f'{seconds:.1f}',
                f'{same.speed:.2f}',
                f'{same.agreement:.1%}',
                f'{len(same.clips[0])} + {len(same.clips[1])}',
            ))  # fmt: skip
    header = (
        'video', 'and video', 'frames', 'and frames', 'seconds', 'speed', 'agreement', 'clips',
    )  # fmt: skip
    return Table('The same footage twice', header, rows) if rows else None


def video_name(seen: Inspection, shared: Shared, same: SameFootage, side: int) -> str:
    """`set: video id` of one of the two videos."""
    return f'{seen.names[shared.sets[side]]}: {same.videos[side].partition(":")[2]}'


def _span(values: np.ndarray) -> str:
    low, high = values.min(), values.max()
    return f'{low:,}' if low == high else f'{low:,} to {high:,}'


def _values(counts: tuple[tuple[float, int], ...], most: int = 3) -> str:
    """`30 (1,011), 25 (265)`."""
    shown = ', '.join(f'{value:.4g} ({clips:,})' for value, clips in counts[:most])
    return shown if len(counts) <= most else f'{shown}, {len(counts) - most} more'


ABOUT_FOOTAGE = (
    'Found by what the frames show, not by names: poses in the same order, at any offset, crop and '
    f'speed, for {STRETCH} frames or more in which people move. Agreement is the share of the '
    'movement that both have. Speed is frames of the second video in a frame of the first.'
)
