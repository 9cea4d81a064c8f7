"""What is said of sets of clips: what they share, what is copied, what is odd."""

import dataclasses

import numpy as np
import pytest

from posevid_jax.data.synthetic import make_clips
from posevid_jax.evaluation import inspection, set_tables
from tests.evaluation import made

CLIPS = make_clips(num_videos=6, clips_per_video=2, seed=4)


def renamed(clips, name):
    """The same clips under names that tell nothing."""
    return dataclasses.replace(clips, videos=tuple(f'{name}:{i}' for i in range(len(clips.videos))))


def inspected(**sets):
    steps = []
    seen = inspection.inspect(sets, {name: {} for name in sets}, steps.append)
    assert len(steps) == len(sets) + len(sets) * (len(sets) + 1) // 2
    return seen


@pytest.fixture(scope='module')
def shared():
    """Two sets with a video in common."""
    return inspected(a=CLIPS.select(range(8)), b=renamed(CLIPS.select(range(6, 12)), 'b'))


def test_what_two_sets_share_is_an_alarm(shared):
    alarms = [text for kind, text in inspection.findings(shared) if kind == 'alarm']
    assert alarms[0].startswith('a and b show the same footage: 2 of 8 and 2 of 6 clips')
    assert alarms[1] == '2 clips of b are in a, bit for bit'
    (row,) = set_tables.footage(shared).rows
    assert row[1] == 'b: 0' and row[-1] == '2 + 2' and row[-2] == '100.0%'
    (same,) = next(of.found for of in shared.shared if of.sets == (0, 1))
    assert row[4] == f'{same.length / CLIPS.fps[6]:.1f}'


def test_what_a_set_shares_with_itself_is_a_note():
    twice = CLIPS.select([0, 1, 2, 3, 0, 1])
    number = np.array([0, 0, 1, 1, 2, 2], np.int32)
    again = dataclasses.replace(
        twice,
        video=number,
        group=number,
        videos=(*twice.videos, 'set:again'),
        label=np.where(np.arange(6) == 5, 1 - twice.label, twice.label),
    )
    found = inspection.findings(inspected(set=again))
    assert {kind for kind, _ in found} == {'care'}
    sentences = [text for _, text in found]
    assert any('set: videos of the same footage' in text for text in sentences)
    copies = next(text for text in sentences if 'bit for bit' in text)
    assert copies.startswith('set: 2 clips are copies of another') and copies.endswith('label: 1')


def test_sets_without_anything_to_compare_them_by_are_said_not_to_be_compared():
    bare = dataclasses.replace(made.clips(), skeleton=None, skeleton_mask=None, joint_names=())
    texts = [text for _, text in inspection.findings(inspected(a=CLIPS, bare=bare))]
    assert any(text.startswith('a and bare were not compared') for text in texts)


def test_tables_have_a_column_a_set_and_a_row_a_class(shared):
    facts = set_tables.facts(shared)
    assert facts.header == ('', 'a', 'b')
    assert facts.rows[0] == ('clips', '8', '6')
    assert [row[0] for row in set_tables.classes(shared).rows] == [
        f'{name}: {label}' for name in 'ab' for label in CLIPS.class_names
    ]
    titles = [table.title for table in set_tables.on_screen(shared)]
    assert titles[2:] == ['Features of a', 'Features of b', 'The same footage twice']
