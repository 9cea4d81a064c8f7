"""Archives and folders: what is read, and the one line that says why something is not."""

import pathlib
import pickle

import numpy as np
import pytest

from posevid_jax.data.clips import UNKNOWN_LABEL, from_arrays
from posevid_jax.data.npz import read_clips, write_clips
from posevid_jax.errors import InputError

N, T, F, J = 5, 7, 3, 4
RNG = np.random.default_rng(0)


def archive(**changes):
    """The arrays of a small archive; None removes one."""
    raw = RNG.normal(size=(N, T, F)).astype(np.float32)
    raw[0, 2, 1] = np.nan
    raw[1, 0, 0] = np.inf
    arrays = {
        'long_raw': raw,
        'long_label': np.array([0, 1, 0, 1, 1]),
        'long_video_id': np.array(['a', 'a', 'b', 'é', 'b']),
        'long_start_frame': np.arange(N) * 10,
        'long_fps': np.full(N, 25.0, np.float32),
        'long_video_size': np.tile([640.0, 480.0], (N, 1)),
        'long_frame_label': RNG.integers(0, 2, (N, T)).astype(np.int8),
        'long_skeleton': RNG.random((N, T, J, 4)).astype(np.float32),
        'landmark_ids': np.array([11, 12, 15, 16]),
        'feature_list': np.array(['f0', 'f1', 'f2']),
    } | changes
    return {key: value for key, value in arrays.items() if value is not None}


def saved(path, arrays):
    np.savez(path, **arrays)
    return path


def test_an_archive_becomes_clips(tmp_path):
    arrays = archive()
    clips = read_clips(saved(tmp_path / 'set.npz', arrays), prefix='long')
    raw = arrays['long_raw']
    np.testing.assert_array_equal(clips.mask, np.isfinite(raw))
    np.testing.assert_array_equal(clips.features, np.where(np.isfinite(raw), raw, 0))
    assert clips.videos == ('set:a', 'set:b', 'set:é')
    assert clips.video_ids == ('a', 'a', 'b', 'é', 'b')
    np.testing.assert_array_equal(clips.end_frame, np.arange(N) * 10 + T - 1)
    np.testing.assert_allclose(clips.aspect, 640 / 480)
    assert clips.joint_names == ('left_shoulder', 'right_shoulder', 'left_wrist', 'right_wrist')
    assert clips.feature_names == ('f0', 'f1', 'f2') and clips.num_classes == 2


def test_what_is_written_is_read_back(tmp_path):
    clips = read_clips(saved(tmp_path / 'set.npz', archive()), prefix='long')
    (tmp_path / 'copy').mkdir()
    write_clips(tmp_path / 'copy' / 'set.npz', clips, 'short')
    again = read_clips(tmp_path / 'copy' / 'set.npz', prefix='short')
    assert again.fingerprint() == clips.fingerprint()
    assert [file.name for file in (tmp_path / 'copy').iterdir()] == ['set.npz']


def test_features_first_archives_are_turned(tmp_path):
    arrays = archive()
    turned = arrays | {'long_raw': arrays['long_raw'].swapaxes(1, 2)}
    a, b = (
        read_clips(saved(tmp_path / name, content), prefix='long')
        for name, content in (('a.npz', arrays), ('b.npz', turned))
    )
    np.testing.assert_array_equal(a.features, b.features)
    np.testing.assert_array_equal(a.mask, b.mask)


def test_raw_wins_and_a_mask_only_takes_away(tmp_path):
    mask = np.ones((N, T, F), bool)
    mask[2] = False
    arrays = archive(long_norm=np.zeros((N, T, F)), long_mask=mask)
    clips = read_clips(saved(tmp_path / 'set.npz', arrays), prefix='long')
    np.testing.assert_array_equal(clips.mask, mask & np.isfinite(arrays['long_raw']))
    assert clips.features[3].any() and not clips.features[2].any()


def test_a_skeleton_alone_is_enough(tmp_path):
    arrays = archive(long_raw=None, feature_list=None)
    clips = read_clips(saved(tmp_path / 'set.npz', arrays), prefix='long')
    assert clips.features.shape == (N, T, 0) and clips.skeleton.shape == (N, T, J, 4)


def test_context_is_read_back(tmp_path):
    context = RNG.random((N, 2, J, 4)).astype(np.float32)
    context[1, 0] = np.nan
    path = saved(tmp_path / 'set.npz', archive(long_context_skeleton=context))
    clips = read_clips(path, prefix='long')
    np.testing.assert_array_equal(clips.context_skeleton, np.nan_to_num(context))
    write_clips(path, clips, 'long')
    assert read_clips(path, prefix='long').fingerprint() == clips.fingerprint()


