"""No two sets have one name, and a set keeps its name."""

import pytest

from posevid_jax.runs import set_names


def named(known, *paths):
    """The names of some sets, one after the other; `known` is what is there before."""
    found = dict(known)
    for path in paths:
        name = set_names.name_for('val', path, found.get)
        found[name] = path
        yield name


def test_the_first_set_has_the_plain_name_and_another_as_much_of_its_path_as_it_needs():
    paths = ('/data/a/val.npz', '/data/b/val.npz', '/more/b/val.npz', '/data/a/val.npz')
    assert list(named({}, *paths)) == ['val', 'b_val', 'more_b_val', 'val']
    assert list(named({}, *reversed(paths[:3]))) == ['val', 'b_val', 'a_val']


def test_sets_whose_paths_read_alike_are_numbered():
    split = set_names.whence('', 'train.npz')
    assert list(named({'val': '/x/val.npz'}, split, split)) == ['val_2', 'val_2']
    assert list(named({'val': 'a', 'b_val': 'b', 'a_b_val': 'c'}, '/a/b/val.npz')) == ['val_2']


def test_what_does_not_say_where_it_comes_from_is_overwritten():
    assert list(named({'val': ''}, '/data/val.npz')) == ['val']


@pytest.mark.parametrize('path', ['synthetic', '', 'sets/../val.npz'])
def test_a_set_is_known_by_where_it_lies(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = set_names.whence(path, 'synthetic')
    expected = {'synthetic': 'synthetic', '': 'split off from synthetic'}
    assert found == expected.get(path, str(tmp_path / 'val.npz'))
