"""Mode inspect from paths to a page."""

import dataclasses
import re
import xml.etree.ElementTree

import numpy as np
import pytest

from posevid_jax.data.npz import write_clips
from posevid_jax.data.shards import write_shards
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.modes.inspect import inspect
from tests import toy

CONFIG = toy.config(data__synthetic__num_videos=2)
EVIL = '<script>alert(1)</script> $x_$'


@pytest.fixture(scope='module')
def clips():
    made = make_clips(num_videos=6, clips_per_video=2, seed=4, classes=('smoke', 'chin'))
    return dataclasses.replace(
        made,
        features=made.features[..., :4],
        mask=made.mask[..., :4],
        feature_names=(EVIL, '手の距離', *made.feature_names[2:4]),
        class_names=('<b>', 'smoke', 'chin'),
    )


@pytest.fixture(scope='module')
def folder(clips, tmp_path_factory):
    """Two archives that share a video, a name with markup, and what others forget to store."""
    folder = tmp_path_factory.mktemp('sets')
    write_clips(folder / 'é<i>.npz', clips.select(range(8)), 'long')
    val = clips.select(range(6, 12))
    renamed = dataclasses.replace(val, videos=tuple(f'val:{i}' for i in range(len(val.videos))))
    write_clips(folder / 'val.npz', renamed, 'long')
    return folder


def svgs(text):
    return re.findall(r'<svg.*?</svg>', text, re.DOTALL)


def test_a_page_that_stands_alone(folder, tmp_path, capsys):
    found = inspect(CONFIG, [str(folder / 'é<i>.npz'), str(folder / 'val.npz')], tmp_path)
    (kind, leak), *others = found
    assert kind == 'alarm' and 'é<i> and val show the same footage: 2 of 8 and 2 of 6' in leak
    assert ('alarm', '2 clips of val are in é<i>, bit for bit') in others
    out = capsys.readouterr().out
    assert f'LEAK: {leak}' in out and '手の距離' in out and EVIL in out
    assert [path.name for path in tmp_path.iterdir()] == ['inspect.html']
    text = (tmp_path / 'inspect.html').read_text()
    assert '<script' not in text and '<b>' not in text and '&lt;script&gt;' in text
    # Nothing is fetched: no address but the names of SVG's own vocabularies.
    links = re.findall(r'(?:href|src)="([^"]*)"|url\(([^)]*)\)', text)
    assert all((a or b).startswith('#') for a, b in links)
    pictures = svgs(text)
    assert len(pictures) >= 6
    for picture in pictures:
        xml.etree.ElementTree.fromstring(picture)
    assert '#010203' not in text and 'currentColor' in text


def test_the_same_sets_give_the_same_page(folder, tmp_path):
    path = str(folder / 'val.npz')
    for name in ('a', 'b'):
        inspect(CONFIG, [path], tmp_path / name)
    first, second = ((tmp_path / name / 'inspect.html').read_text() for name in ('a', 'b'))
    assert first == second


def test_a_folder_of_shards_is_what_the_archive_is(folder, clips, tmp_path):
    write_shards(tmp_path / 'val', [clips.select(range(6, 9)), clips.select(range(9, 12))])
    found = inspect(CONFIG, [str(tmp_path / 'val')], tmp_path / 'out')
    assert found == inspect(CONFIG, [str(folder / 'val.npz')], tmp_path / 'other')


def test_a_numbered_directory_by_default(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inspect(CONFIG, [str(folder / 'val.npz')], None)
    inspect(CONFIG, ['synthetic'], None)
    pages = sorted(str(path) for path in (tmp_path / 'runs').rglob('*.html'))
    assert [page[len(str(tmp_path)) :] for page in pages] == [
        '/runs/inspect/01/inspect.html',
        '/runs/inspect/02/inspect.html',
    ]


SETS = {
    'features only': {'long_raw': np.random.default_rng(0).normal(size=(5, 9, 4))},
    'skeleton only': {'long_skeleton': np.random.default_rng(0).random((5, 9, 3, 4))},
    'one frame': {'long_raw': np.zeros((5, 1, 2))},
    'one value observed': {'long_raw': np.r_[1, np.full(5 * 9 * 2 - 1, np.nan)].reshape(5, 9, 2)},
    'one joint observed': {
        'long_skeleton': np.r_[np.ones(4), np.full(5 * 9 * 3 * 4 - 4, np.nan)].reshape(5, 9, 3, 4)
    },
}


@pytest.mark.parametrize('arrays', SETS.values(), ids=SETS)
def test_poor_sets_have_a_page_too(tmp_path, arrays):
    np.savez(tmp_path / 'set.npz', long_label=[0, 1, 0, 2, 5], **arrays)
    found = inspect(CONFIG, [str(tmp_path / 'set.npz')], tmp_path / 'out')
    assert any('no clip of class class_3, class_4' in sentence for _, sentence in found)
    assert (tmp_path / 'out/inspect.html').exists()


def test_sets_of_one_name_are_told_apart(folder, tmp_path, capsys):
    (tmp_path / 'val.npz').write_bytes((folder / 'val.npz').read_bytes())
    paths = [str(folder / 'val.npz'), str(tmp_path / 'val.npz')]
    found = inspect(CONFIG, paths, tmp_path / 'out')
    assert f'{paths[0]} and {paths[1]} show the same footage' in found[0][1]


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        ([], 'found no path'),
        (['val.npz', 'none.npz'], r'none\.npz: not found'),
        (['val.npz', 'damaged.npz'], r'damaged\.npz: '),
        (['val.npz', '../{folder}/val.npz'], r'val\.npz: found a second time'),
    ],
)
def test_what_cannot_be_read_stops_before_anything_is_written(folder, tmp_path, names, message):
    (folder / 'damaged.npz').write_bytes((folder / 'val.npz').read_bytes()[:3000])
    paths = [str(folder / name.format(folder=folder.name)) for name in names]
    with pytest.raises(InputError, match=message):
        inspect(CONFIG, paths, tmp_path / 'out')
    assert not list(tmp_path.iterdir())
