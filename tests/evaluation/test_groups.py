"""Groups of clips, against plain numpy on clips made for it."""

import dataclasses

import numpy as np
import pytest

from posevid_jax.data import clips as contract
from posevid_jax.evaluation.groups import body_size, by_quartile, groupings
from tests.evaluation import made

NAMED = ('nose', 'left_shoulder', 'right_shoulder')


def way(clips, title):
    """The names of the groups, one a clip, of a way to group."""
    (found,) = (grouping for grouping in groupings(clips)[0] if grouping.title == title)
    return [found.names[g] for g in found.group]


def test_the_body_s_size_is_the_median_of_frames_that_show_the_shoulders():
    rng = np.random.default_rng(0)
    skeleton = rng.random((5, 7, 3, 4))
    skeleton[rng.random((5, 7, 3)) < 0.3] = np.nan
    skeleton[2, :, 1] = np.nan  # never both shoulders
    aspect = np.array([1.0, 1.5, 1.0, 0.5, 2.0])
    clips = contract.from_arrays(
        source='set', features=np.zeros((5, 7, 0)), label=np.arange(5) % 2, aspect=aspect,
        skeleton=skeleton, joint_names=NAMED,
    )  # fmt: skip
    nose, left, right = np.moveaxis(skeleton[..., :2], 2, 0)
    width, neck = left - right, nose - (left + right) / 2
    for vector in (width, neck):
        vector[..., 0] *= aspect[:, None]
    width, neck = (np.hypot(*np.moveaxis(vector, -1, 0)) for vector in (width, neck))
    expected = [
        np.median([max(w, 1.45 * n) if n == n else w for w, n in zip(*of, strict=True) if w == w])
        if np.isfinite(of[0]).any()
        else np.nan
        for of in zip(width, neck, strict=True)
    ]
    assert np.isnan(expected).tolist() == [False, False, True, False, False]
    np.testing.assert_allclose(body_size(clips), expected, rtol=1e-5)
    assert way(clips, 'body size')[2] == 'not seen'


def test_quartiles_leave_out_what_is_not_known():
    value = np.array([3.0, np.nan, 1.0, 4.0, 2.0, np.nan])
    found = by_quartile('x', value)
    assert [found.names[g] for g in found.group] == [
        'third quarter, 3.00 to 3.00', 'not seen', 'lowest quarter, 1.00 to 1.00',
        'highest quarter, 4.00 to 4.00', 'second quarter, 2.00 to 2.00', 'not seen',
    ]  # fmt: skip
    assert by_quartile('x', np.full(3, np.nan)).names == ['not seen']


def test_an_upper_end_of_gesture_frames_belongs_to_the_group_below():
    frames = np.array([
        [0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1],
        [1, 0, -1, -1],  # half of the frames with a label
        [-1, -1, -1, -1],
    ])  # fmt: skip
    clips = made.clips().select(range(7))
    clips = dataclasses.replace(clips, frame_label=frames.astype(np.int8))
    assert way(clips, 'share of gesture frames') == [
        'none', '(0, 0.25]', '(0.25, 0.5]', '(0.5, 0.75]', '(0.75, 1]', '(0.25, 0.5]',
        'no frame labels',
    ]  # fmt: skip


def test_many_frame_rates_are_quartiles():
    rates = np.linspace(10, 60, 48).astype(np.float32)
    names = way(dataclasses.replace(made.clips(), fps=rates), 'frame rate')
    assert len(set(names)) == 4
    assert names[0] == 'lowest quarter, 10.00 to 21.70'
    few = dataclasses.replace(made.clips(), fps=np.where(rates < 30, 29.97, 25).astype(np.float32))
    assert set(way(few, 'frame rate')) == {'25 per second', '30 per second'}


@pytest.mark.parametrize('joints', [(), ('left_wrist', 'nose')])
def test_what_clips_cannot_be_grouped_by_is_said(joints):
    skeleton = np.random.default_rng(0).random((6, 4, len(joints), 4)) if joints else None
    clips = contract.from_arrays(
        source='set', features=np.arange(24.0).reshape(6, 4, 1) % 7, label=np.arange(6) % 2,
        mask=np.arange(4)[:, None] <= np.arange(6)[:, None, None], skeleton=skeleton,
        joint_names=joints,
    )  # fmt: skip
    found, missing = groupings(clips)
    hands = 'wrist visibility' if joints else 'share observed'
    assert [grouping.title for grouping in found] == [hands]
    assert missing == {
        'video': 'each a video and a group of its own',
        'body size': 'not seen',
        'frame rate': '30 per second',
        'share of gesture frames': 'no frame labels',
    } | ({} if joints else {'wrist visibility': 'not seen'})
    assert {title for title in groupings(clips.select([0]))[1]} >= {'video', hands}
