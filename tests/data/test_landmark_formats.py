"""Files in the layouts of pose estimators and of the people who save their output."""

import json

import numpy as np
import pytest

from posevid_jax.data.joints import JOINT_MAPS, MEDIAPIPE_33
from posevid_jax.data.landmarks import known, sleap
from posevid_jax.data.pairing import pair
from posevid_jax.errors import InputError
from tests.data import landmark_files as files
from tests.data.landmark_reading import KNOWN, SIZE, in_shares, pixels, read, refused, settings

FRAMES = 6
NAMED = ('nose', 'left_shoulder', 'right_shoulder', 'left_wrist')
NUMBERS = (0, 11, 12, 15)
BODY = files.joints(FRAMES, len(NAMED))


def same(found, joints=BODY, names=NAMED, depth=True):
    assert found.joint_names == tuple(names)
    np.testing.assert_allclose(found.joints[..., :2], joints[..., :2], rtol=1e-5)
    np.testing.assert_allclose(found.joints[..., 3], joints[..., 3], rtol=1e-5)
    if depth:
        np.testing.assert_allclose(found.joints[..., 2], joints[..., 2], rtol=1e-5)


def table(columns, *, separator=',', decimal='.', first=('frame',)):
    """A CSV of `BODY` with a column for each (joint, axis) of `columns`."""
    lines = [separator.join([*first, *columns])]
    for t, row in enumerate(BODY.reshape(FRAMES, -1)):
        cells = [f'{x:.6f}'.replace('.', decimal) for x in row]
        lines.append(separator.join([str(t)] * len(first) + cells))
    return '\n'.join(lines) + '\n'


CAMEL = ('Nose', 'LeftShoulder', 'RShoulder', 'leftWrist')
SPELLINGS = {
    'numbers': [f'l{n}_{a}' for n in NUMBERS for a in 'xyzv'],
    'axis_first': [f'{a}_{n}' for n in NUMBERS for a in ('x', 'y', 'z', 'visibility')],
    'axis_and_number': [f'{a}{n}' for n in NUMBERS for a in 'xyzv'],
    'capitals': [f'{n.upper()}_{a}' for n in NAMED for a in ('x', 'y', 'z', 'visibility')],
    'names': [f'{n}_{a}' for n in NAMED for a in ('x', 'y', 'z', 'v')],
    'landmark': [f'landmark_{n}_{a}' for n in NUMBERS for a in ('x', 'y', 'z', 'visibility')],
    'dots': [f'{n}.{a}' for n in NAMED for a in ('x', 'y', 'z', 'score')],
    'camel': [
        f'{n}_{a}' for n in ('Nose', 'LeftShoulder', 'RShoulder', 'leftWrist') for a in 'XYZV'
    ],
}


@pytest.mark.parametrize('spelling', SPELLINGS)
def test_a_csv_in_any_naming(tmp_path, spelling):
    path = tmp_path / 'a.csv'
    path.write_text(table(SPELLINGS[spelling]))
    same(read(path, **KNOWN))


@pytest.mark.parametrize(
    ('separator', 'decimal', 'encoding'),
    [(';', ',', 'utf-8'), ('\t', '.', 'utf-16'), (';', '.', 'utf-8-sig'), ('\t', ',', 'utf-8')],
)
def test_a_csv_of_any_country_and_program(tmp_path, separator, decimal, encoding):
    path = tmp_path / 'a.csv'
    text = table(SPELLINGS['names'], separator=separator, decimal=decimal)
    path.write_bytes(text.replace('\n', '\r\n').encode(encoding))
    same(read(path, **KNOWN))


def test_a_csv_of_lists_of_rows_per_joint_and_with_a_pattern_of_ones_own(tmp_path):
    path = tmp_path / 'a.csv'
    lines = ['frame,' + ','.join(NAMED)]
    lines += [
        f'{t},' + ','.join(f'"[{", ".join(map(str, joint.tolist()))}]"' for joint in row)
        for t, row in enumerate(BODY)
    ]
    path.write_text('\n'.join(lines))
    same(read(path, **KNOWN))

    lines = ['frame,landmark,x,y,z,visibility']
    for t, row in enumerate(BODY):
        lines += [
            f'{t},{name},' + ','.join(map(str, j)) for name, j in zip(NAMED, row, strict=True)
        ]
    path.write_text('\n'.join(lines))
    same(read(path, **KNOWN))

    path.write_text(table([f'kp({n}|{a})' for n in NAMED for a in 'xyzv']))
    same(read(path, **KNOWN, prepare__columns='kp({joint}|{axis})'))
    assert 'prepare.columns' in refused(path, **KNOWN)


def test_a_csv_without_frames_and_in_milliseconds(tmp_path):
    path = tmp_path / 'a.csv'
    text = table(SPELLINGS['names'], first=('timestamp_ms',))
    for t in range(FRAMES):
        text = text.replace(f'\n{t},', f'\n{t * 40}.0,')
    path.write_text(text)
    found = read(path, prepare__video_size=SIZE)
    same(found)
    assert found.fps == 25 and found.origin.fps == 'times'
    np.testing.assert_allclose(found.time, np.arange(FRAMES) / 25)


