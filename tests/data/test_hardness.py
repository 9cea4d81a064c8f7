"""Files that a stranger made or a disk spoilt: refused in one line, or handled and counted."""

import os
import pathlib
import zipfile

import numpy as np
import pytest
from ml_collections import ConfigDict

from posevid_jax.config import get_config
from posevid_jax.data import source
from posevid_jax.data.npz import read_clips
from posevid_jax.data.npz_file import Budget
from posevid_jax.errors import InputError
from tests.data.test_npz import F, J, N, T, archive, saved


def refused(path: pathlib.Path, match: str, **options) -> None:
    with pytest.raises(InputError, match=match) as raised:
        read_clips(path, prefix='long', **options)
    assert str(path) in str(raised.value) and len(str(raised.value).splitlines()) == 1


def clip(path: pathlib.Path, **changes) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {'features': np.ones((T, F)), 'label': 0} | changes
    np.savez(path, **arrays)
    return path


def member(path: pathlib.Path, key: str, shape: tuple, data: bytes, file_size: int = 0) -> None:
    """Appends an array of f4 to an npz file: what its header and the zip say need not be true."""
    header = {'descr': '<f4', 'fortran_order': False, 'shape': shape}
    with zipfile.ZipFile(path, 'a', zipfile.ZIP_DEFLATED) as archive:
        with archive.open(f'{key}.npy', 'w') as file:
            np.lib.format.write_array_header_1_0(file, header)
            file.write(data)
        if file_size:
            info = archive.getinfo(f'{key}.npy')
            info.file_size += file_size - len(data)


def test_a_small_archive_that_expands_to_gigabytes_is_refused(tmp_path):
    path = saved(tmp_path / 'bomb.npz', archive(long_raw=None))
    member(path, 'long_raw', (N, 10_000, 12_000), b'', file_size=N * 10_000 * 12_000 * 4)
    refused(path, r'long_raw: expands to 2,400,000,000 bytes.*data\.max_bytes')


def test_the_limit_counts_all_arrays_together(tmp_path):
    path = saved(tmp_path / 'set.npz', archive())
    refused(path, r'expands to .*of 1,000 \(data\.max_bytes\)', max_bytes=1000)
    refused(path, r'expands to .*of 2,500 \(data\.max_bytes\)', max_bytes=2500)
    assert len(read_clips(path, prefix='long', max_bytes=5000)) == N


def test_the_limit_grows_with_the_files_and_ends_with_the_memory():
    assert Budget(0, 10).limit == 2**30
    assert Budget(0, 2**25).limit == 100 * 2**25
    assert Budget(0, 2**60).limit == os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    assert Budget(7, 2**60).limit == 7


def test_one_long_clip_does_not_pad_all_others_beyond_the_limit(tmp_path):
    for number in range(40):
        clip(tmp_path / 'clips' / f'{number}.npz')
    clip(tmp_path / 'clips' / 'long.npz', features=np.ones((5000, F), np.float32))
    refused(tmp_path / 'clips', r'long\.npz: features: found 5000 frames', max_bytes=500_000)
    assert read_clips(tmp_path / 'clips', prefix='long').features.shape == (41, 5000, F)


@pytest.mark.parametrize('shape', [(N, T, F + 1), (N, 2**40, F), (N, T, 0), (N, T), (N, -1, F)])
def test_a_header_that_lies_is_refused(tmp_path, shape):
    path = saved(tmp_path / 'set.npz', archive(long_raw=None))
    member(path, 'long_raw', shape, bytes(4 * N * T * F))
    refused(path, 'long_raw: ')


def test_frames_without_features_cost_no_memory(tmp_path):
    path = saved(tmp_path / 'set.npz', archive(long_raw=None, feature_list=None))
    member(path, 'long_raw', (N, 2**40, 0), b'')
    refused(path, 'long_raw: found shape .*holds nothing')


def test_a_key_that_is_there_twice_is_refused(tmp_path):
    path = saved(tmp_path / 'set.npz', archive())
    with pytest.warns(UserWarning, match='Duplicate'):
        member(path, 'long_label', (N,), bytes(4 * N))
    refused(path, 'long_label: found twice, expected once')


def test_only_the_compression_of_numpy_is_opened(tmp_path):
    path = saved(tmp_path / 'set.npz', archive(long_label=None))
    with zipfile.ZipFile(path, 'a', zipfile.ZIP_LZMA) as file:
        file.writestr('long_label.npy', bytes(100))
    refused(path, 'long_label: found zip method 14, expected stored or deflated')


@pytest.mark.parametrize('dtype', ['c8', 'M8[s]', [('x', 'f4')], 'V4'])
@pytest.mark.parametrize('key', ['long_label', 'long_raw', 'long_video_id', 'feature_list'])
def test_dtypes_that_hold_no_numbers_and_no_text(tmp_path, dtype, key):
    array = np.zeros(archive()[key].shape, dtype)
    path = saved(tmp_path / 'set.npz', archive(**{key: array}))
    refused(path, f'{key}: found dtype .*, expected numbers')


