"""Mode suggest: what is to be labelled, and the pages for exactly that."""

import csv
import json
import re

import numpy as np
import pytest

from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.modes import suggest
from posevid_jax.training import loop
from tests import toy


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A run, and three simulated recordings of 90 frames, of which one has labels."""
    folder = tmp_path_factory.mktemp('suggest')
    loop.train_and_evaluate(config(folder), folder / 'run')
    made = make_clips(num_videos=3, clips_per_video=1, num_frames=90, seed=5)
    (folder / 'landmarks').mkdir()
    (folder / 'labels').mkdir()
    for i in range(3):
        np.savez(
            folder / f'landmarks/v{i}_pose.npz',
            skeleton=np.where(made.skeleton_mask[i][..., None], made.skeleton[i], np.nan),
            joint_names=made.joint_names, fps=made.fps[i], video_size=[made.aspect[i], 1],
        )  # fmt: skip
    (folder / 'labels/elsewhere.csv').write_text('start,end,label\n0,1,smoke\n')
    (folder / 'labels/v1_full.csv').write_text('start,end,label\n0,1,smoke\n1,60,no_smoke\n')
    return folder


def config(folder, **overrides):
    settings = {'suggest__stretch': 1.0, 'suggest__minutes': 0.05, 'train__num_epochs': 1}
    settings['prepare__landmarks'] = str(folder / 'landmarks')
    return toy.config(**settings | overrides)


def test_pages_ask_for_what_the_list_says_and_for_nothing_that_is_labelled(folder, capsys):
    settings = config(folder, prepare__labels=str(folder / 'labels'))
    rows = suggest.suggest(settings, folder / 'run', 'best')
    assert {row.video for row in rows} == {'v0', 'v2'}
    assert 2.5 <= sum(row.end - row.start for row in rows) <= 3.5
    written = folder / 'run/suggestions/landmarks'
    listed = list(csv.DictReader((written / 'suggestions.csv').open()))
    assert [row['video'] for row in listed] == [row.video for row in rows]
    pages = sorted(path.stem for path in (written / 'review').iterdir())
    assert pages == ['v0', 'v2']
    for name in pages:
        text = (written / f'review/{name}.html').read_text()
        data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
        own = [row for row in rows if row.video == name]
        asked = sum(end - start for start, end, _ in data['asked'])
        assert asked == round(sum(row.end - row.start for row in own) * data['fps'])
    index = (written / 'index.html').read_text()
    assert 'review/v0.html' in index and 'to label' in index
    assert re.search(
        r'index.html: 3 stretches, 0\.1 of 0\.\d minutes, in 2 of 3', capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'suggest__minutes': 0.0}, r'suggest\.minutes: found 0\.0, expected above 0'),
        ({'suggest__stretch': -1.0}, r'suggest\.stretch: found -1\.0'),
        ({'suggest__minutes': 0.001}, r'suggest\.minutes=0\.001 is less than half a stretch'),
        ({'prepare__landmarks': ''}, r'prepare\.landmarks: not given'),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(folder, changes, message):
    before = sorted(folder.rglob('*'))
    with pytest.raises(InputError, match=message):
        suggest.suggest(config(folder, **changes), folder / 'run', 'best')
    assert sorted(folder.rglob('*')) == before