def test_mediapipe_json(tmp_path):
    path = tmp_path / 'a.json'
    body = files.joints(FRAMES, 33)
    points = files.mediapipe(body)
    path.write_text(json.dumps(points))
    same(read(path, **KNOWN), body, MEDIAPIPE_33)
    frames = [{'frame': t, 'landmarks': row} for t, row in enumerate(points)]
    frames[2]['landmarks'] = None
    path.write_text(json.dumps({'fps': 50, 'width': 100, 'height': 200, 'frames': frames}))
    found = read(path)
    assert (found.fps, found.aspect) == (50, 0.5) and np.isnan(found.joints[2]).all()
    np.testing.assert_allclose(found.joints[3], body[3], rtol=1e-5)
    del points[1][4]
    path.write_text(json.dumps(points))
    assert 'frame 1: found 32 landmarks, expected 33' in refused(path, **KNOWN)


def test_openpose_with_hands_and_face_under_another_name(tmp_path):
    person = pixels(3, 137)
    folder = tmp_path / 'cam1_json'
    folder.mkdir()
    keys = ('pose', 'hand_left', 'hand_right', 'face')
    for t in range(3):
        parts = np.split(person[t], [25, 46, 67])
        body = {
            f'{key}_keypoints_2d': files.flatten(part)
            for key, part in zip(keys, parts, strict=True)
        }
        (folder / f'cam1_{t:06d}.json').write_text(json.dumps({'version': 1.3, 'people': [body]}))
    found = read(folder, **KNOWN)
    same(found, in_shares(person), JOINT_MAPS['body_25_hands_face'], depth=False)
    assert [p.name for p in pair(settings(prepare__landmarks=str(folder)))[0]] == ['cam1_json']
    (folder / 'cam2_000000.json').write_text('{"people": []}')
    assert 'cam1_000002.json and cam2_000000.json' in refused(folder, **KNOWN)


def test_kinetics_skeleton(tmp_path):
    person = in_shares(pixels(4, 18))
    value = files.kinetics(person)
    value['data'][1]['skeleton'] = []
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(value))
    found = read(path, **KNOWN)
    assert len(found.time) == 4 and np.isnan(found.joints[1]).all()
    same(
        found,
        np.where(np.arange(4)[:, None, None] == 1, np.nan, person),
        JOINT_MAPS['coco_18'],
        depth=False,
    )


def test_ultralytics_json_and_text(tmp_path):
    person = pixels(4, 17)
    value = files.ultralytics(person)
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(value))
    same(
        read(path, **KNOWN, prepare__person='3'),
        in_shares(person),
        JOINT_MAPS['coco_17'],
        depth=False,
    )
    folder = tmp_path / 'labels'
    folder.mkdir()
    for t, row in enumerate(in_shares(person)):
        joints = ' '.join(f'{x:.6f} {y:.6f} {v:.6f}' for x, y, _, v in row)
        (folder / f'walk_{t + 1}.txt').write_text(f'0 0.5 0.5 0.2 0.2 {joints}\n')
    found = read(folder, **KNOWN)
    np.testing.assert_allclose(found.joints[..., 0], in_shares(person)[..., 0], atol=1e-5)


def test_ntu_skeleton(tmp_path):
    person = files.joints(3, 25) * np.array([1920, 1080, 0, 0], np.float32)
    path = tmp_path / 'S001.skeleton'
    path.write_text(files.ntu(person))
    found = read(path)
    assert (found.fps, found.joint_names) == (30, JOINT_MAPS['ntu_25'])
    np.testing.assert_allclose(found.joints[..., 0] * 1920, person[..., 0], rtol=1e-5)
    assert found.origin.people == (('72057594037931101', 0, 3),)
    path.write_text('\n'.join(files.ntu(person).splitlines()[:40]))
    assert 'NTU skeleton: found the end' in refused(path)


@pytest.mark.parametrize('individuals', [False, True])
def test_deeplabcut(tmp_path, individuals):
    person = pixels(FRAMES, len(NAMED))
    bodies = ('a', 'b') if individuals else ('a',)
    path = tmp_path / 'a.csv'
    path.write_text(files.deeplabcut(person, NAMED, bodies))
    keys = {'prepare__person': 'b'} if individuals else {}
    same(read(path, **KNOWN, **keys), in_shares(person), depth=False)


def test_sleap_is_read_by_sleap_io_which_has_to_be_there(tmp_path):
    path = tmp_path / 'a.slp'
    path.write_bytes(b'\x89HDF\r\n\x1a\n' + bytes(100))
    assert sleap.recognises(path.read_bytes())
    assert 'pip install sleap-io' in refused(path) or 'sleap-io cannot read it' in refused(path)


def test_a_table_of_videos_says_what_files_do_not(tmp_path):
    joints = files.joints(4)
    lines = [
        ','.join(row.split(',')[:1] + row.split(',')[5:])
        for row in files.csv_text(joints).splitlines()
    ]
    (tmp_path / 'a.csv').write_text('\n'.join(lines))
    videos = tmp_path / 'videos.csv'
    videos.write_text('video;fps;width;height;person\nvideo;12,5;300;600;\nother;;;;2\n')
    found = read(tmp_path / 'a.csv', prepare__video_table=str(videos), prepare__fps=50.0)
    assert (found.fps, found.aspect) == (12.5, 0.5)
    assert (found.origin.fps, found.origin.size) == ('prepare.video_table',) * 2
    videos.write_text('video,fps\nvideo,-3\n')
    known._table.cache_clear()  # the file has changed
    with pytest.raises(InputError, match='line 2: column fps: found -3, expected a number above 0'):
        read(tmp_path / 'a.csv', prepare__video_table=str(videos))
