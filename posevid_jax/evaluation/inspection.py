"""What is in some sets of clips, and what they have in common."""

import collections
import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence

from posevid_jax.data import leakage
from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import UNKNOWN_FRAME
from posevid_jax.data.leakage import LIMIT, SameFootage
from posevid_jax.data.signatures import MIN_FEATURES, MIN_JOINTS
from posevid_jax.data.summary import Summary, oddities, summarise

CALLED = {'alarm': 'LEAK', 'care': 'note'}


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


def inspect(
    sets: Mapping[str, Clips],
    infinite: Mapping[str, Mapping[str, int]],
    done: Callable[[str], None],
) -> Inspection:
    """Everything there is to find.

    Args:
      sets: clips by the name of the set.
      infinite: of each set, from `infinite_values`.
      done: called after each step with what it did.
    """
    summaries, shared = [], []
    for name, clips in sets.items():
        summaries.append(summarise(clips, dict(infinite[name])))
        done(f'summed up {name}')
    names, clips = list(sets), list(sets.values())
    for pair in itertools.combinations_with_replacement(range(len(sets)), 2):
        some = sorted(set(pair))
        shared.append(Shared(pair, *leakage.find_same_footage([clips[s] for s in some])))
        done(f'compared {" and ".join(names[s] for s in some)}')
    return Inspection(names, clips, summaries, shared, leakage.identical_clips(clips))


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
    within: dict[int, list[list[int]]] = collections.defaultdict(list)
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
