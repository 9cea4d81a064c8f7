"""Which files belong to the same video."""

import pathlib

import pytest

from posevid_jax.data.pairing import Pair, pair, video_name
from posevid_jax.errors import InputError
from tests import toy


def made(folder, *names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    return folder


def config(landmarks, labels='', **keys):
    keys = {f'prepare__{key}': value for key, value in keys.items()}
    return toy.config(
        prepare__landmarks=str(landmarks), prepare__labels=str(labels), **keys
    ).prepare


@pytest.mark.parametrize(
    ('file', 'pattern', 'name'),
    [
        ('7_pose.csv.xz', '*_pose', '7'),
        ('7_pose.csv', '*_pose', '7'),
        ('7.csv.gz', '*_pose', '7'),
        ('take.1_pose.json', '*_pose', 'take.1'),
        ('results_a.json', 'results_*', 'a'),
        ('p_b_pose.npy', 'p_*_pose', 'b'),
        ('_pose.npy', '*_pose', '_pose'),
        ('ünï cödé', '*_pose', 'ünï cödé'),
    ],
)
def test_a_video_is_named_by_its_file(file, pattern, name):
    assert video_name(pathlib.Path(file), pattern) == name


def test_files_pair_by_name_in_the_order_of_the_names(tmp_path):
    landmarks = made(tmp_path / 'a', '2_pose.csv.xz', '10_pose.csv', 'x.json', '.hidden')
    made(landmarks, 'walk.1/c_0_keypoints.json')
    labels = made(tmp_path / 'b', '10_full.csv', 'x_full.csv', '2.csv', 'walk.1_full.csv')
    pairs, alone = pair(config(landmarks, labels))
    assert pairs == [
        Pair('10', landmarks / '10_pose.csv', labels / '10_full.csv'),
        Pair('2', landmarks / '2_pose.csv.xz', labels / '2.csv'),
        Pair('walk.1', landmarks / 'walk.1', labels / 'walk.1_full.csv'),
        Pair('x', landmarks / 'x.json', labels / 'x_full.csv'),
    ]
    assert alone == []


def test_files_without_a_partner_are_named(tmp_path):
    landmarks = made(tmp_path / 'a', '1_pose.csv', '2_pose.csv')
    labels = made(tmp_path / 'b', '2_full.csv', '3_full.csv')
    pairs, alone = pair(config(landmarks, labels))
    assert [p.name for p in pairs] == ['2']
    assert [line.split(':')[0] for line in alone] == [
        str(landmarks / '1_pose.csv'), str(labels / '3_full.csv'),
    ]  # fmt: skip
    assert 'no label file of video' in alone[0] and 'no landmarks of video' in alone[1]
    pairs, alone = pair(config(landmarks))
    assert [(p.name, p.labels) for p in pairs] == [('1', None), ('2', None)] and not alone


def test_one_file_or_one_openpose_folder_is_one_video(tmp_path):
    landmarks = made(tmp_path / 'a', '1_pose.csv', '2_pose.csv')
    labels = made(tmp_path / 'b', '1_full.csv')
    (labels / '1_full.csv').write_text('start,end,label\n0,1,smoke\n')
    (one,), alone = pair(config(landmarks / '1_pose.csv', labels / '1_full.csv'))
    assert one.name == '1' and not alone
    folder = made(tmp_path / 'walk', 'c_0_keypoints.json', 'c_1_keypoints.json')
    (one,), _ = pair(config(folder))
    assert one == Pair('walk', folder, None)


def test_other_patterns_and_what_is_wrong(tmp_path):
    landmarks = made(tmp_path / 'a', 'results_k.json')
    labels = made(tmp_path / 'b', 'k-labels.csv')
    keys = {'landmarks_name': 'results_*', 'labels_name': '*-labels'}
    assert [p.name for p in pair(config(landmarks, labels, **keys))[0]] == ['k']
    with pytest.raises(InputError, match=r"prepare\.labels_name: found 'labels'"):
        pair(config(landmarks, labels, labels_name='labels'))
    with pytest.raises(InputError, match=r'prepare\.landmarks: .*none not found'):
        pair(config(tmp_path / 'none'))
    with pytest.raises(InputError, match=r'prepare\.landmarks: .*empty'):
        pair(config(made(tmp_path / 'empty')))
    made(landmarks, 'k.csv')
    with pytest.raises(InputError, match=r"results_k\.json: video 'k': found in k\.csv too"):
        pair(config(landmarks, **keys))


def test_the_first_source_that_has_a_video_labels_it(tmp_path):
    landmarks = made(tmp_path / 'a', '1.csv', '2.csv', '3.csv', '4.csv')
    labels = made(tmp_path / 'b', '1_full.csv', '2_full.csv', '3_full.csv')
    first, second = made(tmp_path / 'c', '3.csv', '5.csv'), tmp_path / 'd.csv'
    second.write_text('video,start,end,label\n2.mp4,0,1,smoke\n3.mp4,0,1,smoke\n4.mp4,0,1,smoke\n')
    keys = config(landmarks, labels, corrections=(str(first), str(second)))
    pairs, alone = pair(keys)
    found = {of.name: (of.labels, of.labelled_as, of.corrected) for of in pairs}
    assert found == {
        '1': (labels / '1_full.csv', '', False),
        '2': (second, '2', True),
        '3': (first / '3.csv', '', True),
        '4': (second, '4', True),
    }
    assert alone == [f"{first / '5.csv'}: found no landmarks of video '5' in {landmarks}"]
    pairs, alone = pair(config(landmarks, corrections=(str(first),)))
    assert [of.name for of in pairs] == ['3'] and len(alone) == 4
    with pytest.raises(InputError, match=r'prepare\.corrections: .*none not found'):
        pair(config(landmarks, labels, corrections=(str(tmp_path / 'none'),)))
