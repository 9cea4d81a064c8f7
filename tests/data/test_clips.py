"""The clip contract: what it fills in, what it refuses, how rows are picked."""

import dataclasses

import numpy as np
import pytest

from posevid_jax.data import source
from posevid_jax.data.clips import UNKNOWN_LABEL, Clips, from_arrays
from posevid_jax.data.concatenate import concatenate
from posevid_jax.errors import InputError


def small(**changes) -> Clips:
    rng = np.random.default_rng(0)
    columns = {
        'source': 'toy',
        'features': rng.normal(size=(4, 5, 3)).astype(np.float32),
        'label': np.array([0, 1, 1, 0]),
        'video_id': ['b', 'a', 'b', 'c'],
    }
    return from_arrays(**columns | changes)


def test_defaults_fill_what_the_source_does_not_know():
    clips = small()
    assert clips.videos == ('toy:b', 'toy:a', 'toy:c')
    assert clips.video_ids == ('b', 'a', 'b', 'c')
    np.testing.assert_array_equal(clips.group, clips.video)
    np.testing.assert_array_equal(clips.fps, 30)
    np.testing.assert_array_equal(clips.start_frame, -1)
    np.testing.assert_array_equal(clips.frame_label, -1)
    assert clips.class_names == ('negative', 'positive')
    assert clips.skeleton is None and clips.joint_names == ()


def test_missing_values_become_zero_under_a_false_mask():
    features = np.ones((4, 5, 3))
    features[0, 0, 0], features[1, 0, 0], features[2, 0, 0] = np.nan, -np.inf, 1e300
    mask = np.ones(features.shape, bool)
    mask[3, 0, 0] = False
    clips = small(features=features, mask=mask)
    np.testing.assert_array_equal(clips.features[:, 0, 0], 0)
    assert not clips.mask[:, 0, 0].any()
    assert clips.mask.sum() == mask.size - 4


def test_joint_is_missing_as_a_whole():
    skeleton = np.ones((4, 5, 2, 4), np.float32)
    skeleton[1, 2, 0, 3] = np.nan
    clips = small(skeleton=skeleton)
    assert not clips.skeleton_mask[1, 2, 0]
    np.testing.assert_array_equal(clips.skeleton[1, 2, 0], 0)
    assert clips.joint_names == ('joint_0', 'joint_1')


def test_context_is_masked_like_the_skeleton_and_selected_with_its_clip():
    skeleton = np.ones((4, 5, 2, 4), np.float32)
    context = np.arange(4 * 6 * 2 * 4, dtype=np.float32).reshape(4, 6, 2, 4)
    context[1, 2, 0, 3] = np.nan
    clips = small(skeleton=skeleton, context_skeleton=context)
    assert not clips.context_mask[1, 2, 0] and clips.context_mask.sum() == 4 * 6 * 2 - 1
    np.testing.assert_array_equal(clips.context_skeleton[1, 2, 0], 0)
    np.testing.assert_array_equal(clips.select([3]).context_skeleton[0], context[3])
    assert clips.fingerprint() != small(skeleton=skeleton).fingerprint()
    assert 'context_skeleton' not in clips.arrays(skeleton=True)
    with pytest.raises(InputError, match='context_skeleton: found shape'):
        small(skeleton=skeleton, context_skeleton=context[:, :, :1])
    with pytest.raises(InputError, match='context_skeleton and context_mask'):
        dataclasses.replace(clips, context_mask=None)


def test_clips_have_labels_or_none_of_them_has():
    clips = small(label=None)
    assert not clips.labelled and clips.class_names == () and clips.num_classes == 0
    np.testing.assert_array_equal(clips.label, UNKNOWN_LABEL)
    assert small().labelled
    for label in ([0, -1, 1, 0], [-1, -1, -1, -1]):
        with pytest.raises(InputError, match='label: found -1'):
            small(label=np.array(label))


