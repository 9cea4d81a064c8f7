"""The content of a file, decompressed by its first bytes, up to a limit."""

import gzip
import lzma
import pathlib
import zlib
from typing import BinaryIO

from posevid_jax.errors import InputError

_GZIP, _XZ = b'\x1f\x8b', b'\xfd7zXZ\x00'
_CHUNK = 2**20


def read_bytes(path: pathlib.Path, max_mb: int) -> bytes:
    """The bytes of a file; gzip and xz are decompressed, whatever the file's name.

    Args:
      max_mb: the largest content accepted, in MiB; reading stops there, so that a small file that
        expands to gigabytes takes no more memory than this.

    Raises:
      InputError: the file is missing, unreadable, damaged or too large.
    """
    if not path.exists():
        raise InputError(f'{path}: not found')
    if not path.is_file():
        raise InputError(f'{path}: found no regular file, expected one')
    chunks, size = [], 0
    try:
        with open(path, 'rb') as file, _decompressed(file) as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > max_mb * 2**20:
                    raise InputError(
                        f'{path}: found more than {max_mb} MiB'
                        f'{"" if stream is file else ", decompressed"}; '
                        'expected less (prepare.max_file_mb)'
                    )
                chunks.append(chunk)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        what = getattr(error, 'strerror', None) or str(error)
        raise InputError(f'{path}: cannot be read, or damaged ({what})') from None
    return b''.join(chunks)


def read_text(path: pathlib.Path, max_mb: int) -> str:
    """`read_bytes` as UTF-8, with or without a byte order mark."""
    content = read_bytes(path, max_mb)
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise InputError(f'{path}: found no UTF-8 text ({error.reason}), expected it') from None


def _decompressed(file: BinaryIO) -> BinaryIO | gzip.GzipFile | lzma.LZMAFile:
    """The file itself, or what decompresses it."""
    start = file.read(len(_XZ))
    file.seek(0)
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=file)
    return lzma.LZMAFile(file) if start == _XZ else file
