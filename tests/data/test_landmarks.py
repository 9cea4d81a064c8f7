"""Arrays, and files of any format: what they say, and the one line when they cannot be used."""

import gzip
import io
import json
import lzma
import pathlib
import pickle
import warnings

import numpy as np
import pytest

from posevid_jax.data.landmarks.read import read_recording
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.errors import InputError
from tests.data import landmark_files as files
from tests.data.landmark_reading import KNOWN, in_shares, pixels, read, refused, settings

# Arrays


def test_arrays_in_pixels_or_shares_of_two_to_four_numbers(tmp_path):
    person = pixels(5, 17)
    person[2, 3] = np.nan
    path = tmp_path / 'a.npy'
    named = KNOWN | {'prepare__joint_map': 'coco_17'}
    np.save(path, person)
    np.testing.assert_allclose(read(path, **named).joints, in_shares(person), rtol=1e-6)
    np.save(path, in_shares(person).astype('>f8'))
    np.testing.assert_allclose(read(path, **named).joints, in_shares(person), rtol=1e-6)
    np.save(path, person[..., :2])
    found = read(path, **named).joints
    np.testing.assert_allclose(found[..., :2], in_shares(person)[..., :2], rtol=1e-6)
    assert (found[~np.isnan(person)[..., 0]][:, 2:] == (0, 1)).all()
    np.save(path, person[..., [0, 1, 3]])
    assert 'prepare.array_axes' in refused(path, **named)
    found = read(path, **named, prepare__array_axes='xyv').joints
    np.testing.assert_allclose(found, in_shares(person), rtol=1e-6)
    assert 'prepare.joint_map' in refused(path, **KNOWN, prepare__array_axes='xyv')


def test_an_npz_may_say_names_rate_and_size(tmp_path):
    path = tmp_path / 'a.npz'
    joints = files.joints(5, 3)
    names = ('nose', 'left_wrist', 'right_wrist')
    np.savez(path, skeleton=joints, joint_names=names, fps=50.0, video_size=(100, 200))
    found = read(path)
    np.testing.assert_array_equal(found.joints, joints)
    assert (found.joint_names, found.fps, found.aspect) == (names, 50, 0.5)
    np.savez(path, joints)
    np.testing.assert_array_equal(read(path, **KNOWN, prepare__joint_names=names).joints, joints)


def test_numbers_that_no_conversion_takes_are_missing_without_a_warning(tmp_path):
    signals, beyond = files.joints(5, 17), files.joints(5, 17).astype(np.longdouble)
    signals.view(np.uint32)[2, 3, 0] = 0x7F800001  # a NaN that arithmetic stumbles over
    beyond[2, 3, 0] = np.longdouble('1e4000')
    for damaged in (signals, beyond):
        np.save(tmp_path / 'a.npy', damaged)
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            found = read(tmp_path / 'a.npy', **KNOWN, prepare__joint_map='coco_17')
        assert np.argwhere(np.isnan(found.joints[..., 0])).tolist() == [[2, 3]]


def test_bad_arrays_are_one_line(tmp_path):
    named = KNOWN | {'prepare__joint_map': 'coco_17'}
    path = tmp_path / 'a.npy'
    objects = np.array([None, pathlib.Path('x')])
    good = files.joints(5, 17)
    for array, message in (
        (files.joints(5, 16), 'found 16 joints, expected the 17'),
        (files.joints(5, 17)[0], 'expected [T, J, C]'),
        (good[:0], 'expected [T, J, C]'),
        (np.concatenate([good, good], -1), 'found 8 numbers a joint'),
        (np.full((5, 17, 4), 'x'), 'expected numbers'),
        (objects, 'object array, which is never unpickled'),
    ):
        np.save(path, array)
        assert message in refused(path, **named)
    np.save(path, good)
    path.write_bytes(path.read_bytes()[:-40])
    assert 'damaged' in refused(path, **named)
    path = tmp_path / 'a.npz'
    np.savez(path, x=good, y=good)
    assert 'skeleton: not found' in refused(path, **named)
    np.savez(path, skeleton=objects)
    assert 'never unpickled' in refused(path, **named)


def samples():
    """A small file of each format."""
    person = pixels(3, 17)
    array = io.BytesIO()
    np.save(array, person)
    archive = io.BytesIO()
    np.savez_compressed(archive, skeleton=person, fps=25.0)
    text = files.csv_text(files.joints(3)).encode()
    frames = [[p] for p in person]
    return {
        'csv': text,
        'xz': lzma.compress(text),
        'gz': gzip.compress(text),
        'mmpose': json.dumps({'instance_info': files.mmpose(frames)}).encode(),
        'alphapose': json.dumps(files.alphapose(frames)).encode(),
        'kinetics': json.dumps(files.kinetics(in_shares(pixels(3, 18)))).encode(),
        'ultralytics': json.dumps(files.ultralytics(person)).encode(),
        'mediapipe': json.dumps(files.mediapipe(files.joints(3, 33))).encode(),
        'ntu': files.ntu(pixels(3, 25)).encode(),
        'deeplabcut': files.deeplabcut(person, [f'p{k}' for k in range(17)]).encode(),
        'npy': array.getvalue(),
        'npz': archive.getvalue(),
    }


@pytest.mark.parametrize('sample', samples())
def test_mutated_files_give_a_recording_or_one_line(tmp_path, sample):
    rng = np.random.default_rng(0)
    whole = samples()[sample]
    config = settings(**KNOWN, prepare__joint_map='coco_17', prepare__max_file_mb=1)
    path = tmp_path / 'file'
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(len(content)))
            kind = rng.integers(3)
            if kind == 0:
                content[at] = rng.integers(256)
            elif kind == 1:
                del content[at : at + int(rng.integers(1, 40))]
            else:
                content[at:at] = bytes(
                    rng.choice(list(b'0123456789-,.eE[]{}"\n')) for _ in range(2)
                )
            if not content:
                break
        path.write_bytes(content)
        try:
            assert isinstance(read_recording(path, 'video', config), Recording)
        except InputError as error:
            assert str(path) in str(error) and '\n' not in str(error)


# Any file


def test_damaged_and_foreign_files_are_named(tmp_path):
    path = tmp_path / 'a.csv.xz'
    whole = lzma.compress(files.csv_text(files.joints()).encode())
    for content, message in (
        (whole[: len(whole) // 2], 'damaged'),
        (gzip.compress(whole)[:-9], 'damaged'),
        (b'', 'empty file'),
        (lzma.compress(b''), 'empty file'),
        (b'\x89PNG\r\n\x1a\n', 'expected the columns of a pose CSV'),
        (b'a,b\n1,2\n', 'expected the columns of a pose CSV'),
        (pickle.dumps({'a': 1}), 'expected the columns of a pose CSV'),
    ):
        path.write_bytes(content)
        assert message in refused(path)
    assert 'not found' in refused(tmp_path / 'none.csv')


@pytest.mark.parametrize('compress', [lzma.compress, gzip.compress])
def test_a_small_file_that_expands_beyond_the_limit_is_refused(tmp_path, compress):
    text = files.csv_text(files.joints())
    path = tmp_path / 'a.csv.xz'
    path.write_bytes(compress((text + '\n' * 3 * 2**19).encode()))
    assert path.stat().st_size < 20_000
    assert 'more than 1 MiB, decompressed' in refused(path, prepare__max_file_mb=1)
    assert len(read(path, prepare__max_file_mb=2).joints) == 12