def test_concatenated_clips_are_the_clips_of_the_parts():
    whole = small(group_id=['g', 'h', 'g', 'g'])
    parts = [whole.select(rows) for rows in ([0, 2], [1], [3])]
    joined = concatenate(parts)
    np.testing.assert_array_equal(joined.features, whole.features[[0, 2, 1, 3]])
    assert joined.video_ids == ('b', 'b', 'a', 'c') and joined.videos == ('toy:b', 'toy:a', 'toy:c')
    assert len(set(joined.group[:2])) == 1 and len(set(joined.group.tolist())) == 3
    again = concatenate([joined.select([0, 1]), joined.select([2, 3])])
    assert again.video_ids == joined.video_ids


def test_parts_that_do_not_fit_are_not_concatenated():
    first = small()
    with pytest.raises(InputError, match='toy:b: found in two sets'):
        concatenate([first, first])
    for changes, name in (
        ({'features': np.ones((4, 6, 3))}, 'features'),
        ({'skeleton': np.ones((4, 5, 2, 4))}, 'skeleton'),
        ({'class_names': ('a', 'b')}, 'class_names'),
    ):
        with pytest.raises(InputError, match=f'other:b: {name}: found'):
            concatenate([first, small(source='other', **changes)])


@pytest.mark.parametrize('dtype', [np.int64, np.uint8, np.uint64])
def test_end_frame_follows_from_the_start(dtype):
    np.testing.assert_array_equal(
        small(start_frame=np.array([0, 3, 7, 9], dtype)).end_frame, [4, 7, 11, 13]
    )


def test_colon_in_the_source_does_not_confuse_video_ids():
    clips = small(source='C:x', video_id=['1:2', '1', '3', '1'])
    assert clips.video_ids == ('1:2', '1', '3', '1')


def test_select_keeps_rows_and_only_their_videos():
    clips = small(video_id=['b', 'a', 'b', 'c'])
    picked = clips.select([3, 0])
    assert picked.videos == ('toy:c', 'toy:b')
    assert picked.video_ids == ('c', 'b')
    np.testing.assert_array_equal(picked.features, clips.features[[3, 0]])
    np.testing.assert_array_equal(picked.group, clips.group[[3, 0]])


def three_classes(class_names):
    frame_label = np.array([[0, 1, 2, -1, 0]] * 4)
    return small(label=np.array([0, 1, 2, 0]), frame_label=frame_label, class_names=class_names)


def test_classes_are_found_by_name_in_any_order():
    clips = three_classes(['rest', 'smoke', 'drink'])
    turned = clips.with_classes(['drink', 'phone', 'rest', 'smoke'])
    np.testing.assert_array_equal(turned.label, [2, 3, 0, 2])
    np.testing.assert_array_equal(turned.frame_label[0], [2, 3, 0, -1, 2])
    assert turned.class_names == ('drink', 'phone', 'rest', 'smoke')
    flipped = small(class_names=['positive', 'negative'])
    back = flipped.with_classes(['negative', 'positive'])
    np.testing.assert_array_equal(back.label, 1 - flipped.label)


def test_classes_without_names_keep_their_numbers():
    two, three = small(), three_classes(None)
    assert three.class_names == ('class_0', 'class_1', 'class_2')
    more = two.with_classes(three.class_names)
    np.testing.assert_array_equal(more.label, two.label)
    assert more.num_classes == 3


@pytest.mark.parametrize(
    ('found', 'wanted'),
    [
        (None, ['rest', 'smoke', 'drink']),
        (['rest', 'smoke', 'drink'], ['class_0', 'class_1', 'class_2']),
    ],
)
def test_names_on_one_side_alone_are_matched_by_number_and_it_is_said(found, wanted, capsys):
    clips = three_classes(found)
    names = {'feature_names': (), 'joint_names': (), 'class_names': wanted}
    matched = source.conform(clips, names, 'x.npz', like='run')
    np.testing.assert_array_equal(matched.label, clips.label)
    assert matched.class_names == tuple(wanted)
    line = capsys.readouterr().out
    assert line.startswith('x.npz: classes are matched with those of run by number: ')
    assert line.endswith(f'2 ({clips.class_names[2]}) is {wanted[2]}\n')
    source.conform(matched, names, 'x.npz', like='run')
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ('found', 'expected'),
    [
        (['rest', 'smoke', 'drink'], ['rest', 'smoke']),
        (['rest', 'smoke', 'drink'], ['rest', 'smoke', 'phone']),
        (['rest', 'smoke', 'drink'], ['negative', 'positive']),
        (None, ['rest', 'smoke']),
        (None, ['negative', 'positive']),
    ],
)
def test_a_class_without_a_counterpart_is_refused(found, expected):
    with pytest.raises(InputError, match=rf'class_names: found .*, expected .*{expected[-1]}'):
        three_classes(found).with_classes(expected)


