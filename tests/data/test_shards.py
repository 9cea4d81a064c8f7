"""Shards: the same clips as in memory, and nothing read that is not asked for."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from posevid_jax.data import loader
from posevid_jax.data.clips import Clips, from_arrays
from posevid_jax.data.mapped import MappedColumn
from posevid_jax.data.npz import read_clips
from posevid_jax.data.sampling import Order, make_streams
from posevid_jax.data.shards import write_shards
from posevid_jax.data.splits import split_by_video
from posevid_jax.data.video_stats import per_video_stats
from posevid_jax.errors import InputError
from posevid_jax.features.scaling import fit_scaler

N, T, F, J = 30, 6, 4, 3


def some_clips(n=N, seed=0, **changes) -> Clips:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, T, F)).astype(np.float32)
    features[rng.random((n, T)) < 0.2] = np.nan
    columns = {
        'source': 'toy',
        'features': features,
        'label': rng.integers(0, 3, n),
        'video_id': [f'v{v}' for v in rng.integers(0, 6, n)],
        'start_frame': rng.integers(0, 40, n),
        'skeleton': rng.random((n, T, J, 4)),
        'frame_label': rng.integers(-1, 3, (n, T)),
        'class_names': ('a', 'b', 'ç'),
    }
    return from_arrays(**columns | changes)


def read(directory) -> Clips:
    return read_clips(directory, prefix='unused')


@pytest.fixture
def pair(tmp_path):
    """The same clips in memory, and on disk in several parts and several shards."""
    clips = some_clips()
    parts = (clips.select(range(start, min(start + 7, N))) for start in range(0, N, 7))
    write_shards(tmp_path / 'shards', parts, shard_bytes=4000)
    return clips, read(tmp_path / 'shards')


def test_what_is_written_is_read_back(pair, tmp_path):
    clips, mapped = pair
    assert mapped.fingerprint() == clips.fingerprint()
    assert len(list((tmp_path / 'shards').glob('features.*.npy'))) > 3
    columns = ('features', 'mask', 'skeleton', 'skeleton_mask', 'frame_label')
    assert all(isinstance(getattr(mapped, name), MappedColumn) for name in columns)
    # Plain files that numpy alone can read.
    first = np.load(tmp_path / 'shards' / 'features.00000.npy', allow_pickle=False)
    np.testing.assert_array_equal(first, clips.features[: len(first)])


def test_training_sees_the_same_arrays(pair):
    clips, mapped = pair
    (rows, _), (mapped_rows, _) = (split_by_video(c, 0.3, seed=0) for c in pair)
    np.testing.assert_array_equal(rows, mapped_rows)
    some, mapped_some = clips.select(rows), mapped.select(rows)
    assert isinstance(mapped_some.features, MappedColumn)
    assert mapped_some.fingerprint() == some.fingerprint()
    for a, b in zip(per_video_stats(some), per_video_stats(mapped_some), strict=True):
        np.testing.assert_array_equal(a, b)
    scaler, mapped_scaler = (fit_scaler(c.features, c.mask) for c in (some, mapped_some))
    np.testing.assert_array_equal(scaler.center, mapped_scaler.center)
    np.testing.assert_array_equal(scaler.scale, mapped_scaler.scale)
    order = Order(make_streams(some.label, some.video, balance=True), seed=1)
    streams = (
        loader.train_batches(c.arrays(skeleton=True), order=order, batch_size=8, num_steps=9)
        for c in (some, mapped_some)
    )
    for a, b in zip(*streams, strict=True):
        assert a.keys() == b.keys()
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])
            assert a[name].dtype == b[name].dtype


def test_selecting_reads_nothing(pair, monkeypatch):
    _, mapped = pair

    def forbidden(*_):
        raise AssertionError('read')

    monkeypatch.setattr(MappedColumn, '_gather', forbidden)
    assert len(mapped.select(range(0, N, 2)).select([3, 1])) == 2


def test_groups_hold_together_over_parts(tmp_path):
    def part(video_id, group_id):
        zeros = np.ones((len(video_id), 1, 1))
        return from_arrays(
            source='s', features=zeros, label=np.zeros(len(video_id), int),
            video_id=video_id, group_id=group_id,
        )  # fmt: skip

    parts = [part('abc', 'xyx'), part('dc', 'pq'), part('db', 'rr'), part('e', 'x')]
    write_shards(tmp_path / 'shards', parts)
    clips = read(tmp_path / 'shards')
    assert clips.video_ids == tuple('abcdcdbe')
    np.testing.assert_array_equal(clips.group, [0, 1, 0, 1, 0, 1, 1, 2])


def test_features_or_skeleton_may_be_absent(tmp_path):
    bare = some_clips(skeleton=None)
    joints = some_clips(features=np.zeros((N, T, 0)))
    for name, clips in (('bare', bare), ('joints', joints)):
        write_shards(tmp_path / name, [clips])
        assert read(tmp_path / name).fingerprint() == clips.fingerprint()


def interrupted():
    yield some_clips()
    raise InputError('part 2 cannot be made')


@pytest.mark.parametrize(
    ('parts', 'message'),
    [
        ([], 'found no clips'),
        ([some_clips(), some_clips(class_names=('a', 'b', 'c'))], 'part 1: class_names: found'),
        ([some_clips(), some_clips(features=np.ones((N, T, 2)))], 'part 1: feature_names: found'),
        ([some_clips(), some_clips(skeleton=None)], 'part 1: joint_names: found'),
        (interrupted(), 'part 2 cannot be made'),
    ],
)
def test_a_folder_appears_whole_or_not_at_all(tmp_path, parts, message):
    with pytest.raises(InputError, match=message):
        write_shards(tmp_path / 'shards', parts)
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_not_overwritten(tmp_path):
    (tmp_path / 'shards').mkdir()
    write_shards(tmp_path / 'shards', [some_clips()])
    before = read(tmp_path / 'shards').fingerprint()
    with pytest.raises(InputError, match='found files in it, expected a new folder'):
        write_shards(tmp_path / 'shards', [some_clips(seed=1)])
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='cannot be written'):
        write_shards(tmp_path / 'file', [some_clips()])
    assert read(tmp_path / 'shards').fingerprint() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ['file', 'shards']


def changed_index(directory, **changes):
    path = directory / 'index.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def changed_array(directory, name, change):
    array = np.load(directory / name)
    np.save(directory / name, change(array))


def with_value(index, value):
    def change(array):
        array[index] = value
        return array

    return change


DAMAGE = {
    'no_index_file': (lambda d: (d / 'index.json').write_text('{'), r'index\.json: not JSON'),
    'deep': (lambda d: (d / 'index.json').write_text('[' * 10**5), r'index\.json: not JSON'),
    'list': (lambda d: (d / 'index.json').write_text('[]'), r'index\.json: found \[\]'),
    'version': (lambda d: changed_index(d, schema_version=9), 'schema_version: found 9'),
    'shards': (lambda d: changed_index(d, shards=[N]), r'features\.00000\.npy: found float32'),
    'count': (lambda d: changed_index(d, num_clips=31), 'num_clips: found 31, expected 30'),
    'truth': (lambda d: changed_index(d, num_frames=True), 'num_frames: found True'),
    'huge': (lambda d: changed_index(d, shards=[10**30]), 'shards: found 1000'),
    'none': (lambda d: changed_index(d, shards=[]), 'shards: found none'),
    'names': (lambda d: changed_index(d, videos=[1]), 'videos: found 1, expected names'),
    'absent': (lambda d: changed_index(d, class_names=None), 'class_names: found None'),
    'missing_file': (lambda d: (d / 'label.npy').unlink(), r'label\.npy: not found'),
    'torn': (lambda d: (d / 'mask.00001.npy').write_bytes(b'\x93NUMPY'), r'mask\.00001\.npy'),
    'dtype': (
        lambda d: changed_array(d, 'fps.npy', lambda a: a.astype('>f4')),
        r'fps\.npy: found >f4',
    ),
    'order': (
        lambda d: changed_array(d, 'features.00000.npy', np.asfortranarray),
        r'features\.00000\.npy: found .* in Fortran order',
    ),
    'longer': (
        lambda d: (d / 'label.npy').write_bytes((d / 'label.npy').read_bytes() + b'x'),
        r'label\.npy: found 121 bytes of data, expected 120',
    ),
    'label': (
        lambda d: changed_array(d, 'label.npy', with_value(4, 3)),
        r'label: found 3, expected whole numbers from 0 to 2 \(clip 4\)',
    ),
    'nan': (
        lambda d: changed_array(d, 'features.00001.npy', with_value(0, np.nan)),
        'features: found NaN',
    ),
    'mask': (
        lambda d: changed_array(d, 'mask.00001.npy', np.zeros_like),
        'features: found a value other than 0',
    ),
    'no_boolean': (
        lambda d: changed_array(d, 'mask.00000.npy', lambda a: (a.view('u1') * 3).view('?')),
        'mask: found a byte other than 0 and 1',
    ),
}


@pytest.mark.parametrize(('damage', 'message'), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_named(pair, tmp_path, damage, message):
    damage(tmp_path / 'shards')
    with pytest.raises(InputError, match=message) as raised:
        read(tmp_path / 'shards')
    assert str(tmp_path / 'shards') in str(raised.value)


def test_a_part_may_be_mapped_itself(pair, tmp_path):
    clips, mapped = pair
    write_shards(tmp_path / 'again', [dataclasses.replace(mapped), some_clips(seed=1)])
    again = read(tmp_path / 'again')
    assert again.select(range(N)).fingerprint() == clips.fingerprint()
    shutil.rmtree(tmp_path / 'again')
