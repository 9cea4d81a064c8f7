"""From a file of predictions or losses to how much more often a negative clip is drawn."""

import numpy as np
import pytest

from posevid_jax.data.clips import from_arrays
from posevid_jax.data.hard_negatives import read_boost
from posevid_jax.errors import InputError


def clips(label):
    return from_arrays(
        source='toy', features=np.zeros((4, 2, 1)), label=np.array(label),
        video_id=['7', '7', '8', '9'], start_frame=np.array([0, 40, 0, -1]),
    )  # fmt: skip


CLIPS = clips([0, 0, 1, 0])


def boost(tmp_path, text, factor=5.0, clips=CLIPS):
    path = tmp_path / 'predictions.csv'
    path.write_text(text)
    return read_boost(str(path), clips, factor)


def test_negative_clips_are_boosted_by_their_probability(tmp_path):
    text = 'row,video_id,start_frame,label,prob\n1,7,40,0,0.25\n2,8,0,1,0.9\n0,7,0,,1.0\n'
    np.testing.assert_allclose(boost(tmp_path, text), [5, 2, 1, 1])


def test_a_loss_stands_for_the_probability_that_causes_it(tmp_path):
    text = f'row,loss\n3,{-np.log(1 - 0.75)}\n2,9\n0,0\n1,inf\n'
    np.testing.assert_allclose(boost(tmp_path, text), [1, 5, 1, 4])


@pytest.mark.parametrize(
    ('text', 'named'),
    [
        ('', 'found the columns none, expected row and prob'),
        ('row,label\n1,0\n', 'found the columns row, label'),
        ('row,prob\n4,0.5\n', r'line 2: row: found 4, expected 0 to 3'),
        ('row,prob\n-1,0.5\n', r'row: found -1'),
        ('row,prob\n1.5,0.5\n', r'row: found 1\.5'),
        ('row,prob\nnan,0.5\n', r'row: found nan'),
        ('row,prob\n1\n', r"prob: found '', expected a number"),
        ('row,prob\n1,2\n', r'prob: found 2\.0, expected 0 to 1'),
        ('row,loss\n1,nan\n', r'loss: found nan, expected 0 or more'),
        ('row,prob\n1,0.5\n1,0.5\n', r'line 3: row: found 1 again'),
        ('row,video_id,prob\n1,8,0.5\n', r"video_id: found '8', but row 1 .* '7'"),
        ('row,start_frame,prob\n1,41,0.5\n', r"start_frame: found '41'"),
        ('row,label,prob\n1,1,0.5\n', r"label: found '1'"),
    ],
)
def test_a_file_about_something_else_is_one_line(tmp_path, text, named):
    with pytest.raises(InputError, match=named) as error:
        boost(tmp_path, text)
    assert 'predictions.csv' in str(error.value) and '\n' not in str(error.value)


def test_what_is_no_file_or_no_text_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r'missing\.csv: cannot be read'):
        read_boost(str(tmp_path / 'missing.csv'), CLIPS, 2.0)
    (tmp_path / 'binary.csv').write_bytes(b'row,prob\n\xff\xfe')
    with pytest.raises(InputError, match=r'binary\.csv: not a CSV file'):
        read_boost(str(tmp_path / 'binary.csv'), CLIPS, 2.0)


def test_a_boost_below_one_and_several_classes_are_refused(tmp_path):
    with pytest.raises(InputError, match=r'data\.hard_negative_boost: found 0\.5'):
        boost(tmp_path, 'row,prob\n', 0.5)
    with pytest.raises(InputError, match=r'data\.hard_negatives: found 3 classes'):
        boost(tmp_path, 'row,prob\n', clips=clips([0, 1, 2, 0]))