def test_batch_arrays_have_a_row_each_and_the_skeleton_on_request():
    clips = small(skeleton=np.ones((4, 5, 2, 4)))
    assert 'skeleton' not in clips.arrays(skeleton=False)
    arrays = clips.arrays(skeleton=True)
    assert {len(values) for values in arrays.values()} == {4}
    assert {'skeleton', 'skeleton_mask', 'features', 'mask', 'weight'} < set(arrays)
    np.testing.assert_array_equal(arrays['row'], range(4))
    assert arrays['row'].dtype == arrays['label'].dtype == np.int32
    assert 'skeleton' not in small().arrays(skeleton=True)


def test_fingerprint_sees_content_names_and_order():
    clips = small()
    other = clips.features.copy()
    other[0, 0, 0] += 1
    prints = {
        clips.fingerprint(),
        dataclasses.replace(clips, features=other).fingerprint(),
        dataclasses.replace(clips, feature_names=('a', 'b', 'c')).fingerprint(),
        clips.select([1, 0, 2, 3]).fingerprint(),
    }
    assert len(prints) == 4
    assert clips.fingerprint() == small().fingerprint()


@pytest.mark.parametrize(
    ('column', 'value', 'message'),
    [
        ('features', np.zeros((4, 5, 3)), 'features: found dtype float64, expected float32'),
        ('features', np.full((4, 5, 3), np.nan, np.float32), 'features: found NaN or infinity'),
        ('mask', np.zeros((4, 5, 3), bool), 'features: found a value other than 0 under a False'),
        ('mask', np.ones((4, 5, 2), bool), r'mask: found shape \(4, 5, 2\), .* \(4, 5, 3\)'),
        ('label', np.array([0, 1, 2, 0], np.int32), r'label: found 2, .* 0 to 1 \(clip 2\)'),
        ('label', np.array([0, -1, 1, 0], np.int32), r'label: found -1, .* 0 to 1 \(clip 1\)'),
        ('label', np.array([0, 1], np.int32), r'label: found shape \(2,\), .* = \(4,\)'),
        ('video', np.array([0, 1, 3, 0], np.int32), 'video: found 3, expected .* 0 to 2'),
        (
            'fps',
            np.array([0, 30, 30, 30], np.float32),
            r'fps: found 0\.0, expected .* above 0',
        ),
        ('aspect', np.array([-1, 1, 1, 1], np.float32), r'aspect: found -1\.0, .* above 0'),
        ('weight', np.array([-1, 1, 1, 1], np.float32), r'weight: found -1\.0, .* from 0 on'),
        ('frame_label', np.full((4, 5), 2, np.int8), 'frame_label: found 2, expected .* -1 to 1'),
        ('feature_names', ('a', 'b'), r'features: found shape \(4, 5, 3\), .* \(4, 5, 2\)'),
        ('class_names', ('a', 'a'), 'class_names: found .*a'),
        ('skeleton', np.zeros((4, 5, 2, 4), np.float32), 'skeleton and skeleton_mask: found one'),
    ],
)
def test_refuses_columns_that_break_the_contract(column, value, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(small(), **{column: value})


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        # Would wrap to 0 in 8 bits.
        ('frame_label', np.full((4, 5), 256), 'frame_label: found 256, expected .* -128 to 127'),
        ('start_frame', np.full(4, 2**32), 'start_frame: found 4294967296, expected whole numbers'),
        ('features', np.zeros((0, 5, 3)), 'features: found no observed value in any clip'),
        ('features', np.zeros((4, 5, 0)), 'features: found no observed value in any clip'),
    ],
)
def test_refuses_what_does_not_fit(name, value, message):
    columns = {name: value, 'label': np.zeros(len(value), int), 'video_id': ['a'] * len(value)}
    with pytest.raises(InputError, match=message):
        small(**columns)