def test_labels_may_be_missing_where_none_are_needed(tmp_path):
    path = saved(tmp_path / 'set.npz', archive(long_label=None, long_frame_label=None))
    clips = read_clips(path, prefix='long', labelled=False)
    assert not clips.labelled and len(clips) == N
    write_clips(path, clips, 'long')
    assert read_clips(path, prefix='long', labelled=False).fingerprint() == clips.fingerprint()
    with pytest.raises(InputError, match='long_label: not found'):
        read_clips(path, prefix='long')
    assert read_clips(saved(path, archive()), prefix='long', labelled=False).labelled


BAD = {
    'label_missing': ({'long_label': None}, 'long_label'),
    'label_negative': ({'long_label': np.array([0, -1, 0, 1, 1])}, 'label'),
    'label_fraction': ({'long_label': np.array([0, 0.5, 0, 1, 1])}, 'long_label'),
    'label_shape': ({'long_label': np.zeros((N, 1), int)}, 'long_label'),
    'label_beyond_classes': ({'class_names': np.array(['no'])}, 'label'),
    'nothing_to_read': ({'long_raw': None, 'long_skeleton': None}, 'long_raw'),
    'raw_rank': ({'long_raw': np.zeros((N, T))}, 'long_raw'),
    'raw_text': ({'long_raw': np.full((N, T, F), 'x')}, 'long_raw'),
    'raw_other_count': ({'long_raw': np.zeros((N + 1, T, F))}, 'long_raw'),
    'names_do_not_fit': ({'feature_list': np.array(['a', 'b'])}, 'long_raw'),
    'mask_shape': ({'long_mask': np.ones((N, T))}, 'long_mask'),
    'joint_number': ({'landmark_ids': np.array([11, 12, 15, 99])}, '99'),
    'context_shape': ({'long_context_skeleton': np.zeros((N, 2, J, 3))}, 'long_context_skeleton'),
    'context_joints': ({'long_context_skeleton': np.zeros((N, 2, 9, 4))}, 'context_skeleton'),
    'skeleton_shape': ({'long_skeleton': np.zeros((N, T, J, 2))}, 'long_skeleton'),
    'fps_zero': ({'long_fps': np.zeros(N)}, 'fps'),
    'empty': ({'long_raw': np.zeros((0, T, F)), 'long_label': np.zeros(0, int)}, 'long_'),
}


@pytest.mark.parametrize(('changes', 'key'), BAD.values(), ids=BAD)
def test_a_bad_archive_is_one_line_with_file_and_key(tmp_path, changes, key):
    path = saved(tmp_path / 'bad.npz', archive(**changes))
    with pytest.raises(InputError, match=key) as raised:
        read_clips(path, prefix='long')
    assert str(path) in str(raised.value) and '\n' not in str(raised.value)


class Bomb:
    """Unpickling this would leave a file behind."""

    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path('exploded'),)


def test_nothing_is_ever_unpickled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    objects = np.empty(N, object)
    objects[:] = [Bomb()] * N
    path = saved(tmp_path / 'bad.npz', archive(long_video_id=objects))
    with pytest.raises(InputError, match=r'long_video_id: found an object array.*astype'):
        read_clips(path, prefix='long')
    (tmp_path / 'pickle.npz').write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(InputError, match=r'pickle\.npz'):
        read_clips(tmp_path / 'pickle.npz', prefix='long')
    assert not (tmp_path / 'exploded').exists()


