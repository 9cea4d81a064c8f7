"""Damage to files, one seeded case at a time: what disks, transfers and strangers do."""

import io
import os
import pathlib
import warnings
import zipfile
from collections.abc import Callable

import numpy as np

Rng = np.random.Generator
DESCRIPTIONS = ('|O', '<f8', '>f4', '<c8', '<M8[s]', '|V8', '<U1', '<i8', '|b1', '>i2', '<U0', '?!')


def mutate_file(path: pathlib.Path, rng: Rng) -> str:
    """Changes one file at random and says how."""
    content = path.read_bytes()
    kinds = [flip_bits, overwrite, truncate, insert, cut]
    if _is_sound(content):
        kinds += 2 * [drop_member, double_member, rename_member, swap_members, recompress]
        kinds += 2 * [edit_header, change_values, retype]
    kind: Callable = kinds[rng.integers(len(kinds))]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            path.write_bytes(kind(content, rng) if content else b'?')
        except (ValueError, TypeError):  # an earlier mutation left nothing that this one can edit
            path.write_bytes(flip_bits(content, rng))
    return kind.__name__


def mutate_folder(folder: pathlib.Path, rng: Rng) -> str:
    """Changes a folder at random: usually one of its files, sometimes what there is."""
    files = sorted(file for file in folder.rglob('*') if file.is_file())
    file = files[rng.integers(len(files))]
    kind = rng.integers(12)
    if kind == 0:
        file.unlink()
        return 'unlink'
    if kind == 1:
        file.rename(file.with_name('ünnamed' + file.suffix))
        return 'rename'
    if kind == 2:
        file.unlink()
        [file.mkdir, lambda: os.mkfifo(file), lambda: file.symlink_to(file)][rng.integers(3)]()
        return 'no file'
    if kind == 3:
        other = files[rng.integers(len(files))]
        file.write_bytes(other.read_bytes())
        return 'copy'
    return mutate_file(file, rng)


def flip_bits(content: bytes, rng: Rng) -> bytes:
    changed = np.frombuffer(content, np.uint8).copy()
    for place in rng.integers(0, len(changed), rng.integers(1, 5)):
        changed[place] ^= 1 << rng.integers(8)
    return changed.tobytes()


def overwrite(content: bytes, rng: Rng) -> bytes:
    start, length = _stretch(content, rng)
    filler = rng.bytes(length) if rng.random() < 0.5 else bytes(length)
    return content[:start] + filler + content[start + length :]


def truncate(content: bytes, rng: Rng) -> bytes:
    return content[: rng.integers(len(content))]


def insert(content: bytes, rng: Rng) -> bytes:
    start, length = _stretch(content, rng)
    return content[:start] + rng.bytes(length) + content[start:]


def cut(content: bytes, rng: Rng) -> bytes:
    start, length = _stretch(content, rng)
    return content[:start] + content[start + length :]


def _stretch(content: bytes, rng: Rng) -> tuple[int, int]:
    start = int(rng.integers(len(content)))
    return start, int(min(rng.integers(1, 64), len(content) - start))


def drop_member(content: bytes, rng: Rng) -> bytes:
    members = _members(content)
    members.pop(rng.integers(len(members)))
    return _zip(members)


def double_member(content: bytes, rng: Rng) -> bytes:
    members = _members(content)
    name, _ = members[rng.integers(len(members))]
    _, data = members[rng.integers(len(members))]
    members.insert(rng.integers(len(members)), (name, data))
    return _zip(members)


def rename_member(content: bytes, rng: Rng) -> bytes:
    members = _members(content)
    number = rng.integers(len(members))
    name, data = members[number]
    others = ['', 'long_', '../../x', 'long_rää', 'a\nb', members[rng.integers(len(members))][0]]
    members[number] = (others[rng.integers(len(others))] + name[rng.integers(3) :], data)
    return _zip(members)


