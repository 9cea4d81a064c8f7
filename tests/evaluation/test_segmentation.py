"""The measures of temporal action segmentation, against plain programs and cases done by hand."""

import dataclasses
import json

import numpy as np
import pytest
from actseg.eval.external import mstcn_code

from posevid_jax.evaluation import intervals, segmentation, segmentation_report, segments
from posevid_jax.evaluation.json_form import from_json, to_json
from posevid_jax.evaluation.segmentation import evaluate
from posevid_jax.evaluation.segmentation_results import Segmentation
from posevid_jax.evaluation.segments import SegmentedRecording
from posevid_jax.evaluation.units import Unit

NAMES = ('none', 'wave', 'clap')


def recording(true, found, fps=2.0):
    true, found = (np.array([int(c) if c != '?' else -1 for c in of]) for of in (true, found))
    return SegmentedRecording(true, found, np.arange(len(true) + 1) / fps)


def scores(*pairs, **options):
    return evaluate([recording(*pair) for pair in pairs], NAMES, **options)


def random_labels(rng, segments):
    return np.repeat(rng.integers(3, size=segments), rng.integers(1, 9, size=segments))


def random_recording(rng):
    true = random_labels(rng, 12)
    found = np.roll(true, rng.integers(4))
    found[rng.integers(len(found), size=6)] = rng.integers(3, size=6)
    return SegmentedRecording(true, found, np.arange(len(true) + 1) / 30)


def test_f1_is_that_of_the_published_program_where_no_event_is_wanted_twice():
    rng, higher = np.random.default_rng(0), 0
    for _ in range(60):
        of = random_recording(rng)

        def published(overlap, of=of):
            right, false, missed = mstcn_code.f_score(of.found, of.true, overlap, bg_class=[0])
            return 2 * right / (2 * right + false + missed)

        got = evaluate([of], NAMES, overlaps=(0.1, 0.51, 0.75)).numbers
        for overlap in (0.51, 0.75):  # of more than half, a segment has at most one partner
            assert got[f'f1@{overlap:g}'] == pytest.approx(published(overlap))
        assert got['f1@0.1'] >= published(0.1) - 1e-9
        higher += got['f1@0.1'] > published(0.1) + 1e-9
    assert higher < 30


def test_edit_score_is_that_of_the_published_program(monkeypatch):
    monkeypatch.setattr(np, 'float', float, raising=False)  # of NumPy at the time
    rng = np.random.default_rng(1)
    for _ in range(30):
        labels = [random_labels(rng, rng.integers(1, 8)) for _ in range(2)]
        true, found = (of[: min(map(len, labels))] for of in labels)
        if true.any() or found.any():
            expected = mstcn_code.edit_score(found, true, bg_class=[0])
            assert segments.edit_score(true, found) == pytest.approx(expected)
    assert segments.edit_score(np.zeros(3, int), np.zeros(3, int)) == 100


def test_an_event_of_another_class_is_false_and_classes_are_told_apart():
    got = scores(('0011100220', '0011100110'), ('0111100000', '0222200000'))
    assert got.numbers['f1@0.5'] == pytest.approx(2 / 6)
    assert got.numbers['precision@0.5'] == got.numbers['recall@0.5'] == pytest.approx(1 / 3)
    assert got.numbers['false_per_hour@0.5'] == pytest.approx(2 * 3600 / 10)
    wave, clap = got.classes
    assert (wave.name, wave.true_events, wave.found_events) == ('wave', 2, 2)
    assert wave.f1[0] == pytest.approx(0.5) and clap.f1[0] == 0
    assert wave.frame_f1 == pytest.approx(2 * 3 / (7 + 5))
    assert got.numbers['frame_accuracy'] == pytest.approx(14 / 20)
    f1 = [2 * 11 / (11 + 11), 0.5, 0.0]
    assert got.numbers['frame_macro_f1'] == pytest.approx(np.mean(f1))


