"""Runs beside each other by the events that they found, from their records."""

import dataclasses
import itertools

import numpy as np
import pytest

from posevid_jax.evaluation import events_comparison, intervals, segmentation
from posevid_jax.evaluation.comparison import Compared, compare
from posevid_jax.evaluation.events_comparison import JudgedEvents
from posevid_jax.evaluation.json_form import from_json, to_json
from posevid_jax.evaluation.segmentation_results import Segmentation
from posevid_jax.evaluation.segments import SegmentedRecording

NAMES, OVERLAPS, DRAWS = ('none', 'wave', 'clap'), (0.1, 0.5), 40


def recordings(seed, count=8):
    """The same labels for every seed, and other events found."""
    truth, rng = np.random.default_rng(0), np.random.default_rng(seed)
    made = []
    for n in range(count):
        true = np.repeat(truth.integers(3, size=9), truth.integers(1, 9, size=9))
        found = np.roll(true, rng.integers(1, 4))
        found[rng.integers(len(found), size=5)] = rng.integers(3, size=5)
        true[: n % 3] = -1
        made.append(SegmentedRecording(true, found, np.arange(len(true) + 1) / 5, f'v{n}'))
    return made


def judged(of, *, group=None, older=False):
    """As read of a file."""

    def read(recordings):
        found = segmentation.evaluate(
            recordings, NAMES, overlaps=OVERLAPS, samples=DRAWS, group=group
        )
        record = to_json(found)
        for one in record['by_recording'] if older else ():
            for key in ('group', 'frames', 'seconds', 'start', 'end'):
                del one[key]
        return from_json(Segmentation, record, 'events.json')

    return JudgedEvents(read(of), read(segmentation.one_event_each(of)))


def tables(*runs):
    named = {name: run for name, run in zip('abc', runs, strict=False)}
    return events_comparison.tables('set', named, samples=DRAWS, seed=3)


def column(table, name):
    place = table.header.index(name)
    return {row[0]: row[place] for row in table.rows}


def test_a_run_has_a_column_of_its_measures_and_the_trivial_answer_another():
    one, two = judged(recordings(1)), judged(recordings(2))
    scores, _ = tables(one, two)
    assert scores.header == ('', 'a', 'b', 'one event each')
    for name, of in (('a', one.found), ('b', two.found), ('one event each', one.trivial)):
        cells = column(scores, name)
        assert cells['recordings'] == '8' and cells['found'] == str(of.found_events)
        low, high = of.intervals['f1@0.5']
        assert cells['F1@0.5'] == f'{of.numbers["f1@0.5"]:.3f} [{low:.3f}, {high:.3f}]'
        assert cells['start, off by (s)'] == f'{of.start.median_abs:.2f}'


@pytest.mark.parametrize('group', [None, (0, 0, 1, 1, 2, 2, 3, 3)])
def test_differences_are_those_of_both_on_the_same_draws_of_recordings(group):
    ours, theirs = recordings(1), recordings(2)
    _, gains = tables(judged(ours, group=group), judged(theirs, group=group))
    drawn = 'recordings' if group is None else 'groups'
    assert f'difference from a, with 95 % intervals, the same {drawn} drawn for both' in gains.title
    forms = dict.fromkeys(
        ('F1@0.1', 'F1@0.5', 'false per hour@0.5', 'edit', 'frame accuracy', 'start, off by (s)',
         'end, off by (s)'),
        '.3f',
    ) | {'false per hour@0.5': '.1f', 'edit': '.1f'}  # fmt: skip
    assert [row[0] for row in gains.rows] == list(forms)

    def numbers(rows):
        """By judging drawn recordings themselves."""
        found = []
        for of in (ours, theirs):
            whole = segmentation.evaluate([of[r] for r in rows], NAMES, overlaps=OVERLAPS)
            names = ('f1@0.1', 'f1@0.5', 'false_per_hour@0.5', 'edit', 'frame_accuracy')
            values = [whole.numbers[name] for name in names]
            found.append([*values, whole.start.median_abs, whole.end.median_abs])
        return dict(zip(forms, np.subtract(found[1], found[0]).tolist(), strict=True))

    own = np.arange(8) if group is None else np.array(group)
    ends = intervals.bootstrap(numbers, own, samples=DRAWS, seed=3)
    for name, value in numbers(range(8)).items():
        low, high = ends[name]
        form = forms[name]
        expected = f'{value:+{form}} [{low:+{form}}, {high:+{form}}]'
        assert column(gains, 'b')[name] == expected


def test_other_recordings_are_warned_of_and_have_no_differences():
    one, fewer = judged(recordings(1)), judged(recordings(2, count=7))
    (scores,) = tables(one, fewer)
    assert scores.header == ('', 'a', 'b')  # no trivial answer is that of both
    assert column(scores, 'b')['recordings'] == '7'
    runs = {'a': one, 'b': fewer}
    (warning,) = events_comparison.warnings('set', runs)
    assert warning == 'set: not the same recordings, or other labels of them, in a, b'
    other = recordings(2)
    other[0].true[:] = 0
    assert events_comparison.warnings('set', runs | {'b': judged(other)})


def test_records_of_older_versions_have_no_differences():
    one, older = judged(recordings(1)), judged(recordings(2), older=True)
    assert len(tables(one, older)) == len(tables(older, one)) == 1
    assert len(tables(one, older, one)[1].header) == 2


def test_what_no_event_of_a_run_matches_has_no_error_of_starts():
    nothing = judged(segmentation.no_event(recordings(1)))
    _, gains = tables(judged(recordings(1)), nothing)
    assert column(gains, 'b')['start, off by (s)'] == '-'


def test_events_stand_beside_clips_on_screen_and_on_the_page():
    one, two = judged(recordings(1)), judged(recordings(2))
    runs = [
        Compared(name=name, config={'seed': n}, history=[], evaluations={}, kept={}, events=events)
        for n, (name, events) in enumerate({'a': {'in v': one}, 'b': {'in v': two}}.items())
    ]
    found = compare(runs, samples=DRAWS, seed=0)
    assert [table.title for table in found.tables[:1]] == [found.events['in v'][0].title]
    assert found.tables == [*itertools.chain(*found.events.values()), found.differences]
    text = found.page()
    assert 'Events in v' in text and text.count('<svg') == 1  # no clips, no epochs
    alone = compare([runs[0], dataclasses.replace(runs[1], events={})], samples=DRAWS, seed=0)
    assert alone.events['in v'][0].header == ('', 'a', 'one event each')
    assert not alone.warnings and len(alone.events['in v']) == 1
