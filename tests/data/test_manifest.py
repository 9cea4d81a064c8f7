"""Manifests: what sha256sum says, and every way in which data can differ from what was written."""

import os
import shutil
import subprocess

import numpy as np
import pytest

from posevid_jax.data import manifest
from posevid_jax.data.clips import from_arrays
from posevid_jax.data.npz import read_clips, write_clips
from posevid_jax.errors import InputError

NAMES = ('a.npz', 'ünï code/b c.npz', 'back\\slash.npz', 'line\nbreak.npz', '._hidden.npz')
LISTED = 4


def some_clips():
    features = np.random.default_rng(0).normal(size=(4, 5, 3))
    return from_arrays(source='toy', features=features, label=np.array([0, 1, 0, 1]))


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(NAMES):
        path = tmp_path / 'clips' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, features=np.full((3, 2), number), label=number % 2)
    return tmp_path / 'clips'


@pytest.fixture
def archive(tmp_path):
    write_clips(tmp_path / 'set.npz', some_clips(), 'long')
    return tmp_path / 'set.npz'


@pytest.mark.skipif(shutil.which('sha256sum') is None, reason='needs sha256sum')
def test_sha256sum_agrees(folder, archive):
    for path, count in ((folder, LISTED), (archive, 1)):
        written = manifest.write(path)
        assert written == manifest.location(path)
        done = subprocess.run(
            ['sha256sum', '-c', written.name], cwd=written.parent, capture_output=True, text=True
        )
        assert done.returncode == 0 and done.stdout.count(': OK') == count, done
        manifest.check(path)


@pytest.mark.skipif(shutil.which('sha256sum') is None, reason='needs sha256sum')
def test_what_sha256sum_writes_is_read(folder):
    names = [str(path.relative_to(folder)) for path in manifest.files_below(folder, ['.npz'])]
    for binary in ([], ['--binary']):
        done = subprocess.run(['sha256sum', *binary, *names], cwd=folder, capture_output=True)
        (folder / 'manifest.sha256').write_bytes(done.stdout)
        manifest.check(folder)


def test_a_changed_file_is_named(folder, archive):
    for path, file in ((folder, folder / NAMES[2]), (archive, archive)):
        manifest.write(path)
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
        with pytest.raises(InputError, match=r'found SHA-256 .*, expected ') as raised:
            manifest.check(path)
        assert str(file) in str(raised.value)
        manifest.write(path)  # over the old one
        manifest.check(path)


def test_missing_and_new_files_are_named(folder):
    manifest.write(folder)
    os.rename(folder / 'a.npz', folder / 'c.npz')
    with pytest.raises(InputError, match=r'a\.npz: not found, but manifest.sha256 lists it'):
        manifest.check(folder)
    shutil.copy(folder / 'c.npz', folder / 'a.npz')
    with pytest.raises(InputError, match=r'c\.npz: not listed'):
        manifest.check(folder)
    (folder / 'c.npz').unlink()
    (folder / 'notes.txt').write_text('no data')
    manifest.check(folder)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'', 'set.npz: not listed'),
        (b'hello\n', 'line 1: found no SHA-256'),
        (b'0' * 63 + b'  set.npz\n', 'line 1: found no SHA-256'),
        (2 * (b'0' * 64 + b'  set.npz\n'), 'set.npz: found twice'),
        (b'0' * 64 + b'  other.npz\n', 'other.npz: not found'),
        (b'0' * 64 + b' *set.npz\n', 'found SHA-256'),
        (b'\xff\x00', 'line 1'),
    ],
)
def test_a_manifest_that_does_not_fit(archive, content, message):
    manifest.location(archive).write_bytes(content)
    with pytest.raises(InputError, match=message):
        manifest.check(archive)


def test_reading_checks_as_told(archive):
    def read(check):
        return read_clips(archive, prefix='long', check=check)

    with pytest.raises(InputError, match=r'set\.npz\.sha256: not found'):
        read('require')
    read('auto')
    manifest.write(archive)
    for check in manifest.MODES:
        read(check)
    manifest.location(archive).write_text('0' * 64 + '  set.npz\n')
    read('off')
    for check in ('auto', 'require'):
        with pytest.raises(InputError, match='SHA-256'):
            read(check)


def test_a_link_to_nothing_is_no_absent_manifest(archive):
    manifest.location(archive).symlink_to('nowhere')
    with pytest.raises(InputError, match='not found'):
        read_clips(archive, prefix='long', check='auto')


def test_what_cannot_be_written_leaves_the_old_manifest(archive, monkeypatch):
    before = manifest.write(archive).read_text()

    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(InputError, match='No space left'):
        manifest.write(archive)
    assert manifest.location(archive).read_text() == before
    assert len(list(archive.parent.iterdir())) == 2