@pytest.mark.parametrize('dtype', ['f2', 'f4', 'f8', '>f4', '>f8'])
def test_labels_beyond_the_range_of_their_dtype_do_not_wrap(tmp_path, dtype):
    for value in (2.0**31, np.inf, 1000):
        label = np.full(N, min(value, float(np.finfo(dtype).max))).astype(dtype)
        refused(saved(tmp_path / 'set.npz', archive(long_label=label)), 'long_label: found')


@pytest.mark.parametrize('kind', ['folder', 'pipe', 'device', 'dangling', 'loop', 'unreadable'])
def test_what_is_no_file_is_named_at_once(tmp_path, kind, monkeypatch):
    path = tmp_path / 'clips' / 'b.npz'
    clip(tmp_path / 'clips' / 'a.npz')
    if kind == 'folder':
        path.mkdir()
    elif kind == 'pipe':
        os.mkfifo(path)
    elif kind == 'unreadable':
        clip(path)
        real = os.open

        def denied(name, *rest):
            if name == path:
                raise PermissionError(13, 'Permission denied')
            return real(name, *rest)

        monkeypatch.setattr(os, 'open', denied)
    else:
        target = {'device': '/dev/zero', 'dangling': 'nowhere', 'loop': path}[kind]
        path.symlink_to(target)
    found = {
        'folder': 'found a folder', 'pipe': 'found a pipe', 'device': 'found a pipe or device',
        'dangling': 'not found', 'loop': 'symbolic links', 'unreadable': 'Permission denied',
    }[kind]  # fmt: skip
    refused(path, found) if kind != 'folder' else None
    with pytest.raises(InputError, match=rf'b\.npz: .*{found}'):
        read_clips(tmp_path / 'clips', prefix='long')
    skipped = read_clips(tmp_path / 'clips', prefix='long', on_error='skip')
    assert skipped.video_ids == ('a',)
    assert 'left out 1 of 2 clips' in skipped.warnings[0] and found in skipped.warnings[1]


def test_links_are_followed_and_folders_read_once(tmp_path):
    clip(tmp_path / 'elsewhere' / 'ünïcödé 手.npz')
    clip(tmp_path / 'clips' / 'a.npz')
    clip(tmp_path / 'clips' / '._a.npz', features=np.ones(1))  # what a Mac leaves behind
    (tmp_path / 'clips' / 'link.npz').symlink_to(tmp_path / 'elsewhere' / 'ünïcödé 手.npz')
    (tmp_path / 'clips' / 'more').symlink_to(tmp_path / 'elsewhere')
    (tmp_path / 'clips' / 'circle').symlink_to(tmp_path / 'clips')
    clips = read_clips(tmp_path / 'clips', prefix='long')
    assert clips.video_ids == ('a', 'link', 'more/ünïcödé 手')


def test_one_frame_and_one_class_are_enough(tmp_path):
    arrays = archive(long_raw=np.ones((N, 1, F)), long_skeleton=None, long_frame_label=None)
    arrays |= {'long_label': np.zeros(N), 'class_names': np.array(['only'])}
    clips = read_clips(saved(tmp_path / 'set.npz', arrays), prefix='long')
    assert clips.features.shape == (N, 1, F) and clips.class_names == ('only',)


def test_names_of_any_script_but_no_half_characters(tmp_path):
    names = np.array(['f0', 'क्‍ष', '👨‍👩‍👧'])
    clips = read_clips(saved(tmp_path / 'a.npz', archive(feature_list=names)), prefix='long')
    assert clips.feature_names == tuple(names)
    for code in (0xD800, 0x110000):
        broken = np.frombuffer(np.full(F, code, np.uint32).tobytes(), '<U1')
        refused(saved(tmp_path / 'b.npz', archive(feature_list=broken)), 'feature_list: found text')


def test_missing_values_are_counted(tmp_path):
    raw = archive()['long_raw']
    raw[:3] = np.nan
    path = saved(tmp_path / 'set.npz', archive(long_raw=raw, long_skeleton=None))
    warnings = read_clips(path, prefix='long').warnings
    assert 'set: features: 3 of 5 clips hold no observed value (the first is clip 0)' in warnings
    assert 'set: features: 60% of the values are missing' in warnings
    raw[3, 0] = [np.inf, -np.inf, 1]
    path = saved(tmp_path / 'set.npz', archive(long_raw=raw))
    clips = read_clips(path, prefix='long')
    assert clips.warnings[0] == 'set: features: 2 infinite values count as missing'
    raw[:] = np.nan
    path = saved(tmp_path / 'set.npz', archive(long_raw=raw, long_skeleton=None))
    refused(path, 'no observed value in any clip')


