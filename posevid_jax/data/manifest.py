"""SHA-256 sums beside the data, in the format of `sha256sum -c`, which show any change of it.

An archive `clips.npz` has its sum in `clips.npz.sha256`; a folder has those of its data files in
`manifest.sha256` inside.
"""

import concurrent.futures
import hashlib
import os
import pathlib
import re

import tqdm

from posevid_jax.data.files import files_below, open_regular
from posevid_jax.errors import InputError
from posevid_jax.machine.atomic import atomic_file

MODES = ('auto', 'require', 'off')
_IN_FOLDER = 'manifest.sha256'
_SUFFIXES = ('.npz', '.npy', '.json')  # what the readers of folders read
_LINE = re.compile(r'(\\?)([0-9a-fA-F]{64}) [ *](.+)')
_ESCAPES = {'\\': '\\\\', '\n': '\\n', '\r': '\\r'}


def write(path: str | os.PathLike[str]) -> pathlib.Path:
    """Writes the manifest of an archive or a folder, over an older one.

    Args:
      path: the archive or the folder.

    Returns:
      the path of the manifest.

    Raises:
      InputError: a file cannot be read, or the manifest cannot be written.
    """
    path = pathlib.Path(path)
    files = _files(path)
    manifest = location(path)
    lines = [_line(name, digest) for name, digest in zip(files, _digests(files), strict=True)]
    with atomic_file(manifest) as temporary:
        temporary.write_bytes(b''.join(lines))
    return manifest


def check(path: str | os.PathLike[str]) -> None:
    """Compares an archive or a folder with its manifest.

    Raises:
      InputError: the manifest is absent or damaged, or a file differs, is missing, or is new.
    """
    path = pathlib.Path(path)
    manifest, files = location(path), _files(path)
    expected = _read(manifest)
    for name in sorted(expected.keys() - files.keys()):
        raise InputError(f'{path}: {name}: not found, but {manifest.name} lists it')
    for name in sorted(files.keys() - expected.keys()):
        raise InputError(f'{manifest}: {name}: not listed, expected every data file')
    for name, digest in zip(files, _digests(files), strict=True):
        if digest != expected[name]:
            raise InputError(
                f'{files[name]}: found SHA-256 {digest[:12]}..., expected {expected[name][:12]}... '
                f'as {manifest} says: the file was changed or damaged'
            )


def check_as_told(path: pathlib.Path, mode: str) -> None:
    """`check` as `data.manifest` wants it: `auto` where there is a manifest, `require`, or `off`.

    Raises:
      InputError: see `check`; with `require` also when there is no manifest.
    """
    if mode == 'require' or (mode == 'auto' and os.path.lexists(location(path))):
        check(path)


def location(path: pathlib.Path) -> pathlib.Path:
    """Where the manifest of an archive or a folder is."""
    return path / _IN_FOLDER if os.path.isdir(path) else path.with_name(f'{path.name}.sha256')


def _files(path: pathlib.Path) -> dict[str, pathlib.Path]:
    """The data files by their names in the manifest."""
    if not os.path.isdir(path):
        return {path.name: path}
    return {file.relative_to(path).as_posix(): file for file in files_below(path, _SUFFIXES)}


def _digests(files: dict[str, pathlib.Path]) -> list[str]:
    """The sums of files in their order. Hashing releases Python's lock: one thread per core."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as threads:
        hashes = threads.map(sha256, files.values())
        return list(tqdm.tqdm(hashes, 'checksums', len(files), delay=5, leave=False))


def sha256(path: pathlib.Path) -> str:
    """The SHA-256 sum of a file.

    Raises:
      InputError: it cannot be read.
    """
    with open_regular(path) as file:
        try:
            return hashlib.file_digest(file, 'sha256').hexdigest()
        except OSError as error:
            raise InputError(f'{path}: cannot be read ({error.strerror})') from None


def _line(name: str, digest: str) -> bytes:
    """A line of sha256sum; a name with a line break or backslash is escaped and marked."""
    escaped = ''.join(_ESCAPES.get(character, character) for character in name)
    mark = '\\' if escaped != name else ''
    return os.fsencode(f'{mark}{digest}  {escaped}\n')


def _read(manifest: pathlib.Path) -> dict[str, str]:
    """The digests by name."""
    with open_regular(manifest) as file:
        lines = os.fsdecode(file.read()).split('\n')
    digests = {}
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(f'{manifest}: line {number}: found no SHA-256 sum and name')
        mark, digest, name = match.groups()
        if mark:
            name = re.sub(r'\\(.)', lambda m: {'n': '\n', 'r': '\r'}.get(m[1], m[1]), name)
        if name in digests:
            raise InputError(f'{manifest}: {name}: found twice, expected once')
        digests[name] = digest.lower()
    return digests
