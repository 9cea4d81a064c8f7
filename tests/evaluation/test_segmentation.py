"""The measures of temporal action segmentation, against plain programs and cases done by hand."""

import numpy as np
import pytest
from actseg.eval.external import mstcn_code

from posevid_jax.evaluation import segmentation
from posevid_jax.evaluation.segmentation import SegmentedRecording, evaluate

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
            assert segmentation.edit_score(true, found) == pytest.approx(expected)
    assert segmentation.edit_score(np.zeros(3, int), np.zeros(3, int)) == 100


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
    assert scores(('01100000', '01101110')).numbers['precision@0.5'] == 0.5
    assert scores(('????', '0110')).numbers == {
        'f1@0.1': 0, 'f1@0.25': 0, 'f1@0.3': 0, 'f1@0.5': 0, 'f1@0.75': 0, 'precision@0.5': 0,
        'recall@0.5': 0, 'false_per_hour@0.5': None, 'edit': None, 'frame_accuracy': None,
        'frame_macro_f1': None,
    }  # fmt: skip


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


def test_intervals_draw_whole_recordings_or_those_of_a_group():
    pairs = [('0110', '0110'), ('0110', '0000'), ('0110', '0110'), ('0110', '0000')]
    alone = scores(*pairs, samples=200).intervals['recall@0.5']
    assert alone is not None and alone.low < 0.5 < alone.high
    grouped = scores(*pairs, samples=200, group=[0, 1, 1, 0]).intervals['recall@0.5']
    assert grouped == (0.5, 0.5)
    assert scores(*pairs).intervals['recall@0.5'] is None


def test_tables_have_a_column_a_way_and_a_row_a_class():
    got = {'a': scores(('0110', '0110'), samples=50), 'b': scores(('0220', '0110'))}
    table = segmentation.table('Events', got)
    assert table.header == ('', 'a', 'b')
    rows = {name: cells for name, *cells in table.rows}
    assert rows['F1@0.5'] == ['1.000', '0.000'] and rows['false per hour@0.5'] == ['0', '1800']
    assert rows['start, median (s)'] == ['0.00', '-']
    assert [row[0] for row in segmentation.class_table(got['a']).rows] == ['wave', 'clap']