def test_frames_without_a_label_are_neither_right_nor_wrong():
    got = scores(('0110????', '01101111'))
    assert got.numbers['f1@0.75'] == 1 and got.numbers['edit'] == 100
    assert got.numbers['frame_accuracy'] == 1 and got.hours == pytest.approx(2 / 3600)
    mostly_known = scores(('01100???', '01101110')).numbers
    assert mostly_known['precision@0.5'] == 1
    assert scores(('011000??', '01101111')).numbers['precision@0.5'] == 0.5  # half is enough
    assert scores(('01100000', '01101110')).numbers['precision@0.5'] == 0.5
    unlabelled = scores(('????', '0110')).numbers
    defined = {name for name, value in unlabelled.items() if value is not None}
    rates = ('f1', 'precision', 'recall')
    assert defined == {f'{name}@{o:g}' for name in rates for o in segmentation.OVERLAPS}
    assert not any(unlabelled[name] for name in defined)


def test_starts_and_ends_are_off_by_seconds_of_the_events_that_match():
    got = scores(('0011110000', '0001111000'), ('0111111000', '1111000000'), ('0110', '0000'))
    assert got.start.median == pytest.approx(0.0) and got.start.median_abs == pytest.approx(0.5)
    assert got.end.median == pytest.approx((0.5 - 1.5) / 2)
    assert got.end.p90_abs == pytest.approx(0.5 + 0.9)
    none = scores(('0110', '0000')).start
    assert none.median is none.p90_abs is None


def test_what_looks_at_nothing_says_one_event_over_each():
    found = segmentation.one_event_each([recording('0220110220', '0000000000')])
    assert found[0].found.tolist() == [2] * 10
    found = segmentation.one_event_each([recording('0000', '0000')])
    assert found[0].found.tolist() == [1] * 4


def test_as_many_events_are_compared_as_match():
    """The second found event overlaps the first true one most, and then the others stay alone."""
    of = recording('000111111111100011', '111110111111111111', fps=1.0)
    counts, errors = segments.count(of, 3, (0.1,))
    assert counts.matched.tolist() == [[2, 0]]
    np.testing.assert_allclose(errors, [[-3, -8], [-10, 0]])


def test_intervals_draw_whole_recordings_or_those_of_a_group():
    pairs = [('0110', '0110'), ('0110', '0000'), ('0110', '0110'), ('0110', '0000')]
    alone = scores(*pairs, samples=200).intervals['recall@0.5']
    assert alone is not None and alone.low < 0.5 < alone.high
    grouped = scores(*pairs, samples=200, group=[0, 1, 1, 0]).intervals['recall@0.5']
    assert grouped == (0.5, 0.5)
    assert scores(*pairs).intervals['recall@0.5'] is None


def test_all_draws_at_once_say_what_one_after_the_other_says():
    rng = np.random.default_rng(3)
    recordings = [random_recording(rng) for _ in range(9)]
    recordings.append(recording('????', '0110'))  # in some draws, nothing but this has an end
    group = np.array([0, 0, 1, 2, 2, 2, 3, 4, 4, 5])

    def drawn(rows):
        return evaluate([recordings[row] for row in rows], NAMES).numbers

    expected = intervals.bootstrap(drawn, group, samples=40, seed=7)
    got = evaluate(recordings, NAMES, samples=40, seed=7, group=group)
    assert got.intervals.keys() == expected.keys()
    for name, ends in expected.items():
        assert got.intervals[name] == pytest.approx(ends), name
    assert got.drawn == Unit(name='group', count=6)


def test_draws_without_a_label_have_no_part_in_an_interval():
    got = scores(('0110', '0110'), ('????', '0110'), samples=40).intervals
    assert got['edit'] == (100, 100) and got['frame_accuracy'] == (1, 1)