def swap_members(content: bytes, rng: Rng) -> bytes:
    members = _members(content)
    a, b = rng.integers(len(members), size=2)
    (name_a, data_a), (name_b, data_b) = members[a], members[b]
    members[a], members[b] = (name_a, data_b), (name_b, data_a)
    return _zip(members)


def recompress(content: bytes, rng: Rng) -> bytes:
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    return _zip(_members(content), methods[rng.integers(4)])


def edit_header(content: bytes, rng: Rng) -> bytes:
    """Another header over the same data, with right checksums around both."""

    def edit(data: bytes) -> bytes:
        array = np.lib.format.read_array(io.BytesIO(data))
        shape = list(array.shape)
        if shape and rng.random() < 0.6:
            sizes = [0, 1, -1, 2**31, 2**62, 2**70, shape[0] + 1, 10**5]
            shape[rng.integers(len(shape))] = sizes[rng.integers(len(sizes))]
        if rng.random() < 0.3:
            rng.shuffle(shape)
        descr = array.dtype.str
        if rng.random() < 0.5:
            descr = DESCRIPTIONS[rng.integers(len(DESCRIPTIONS))]
        header = {'descr': descr, 'fortran_order': bool(rng.integers(2)), 'shape': tuple(shape)}
        text = repr(header).encode() + b' ' * int(rng.integers(8)) + b'\n'
        version = bytes([[1, 2, 3, 9][int(rng.integers(4))] if rng.random() < 0.2 else 1, 0])
        length = len(text).to_bytes(2 if version[0] == 1 else 4, 'little')
        raw = array.tobytes() if rng.random() < 0.8 else b''
        return b'\x93NUMPY' + version + length + text + raw

    return _edited(content, rng, edit)


def change_values(content: bytes, rng: Rng) -> bytes:
    """Values that a clip may have or may not, in the right shape and dtype."""

    def edit(data: bytes) -> bytes:
        array = np.array(np.lib.format.read_array(io.BytesIO(data)))
        odd = [np.nan, np.inf, -np.inf, -1, 0, 7, 255, 2**31, 1e300, -0.5]
        where = rng.random(array.shape) < rng.choice([0.05, 1.0])
        values = np.asarray(odd[rng.integers(len(odd))])
        if array.dtype.kind in 'fiub':
            array[where] = values.astype(array.dtype)
        elif array.dtype.kind == 'U':
            array[where] = 'é\n\u200d'
        return _npy(array)

    return _edited(content, rng, edit)


def retype(content: bytes, rng: Rng) -> bytes:
    """The same values in another dtype or layout; or an object that runs code when unpickled."""

    def edit(data: bytes) -> bytes:
        array = np.lib.format.read_array(io.BytesIO(data))
        types = ['f2', 'f8', '>f4', '>i8', 'i1', 'u8', 'c16', 'U9', 'S9', 'M8[s]', 'O', 'g', 'b1']
        kind = types[rng.integers(len(types))]
        try:
            array = array.astype(kind)
        except (ValueError, TypeError):
            array = np.array([Bomb()], object)
        return _npy(np.asfortranarray(array) if rng.random() < 0.5 else array)

    return _edited(content, rng, edit)


class Bomb:
    """Unpickling this leaves a file behind."""

    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path('exploded'),)


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    return file.getvalue()


def _edited(content: bytes, rng: Rng, edit: Callable[[bytes], bytes]) -> bytes:
    members = _members(content)
    number = rng.integers(len(members))
    name, data = members[number]
    members[number] = (name, edit(data))
    return _zip(members)


def _is_sound(content: bytes) -> bool:
    """Whether this is an npz file that an earlier mutation has not hurt."""
    try:
        members = _members(content)
        for _, data in members:
            np.lib.format.read_array(io.BytesIO(data))
    except Exception:
        return False
    return bool(members)


def _members(content: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [(member.filename, archive.read(member)) for member in archive.infolist()]


def _zip(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()