BAD_ROWS = {
    'label': ({'long_label': np.array([0, 1, 7, 1, -1])}, {2: '7', 4: '-1'}),
    'fps': ({'long_fps': np.array([25, 0, np.nan, np.inf, 30])}, {1: '0.0', 3: 'inf'}),
    'weight': ({'long_weight': np.array([1, 0, np.nan, -1, 2])}, {2: 'nan', 3: '-1.0'}),
    'start_frame': ({'long_start_frame': np.array([0, -7, 1, 2, 2**40])}, {1: '-7', 4: '1099'}),
    'frame_label': ({'long_frame_label': np.eye(N, T) * 3 - 1}, {r: '2.0' for r in range(1, N)}),
}


@pytest.mark.parametrize(('changes', 'faults'), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_clips_of_an_archive_are_refused_or_left_out(tmp_path, changes, faults, request):
    name = request.node.callspec.id
    if name == 'frame_label':
        changes = {'long_frame_label': np.vstack([np.zeros(T), changes['long_frame_label'][1:]])}
    arrays = archive(**changes, class_names=np.array(['no', 'yes']))
    path = saved(tmp_path / 'set.npz', arrays)
    first, value = next(iter(faults.items()))
    refused(path, rf'long_{name}: found {value}.*, expected .* \(clip {first}\)')
    clips = read_clips(path, prefix='long', on_error='skip')
    kept = np.setdiff1d(np.arange(N), list(faults))
    raw = np.nan_to_num(arrays['long_raw'], posinf=0)
    np.testing.assert_array_equal(clips.features, raw[kept])
    assert clips.video_ids == tuple(arrays['long_video_id'][kept])
    assert clips.warnings[0] == f'{path}: left out {len(faults)} of {N} clips'
    for line, (row, value) in zip(clips.warnings[1:], faults.items(), strict=False):
        assert f'long_{name}: found {value}' in line and line.endswith(f'(clip {row})')


def test_clips_without_any_value_are_left_out_only_when_told_to_skip(tmp_path):
    raw, skeleton = archive()['long_raw'], np.ones((N, T, J, 4))
    raw[[1, 2]], skeleton[[2, 3]] = np.nan, np.nan
    path = saved(tmp_path / 'set.npz', archive(long_raw=raw, long_skeleton=skeleton))
    assert len(read_clips(path, prefix='long')) == N
    clips = read_clips(path, prefix='long', on_error='skip')
    assert len(clips) == N - 1 and 'long_features: found no observed value' in clips.warnings[1]


def test_bad_files_of_a_folder_are_left_out_and_named(tmp_path):
    folder = tmp_path / 'clips'
    clip(folder / 'a_odd.npz', features=np.ones((T, F + 1)))  # the first, but not like most
    for name in 'bcd':
        clip(folder / f'{name}.npz')
    clip(folder / 'e_label.npz', label=0.5)
    clip(folder / 'f_empty.npz', features=np.full((T, F), np.nan))
    (folder / 'g_torn.npz').write_bytes((folder / 'b.npz').read_bytes()[:-10])
    refused(folder, r'g_torn\.npz: found no npz file')
    (folder / 'g_torn.npz').unlink()
    refused(folder, r'a_odd\.npz: features: found \(4,\), expected \(3,\) as in b\.npz')
    (folder / 'g_torn.npz').write_bytes(b'')
    clips = read_clips(folder, prefix='long', on_error='skip')
    assert clips.video_ids == ('b', 'c', 'd')
    assert clips.warnings[0] == f'{folder}: left out 4 of 7 clips'
    assert sorted(pathlib.Path(line.split(':')[0]).stem for line in clips.warnings[1:]) == [
        'a_odd', 'e_label', 'f_empty', 'g_torn',
    ]  # fmt: skip


def test_nothing_left_is_an_error(tmp_path):
    path = saved(tmp_path / 'set.npz', archive(long_label=np.full(N, -1)))
    refused(path, r'left out 5 of 5 clips.*long_label: found -1', on_error='skip')
    clip(tmp_path / 'clips' / 'a.npz', label=-1)
    refused(tmp_path / 'clips', r'left out 1 of 1 clips.*a\.npz: label', on_error='skip')
    (tmp_path / 'clips' / 'a.npz').write_bytes(b'')
    refused(tmp_path / 'clips', r'left out 1 of 1 clips.*a\.npz', on_error='skip')


def settings(**changes) -> ConfigDict:
    config = get_config().data
    config.update(changes)
    return config


def test_warnings_are_printed_once_and_not_without_end(tmp_path, capsys):
    for number in range(20):
        clip(tmp_path / 'clips' / f'{number:02d}.npz', label=number % 2 - 1)
    clips = source.load(str(tmp_path / 'clips'), settings(on_error='skip'))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11 and lines[0].endswith('left out 10 of 20 clips')
    assert lines[-1] == 'warning: ... and 1 more' and len(clips.warnings) == 11


@pytest.mark.parametrize(
    ('key', 'value'), [('on_error', 'ignore'), ('manifest', 'maybe'), ('max_bytes', -1)]
)
def test_keys_of_reading_are_checked(tmp_path, key, value):
    path = saved(tmp_path / 'set.npz', archive())
    with pytest.raises(InputError, match=rf'data\.{key}: found'):
        source.load(str(path), settings(**{key: value}))
