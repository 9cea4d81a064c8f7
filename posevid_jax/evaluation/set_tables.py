"""What was found in some sets of clips, as tables and as sentences."""

import collections
import dataclasses
from collections.abc import Sequence

from posevid_jax.data.clips import UNKNOWN_FRAME, Clips
from posevid_jax.data.leakage import LIMIT, STRETCH, SameFootage
from posevid_jax.data.signatures import MIN_FEATURES, MIN_JOINTS
from posevid_jax.data.summary import Summary, oddities
from posevid_jax.evaluation.table import Table

MOST_PAIRS = 20  # rows of the table of common footage


@dataclasses.dataclass(frozen=True)
class Shared:
    """What two sets, or the videos of one, have in common; from `leakage.find_same_footage`."""

    sets: tuple[int, int]
    kind: str
    found: list[SameFootage]


@dataclasses.dataclass(frozen=True)
class Inspection:
    """Some sets of clips and what was found in them.

    Attributes:
      names: how to call the sets.
      sets: the clips.
      summaries: of each set.
      shared: of each set and of each two.
      identical: from `leakage.identical_clips`.
    """

    names: Sequence[str]
    sets: Sequence[Clips]
    summaries: Sequence[Summary]
    shared: Sequence[Shared]
    identical: list[list[tuple[int, int]]]


def findings(seen: Inspection) -> list[tuple[str, str]]:
    """The sentences for a person, as (kind, sentence).

    The kind is `alarm` for what two sets share, which spoils an evaluation of one trained on the
    other, and `care` for all else.
    """
    alarms, cares = [], []
    for shared in seen.shared:
        a, b = shared.sets
        if shared.kind == 'nothing' and a != b:
            cares.append(
                f'{seen.names[a]} and {seen.names[b]} were not compared: they have neither '
                f'{MIN_JOINTS} joints nor {MIN_FEATURES} features in common'
            )
        elif shared.found and a != b:
            alarms.append(
                f'{seen.names[a]} and {seen.names[b]} show the same footage: '
                f'{_clips(shared, 0)} of {len(seen.sets[a]):,} and '
                f'{_clips(shared, 1)} of {len(seen.sets[b]):,} clips, {_pairs(seen, shared)}'
            )
        elif shared.found:
            cares.append(
                f'{seen.names[a]}: videos of the same footage, {_pairs(seen, shared)}; '
                'a split by video may part them unless they have one group_id'
            )
    copies = _identical(seen)
    alarms += [sentence for kind, sentence in copies if kind == 'alarm']
    cares += [sentence for kind, sentence in copies if kind == 'care']
    for name, summary in zip(seen.names, seen.summaries, strict=True):
        cares += [f'{name}: {sentence}' for sentence in oddities(summary)]
    return [('alarm', sentence) for sentence in alarms] + [('care', sentence) for sentence in cares]


def facts(seen: Inspection) -> Table:
    """A row a fact, a column a set."""
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
            'frames with a label': f'{(clips.frame_label >= 0).sum() / s.frames:.1%}',
        })  # fmt: skip
    return Table(
        'Sets', ('', *seen.names), [(key, *(c[key] for c in columns)) for key in columns[0]]
    )


def classes(seen: Inspection) -> Table:
    """A row a class of each set."""
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
    """A row a feature: what is missing, and the range of what is not."""
    rows = []
    for f in summary.features:
        numbers = ('-',) * 5 if f.quantiles is None else [f'{x:.4g}' for x in f.quantiles]
        note = 'never observed' if f.quantiles is None else 'constant' if f.constant else ''
        note = f'{f.outliers:,}' if f.outliers else note
        rows.append((f.name, f'{f.missing:.1%}', *numbers, note))
    header = ('feature', 'missing', 'min', 'p1', 'median', 'p99', 'max', 'outliers')
    return Table(f'Features of {name}', header, rows)


def joints(name: str, summary: Summary) -> Table:
    """A row a joint: what is missing, and how visible the rest is."""
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
        'video',
        'and video',
        'frames',
        'and frames',
        'seconds',
        'speed',
        'agreement',
        'clips',
    )
    return Table('The same footage twice', header, rows) if rows else None


def video_name(seen: Inspection, shared: Shared, same: SameFootage, side: int) -> str:
    """`set: video id` of one of the two videos."""
    return f'{seen.names[shared.sets[side]]}: {same.videos[side].partition(":")[2]}'


def _pairs(seen: Inspection, shared: Shared) -> str:
    same, count = shared.found[0], len(shared.found)
    number = f'{LIMIT:,} pairs or more' if count == LIMIT else f'{count:,} pairs'
    names = ' and '.join(name.partition(':')[2] for name in same.videos)
    (first, last), (other_first, other_last) = same.frames
    clips = seen.sets[shared.sets[0]]
    frames = f' (frames {first}-{last} and {other_first}-{other_last}, by {shared.kind})'
    if clips.start_frame[same.clips[0][0]] == UNKNOWN_FRAME:
        frames = f' (by {shared.kind})'
    return f'{"" if count == 1 else f"{number} of videos, the longest "}{names}{frames}'


def _clips(shared: Shared, side: int) -> str:
    return f'{len({row for same in shared.found for row in same.clips[side]}):,}'


def _identical(seen: Inspection) -> list[tuple[str, str]]:
    """Sentences about clips that are equal bit for bit."""
    within: dict[int, list] = collections.defaultdict(list)
    between: dict[tuple[int, int], set[int]] = collections.defaultdict(set)
    for places in seen.identical:
        for s in {s for s, _ in places}:
            rows = [row for of, row in places if of == s]
            if len(rows) > 1:
                within[s].append(rows)
            for other in {other for other, _ in places if other > s}:
                between[s, other].update(row for of, row in places if of == other)
    sentences = [
        ('alarm', f'{len(rows):,} clips of {seen.names[b]} are in {seen.names[a]}, bit for bit')
        for (a, b), rows in sorted(between.items())
    ]
    for s, groups in sorted(within.items()):
        label = seen.sets[s].label
        torn = sum(len(set(label[rows].tolist())) > 1 for rows in groups)
        extra = sum(len(rows) - 1 for rows in groups)
        sentences.append((
            'care',
            f'{seen.names[s]}: {extra:,} clips are copies of another, bit for bit (clips '
            f'{groups[0][0]} and {groups[0][1]} first)'
            + (f'; copied with another label: {torn:,}' if torn else ''),
        ))  # fmt: skip
    return sentences


def _span(values) -> str:
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
