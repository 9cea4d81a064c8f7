"""Label files: what frames they label, and the one line when they cannot be used."""

import pathlib

import numpy as np
import pytest

from posevid_jax.data.intervals import class_names, frame_labels
from posevid_jax.data.labels.read import read_intervals
from posevid_jax.errors import InputError
from tests.data.landmark_files import labels_text

CLASSES = ('no', 'yes')


def test_a_frame_belongs_to_the_interval_that_holds_its_time(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_text(labels_text((0.2, 0.5, 'yes'), (0.5, 0.6, 'no'), (0.8, 1.0, 'yes')))
    intervals = read_intervals(path, 1)
    time = np.arange(12) / 10
    expected = [-1, -1, 1, 1, 1, 0, -1, -1, 1, 1, -1, -1]
    np.testing.assert_array_equal(frame_labels(intervals, time, CLASSES, -1), expected)
    found = frame_labels(intervals, time, ('yes', 'no'), 1)
    np.testing.assert_array_equal(found, [1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1])


def test_columns_may_stand_in_any_order_and_a_file_may_be_empty(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_text('\ufeffwho,label,end, start\nme," yes",2.5,1e0\n')
    intervals = read_intervals(path, 1)
    assert (intervals.start, intervals.end, intervals.label) == ([1], [2.5], ('yes',))
    path.write_text('start,end,label\n')
    none = read_intervals(path, 1)
    np.testing.assert_array_equal(frame_labels(none, np.arange(3.0), CLASSES, 0), [0, 0, 0])


BAD = {
    'column': ('start,until,label\n', 'column end: not found'),
    'nothing': ('', 'column start: not found'),
    'word': (labels_text((0, 1, 'a'), ('x', 2, 'a')), "line 3: start: found 'x'"),
    'nan': (labels_text((0, 'nan', 'a')), "line 2: end: found 'nan'"),
    'no_cell': ('start,end,label\n1\n', "line 2: end: found ''"),
    'no_label': ('start,end,label\n1,2,\n', 'label: found nothing'),
    'negative': (labels_text((-1, 1, 'a')), 'start: found -1'),
    'backwards': (labels_text((0, 1, 'a'), (3, 2, 'a')), 'line 3: end: found 2, expected no less'),
    'overlap': (labels_text((0, 2, 'a'), (1.5, 3, 'b')), 'expected at least 2'),
}


@pytest.mark.parametrize(('text', 'message'), BAD.values(), ids=BAD)
def test_a_bad_label_file_is_one_line(tmp_path, text, message):
    path = tmp_path / 'a.csv'
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_intervals(path, 1)
    line = str(raised.value)
    assert str(path) in line and message in line and '\n' not in line


def test_bytes_that_are_no_text_are_named(tmp_path):
    (tmp_path / 'a.csv').write_bytes(b'start,end,label\n0,1,\xff\xfe\n')
    with pytest.raises(InputError, match=r'a\.csv: found no UTF-8 text'):
        read_intervals(tmp_path / 'a.csv', 1)


def classes(labels, configured=(), outside='unknown', negative=True):
    found = {label: pathlib.Path(f'{label}.csv') for label in labels}
    return class_names(found, configured, outside, negative=negative)


def test_classes_come_from_the_files_in_an_order_that_does_not_depend_on_them():
    assert classes(['smoke', 'no_smoke']) == classes(['no_smoke', 'smoke']) == ('no_smoke', 'smoke')
    assert classes(['smoke'], outside='zero') == ('zero', 'smoke')
    assert classes(['b', 'c', 'a'], outside='b') == ('b', 'a', 'c')
    assert classes(['b', 'c', 'a'], negative=False) == ('a', 'b', 'c')
    assert classes(['b'], configured=('x', 'b', 'a')) == ('x', 'b', 'a')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(labels=['smoke']), 'found smoke, expected at least two'),
        (dict(labels=[]), 'found no labels'),
        (dict(labels=['a'], configured=('a', 'a')), 'two different names'),
        (dict(labels=['a', 'b', 'c']), r'3 labels \(a in a\.csv, b in b\.csv'),
        (dict(labels=['a'], configured=('a', 'b'), outside='c'), "prepare.outside: found 'c'"),
    ],
)
def test_classes_that_are_not_clear_are_asked_for(arguments, message):
    with pytest.raises(InputError, match=message):
        classes(**arguments)