def test_each_recording_and_the_worst_one_first():
    pairs = [('0110', '0110'), ('0000', '0000'), ('0110', '1100'), ('????', '0110')]
    recordings = [
        dataclasses.replace(recording(*pair), name=name)
        for pair, name in zip(pairs, 'abcd', strict=True)
    ]
    got = evaluate(recordings, NAMES)
    a, b, c, d = got.by_recording
    assert (a.true_events, a.found_events, a.matched) == (1, 1, [1] * 5)
    assert a.f1 == [1] * 5 and b.f1 == d.f1 == [None] * 5 and c.f1 == [1, 1, 1, 0, 0]
    assert (b.edit, d.edit, c.frame_accuracy, d.frame_accuracy) == (100, None, 0.5, None)
    assert [one.name for one in segmentation_report.worst_first(got)] == ['c', 'a', 'b', 'd']
    (row, *_) = segmentation_report.recording_table(got, [c]).rows
    assert list(row) == ['c', '1', '1', '0', '0.000', '100.0', '0.500']


def test_what_looks_at_nothing_says_no_event_too():
    of = [recording('0000000110', '1111111111')]
    got = evaluate(segmentation.no_event(of), NAMES).numbers
    assert got['frame_accuracy'] == 0.8 and got['f1@0.1'] == 0


def test_classes_that_nowhere_are_do_not_count_in_macro_f1():
    got = scores(('0110', '0110'), ('0110', '0112')).numbers['frame_macro_f1']
    assert got == pytest.approx((2 * 3 / (4 + 3) + 1) / 2)


def test_counts_and_rates_at_each_overlap():
    got = scores(('0111100', '0110010'), ('0220000', '0110000'))
    assert (got.true_events, got.found_events) == (2, 3)
    assert got.matched == [1, 1, 1, 1, 0]
    assert got.numbers['precision@0.1'] == pytest.approx(1 / 3)
    assert got.numbers['false_per_hour@0.75'] == pytest.approx(3 * 3600 / 7)
    wave, clap = got.classes
    assert wave.matched == got.matched and clap.matched == [0] * 5
    assert (wave.precision[0], wave.recall[0], wave.recall[4]) == (pytest.approx(1 / 3), 1, 0)
    assert wave.false_per_hour[0] == pytest.approx(2 * 3600 / 7) and clap.false_per_hour[0] == 0
    table = segmentation_report.overlap_table(got)
    assert [row[:4] for row in table.rows][-2:] == [('0.5', '2', '3', '1'), ('0.75', '2', '3', '0')]


def test_a_terminal_lists_the_worst_of_many_classes():
    true = np.arange(13).repeat(2)
    found = np.where(true == 7, 0, true)
    names = [f'c{k}' for k in range(13)]
    of = SegmentedRecording(true, found, np.arange(27.0))
    text = segmentation_report.lines('Events', {'found': evaluate([of], names)})
    start = text.index('The 10 of 12 classes with the lowest F1')
    assert len(text) == start + 12 and text[start + 2].split()[0] == 'c7'
    assert text[0] == 'Events'
    some = evaluate([of] * 3, names, samples=20)
    two = segmentation_report.lines('E', {'found': scores(('0110', '0110'))})
    one = segmentation_report.lines(
        'E', {'found': evaluate([recording('0110', '0110')], NAMES[:2])}
    )
    assert 'Each class' in two and 'Each class' not in one
    assert 'over 3 recordings, so few that' in segmentation_report.lines('E', {'found': some})[0]


def test_it_is_read_as_it_was_written():
    rng = np.random.default_rng(4)
    got = evaluate([random_recording(rng) for _ in range(3)], NAMES, samples=20)
    assert from_json(Segmentation, json.loads(json.dumps(to_json(got))), 'a file') == got


def test_tables_have_a_column_a_way_and_a_row_a_class():
    got = {'a': scores(('0110', '0110'), samples=50), 'b': scores(('0220', '0110'))}
    table = segmentation_report.table('Events', got)
    assert table.header == ('', 'a', 'b')
    rows = {name: cells for name, *cells in table.rows}
    assert rows['F1@0.5'] == ['1.000', '0.000'] and rows['false per hour@0.5'] == ['0', '1800']
    assert rows['start, median (s)'] == ['0.00', '-']
    assert [row[0] for row in segmentation_report.class_table(got['a'], got['a'].classes).rows] == [
        'wave',
        'clap',
    ]