def test_damaged_files_are_named(tmp_path):
    path = tmp_path / 'set.npz'
    np.savez_compressed(path, **archive())
    whole = path.read_bytes()
    for damaged in (b'', b'no zip', whole[: len(whole) // 2], whole[:-30]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r'set\.npz'):
            read_clips(path, prefix='long')
    with pytest.raises(InputError, match='not found'):
        read_clips(tmp_path / 'none.npz', prefix='long')


def test_a_folder_of_clips_is_padded_and_masked(tmp_path):
    (tmp_path / 'person').mkdir()
    for number, frames in enumerate((4, 6)):
        np.savez(
            tmp_path / 'person' / f'{number}.npz',
            features=np.full((frames, 2), number + 1.0),
            mask=np.arange(frames) > 0,
            label=number,
        )
    clips = read_clips(tmp_path, prefix='long')
    assert clips.features.shape == (2, 6, 2)
    np.testing.assert_array_equal(clips.mask[0, :, 0], [False, True, True, True, False, False])
    np.testing.assert_array_equal(clips.frame_label, np.full((2, 6), UNKNOWN_LABEL))
    assert clips.video_ids == ('person/0', 'person/1')
    np.savez(tmp_path / 'person' / '2.npz', features=np.zeros((3, 5)), label=0)
    with pytest.raises(InputError, match=r'2\.npz: features'):
        read_clips(tmp_path, prefix='long')


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(InputError, match='no npz files'):
        read_clips(tmp_path, prefix='long')


def test_selecting_keeps_content_and_drops_videos_without_clips():
    clips = from_arrays(
        source='s',
        features=RNG.normal(size=(N, T, F)).astype(np.float32),
        label=np.array([0, 1, 0, 1, 1]),
        video_id=['a', 'b', 'c', 'b', 'a'],
    )
    some = clips.select([4, 3])
    assert some.videos == ('s:a', 's:b') and some.video_ids == ('a', 'b')
    np.testing.assert_array_equal(some.features, clips.features[[4, 3]])
    assert clips.select(range(N)).fingerprint() == clips.fingerprint() != some.fingerprint()


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    clips = read_clips(saved(tmp_path / 'set.npz', archive()), prefix='long')
    before = (tmp_path / 'set.npz').read_bytes()

    def full_disk(file, **_):
        file.write(b'half')
        raise OSError('no space left')

    monkeypatch.setattr(np, 'savez_compressed', full_disk)
    with pytest.raises(InputError, match=r'set\.npz: cannot be written \(no space'):
        write_clips(tmp_path / 'set.npz', clips, 'long')
    assert [file.name for file in tmp_path.iterdir()] == ['set.npz']
    assert (tmp_path / 'set.npz').read_bytes() == before


def test_a_flipped_byte_is_noticed(tmp_path):
    path = saved(tmp_path / 'set.npz', archive())
    content = bytearray(path.read_bytes())
    content[content.index(b'long_raw.npy') + 200] ^= 255
    path.write_bytes(content)
    with pytest.raises(InputError, match=r'set\.npz: long_raw: damaged'):
        read_clips(path, prefix='long')


def test_odd_but_right_storage_is_read(tmp_path):
    arrays = archive()
    odd = arrays | {
        'long_raw': np.asfortranarray(arrays['long_raw'].astype('>f8')),
        'long_label': arrays['long_label'].astype('>f4'),
        'long_fps': np.array([25, 30, np.nan, 30, 30]),
        'long_video_size': np.array([[1920, 1080], [0, 0], [4, 3], [4, 3], [4, 3]]),
    }
    clips = read_clips(saved(tmp_path / 'set.npz', odd), prefix='long')
    np.testing.assert_array_equal(clips.features, np.nan_to_num(arrays['long_raw'], posinf=0))
    np.testing.assert_array_equal(clips.label, arrays['long_label'])
    np.testing.assert_array_equal(clips.fps, [25, 30, 30, 30, 30])  # what is not known is 30
    np.testing.assert_allclose(clips.aspect[:2], [16 / 9, 1], rtol=1e-6)


BAD_CLIPS = {
    'label_missing': ({'label': None}, 'label'),
    'label_array': ({'label': np.zeros(3)}, 'label'),
    'label_fraction': ({'label': 0.5}, 'label: found 0.5'),
    'objects': ({'features': np.array([None, 1])}, 'features: found an object array'),
    'nothing_to_read': ({'features': None, 'joints': None}, 'features: not found'),
    'mask_length': ({'mask': np.ones(3)}, 'mask'),
    'joint_numbers': ({'joints': np.zeros((4, J, 5))}, 'joints'),
    'lengths_differ': ({'joints': np.zeros((3, J, 4))}, 'found 4 frames, expected 3'),
    'no_skeleton': ({'joints': None}, 'skeleton'),
    'other_names': ({'feature_list': np.array(['x', 'y', 'z'])}, 'feature_names'),
}


@pytest.mark.parametrize(('changes', 'message'), BAD_CLIPS.values(), ids=BAD_CLIPS)
def test_a_bad_clip_of_a_folder_is_named(tmp_path, changes, message):
    clip = {'features': np.zeros((4, F)), 'joints': np.zeros((4, J, 2)), 'label': 0}
    np.savez(tmp_path / 'a.npz', **clip)
    bad = {key: value for key, value in (clip | changes).items() if value is not None}
    np.savez(tmp_path / 'b.npz', **bad)
    with pytest.raises(InputError, match=rf'b\.npz: .*{message}'):
        read_clips(tmp_path, prefix='long')


def test_joints_of_a_folder_get_depth_0_and_full_visibility(tmp_path):
    joints = RNG.random((4, J, 2)).astype(np.float32)
    np.savez(tmp_path / 'a.npz', joints=joints, label=0)
    np.savez(tmp_path / 'b.npz', joints=RNG.random((6, J, 2)), label=1)
    clips = read_clips(tmp_path, prefix='long')
    np.testing.assert_array_equal(clips.skeleton[0, :4, :, :2], joints)
    np.testing.assert_array_equal(clips.skeleton[1, :, :, 2:], np.tile([0.0, 1.0], (6, J, 1)))
    np.testing.assert_array_equal(clips.skeleton_mask[0, :, 0], [1, 1, 1, 1, 0, 0])
