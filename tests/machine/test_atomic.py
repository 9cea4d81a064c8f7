"""What is written in one piece: nothing of it is seen before its end, nor after an error."""

import pytest

from posevid_jax.errors import InputError
from posevid_jax.machine.atomic import atomic_file, atomic_folder


def test_a_file_is_replaced_at_the_end_of_the_block(tmp_path):
    path = tmp_path / 'new' / 'file'
    with atomic_file(path) as temporary:
        temporary.write_text('first')
        assert not path.exists()
    with path.open() as reader:
        with atomic_file(path) as temporary:
            temporary.write_text('second')
            assert path.read_text() == 'first'
        assert (reader.read(), path.read_text()) == ('first', 'second')
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize('atomic', [atomic_file, atomic_folder])
def test_an_error_leaves_what_was_there_and_nothing_beside_it(tmp_path, atomic):
    (tmp_path / 'there').write_text('before')
    with pytest.raises(ZeroDivisionError), atomic(tmp_path / 'there') as temporary:
        (temporary / 'x' if temporary.is_dir() else temporary).write_text('half')
        raise ZeroDivisionError
    assert [path.read_text() for path in tmp_path.iterdir()] == ['before']


def test_a_folder_replaces_another_only_where_that_is_said(tmp_path):
    folder = tmp_path / 'folder'
    for name, replace in (('old', False), ('new', True)):
        with atomic_folder(folder, replace=replace) as temporary:
            (temporary / name).touch()
    assert [path.name for path in folder.iterdir()] == ['new']
    with pytest.raises(InputError, match='folder: cannot be written'), atomic_folder(folder):
        pass
    assert [path.name for path in tmp_path.rglob('*')] == ['folder', 'new']


def test_what_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / 'file').touch()
    for atomic in (atomic_file, atomic_folder):
        one_line = pytest.raises(InputError, match=r'file/x: cannot be written \(.+\)$')
        with one_line, atomic(tmp_path / 'file' / 'x') as temporary:
            temporary.write_text('?')
