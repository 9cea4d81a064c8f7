"""Small landmark and label files in the formats that pose estimators and annotators write."""

import json

import numpy as np

from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.data.landmarks.recording import Recording

NUMBERS = (0, 9, 10, 11, 12, 15, 16)  # MediaPipe's, of the joints in pose CSV files
JOINTS = len(NUMBERS)
NAMES = tuple(MEDIAPIPE_33[n] for n in NUMBERS)


def joints(frames=12, count=JOINTS, seed=0):
    """Random [T, J, 4] inside the picture, with 6 decimals as the CSV files have."""
    values = np.random.default_rng(seed).uniform(0.1, 0.9, (frames, count, 4))
    return np.round(values, 6).astype(np.float32)


def recording(values, fps=10.0, names=None, time=None, name='a'):
    return Recording(
        name=name,
        joints=values,
        joint_names=tuple(names or (f'j{i}' for i in range(values.shape[1]))),
        fps=fps,
        width=640.0,
        height=480.0,
        time=np.arange(len(values)) / fps if time is None else np.asarray(time, float),
    )


def csv_text(values, fps=10.0, size=(640, 480), frames=None, time=None, numbers=NUMBERS):
    """A pose CSV; NaN becomes an empty cell."""
    frames = range(len(values)) if frames is None else frames
    time = [frame / fps for frame in frames] if time is None else time
    header = ['frame', 'time_sec', 'video_width', 'video_height', 'fps']
    header += [f'l{n}_{axis}' for n in numbers for axis in 'xyzv']
    lines = [','.join(header)]
    for frame, seconds, row in zip(frames, time, values, strict=True):
        cells = ['' if np.isnan(cell) else f'{cell:.6f}' for cell in row.ravel()]
        lines.append(','.join([str(frame), f'{seconds:.6f}', *map(str, size), f'{fps:f}', *cells]))
    return '\n'.join(lines) + '\n'


def flatten(person):
    """x0, y0, score0, x1, ... of [J, 4]; zeros where the joint is missing."""
    return np.nan_to_num(person[:, [0, 1, 3]]).ravel().tolist()


def openpose(folder, frames, video='clip', numbers=None):
    """An OpenPose folder; each frame is a list of persons [25, 4] in pixels."""
    folder.mkdir()
    for number, people in zip(numbers or range(len(frames)), frames, strict=True):
        people = [{'person_id': [-1], 'pose_keypoints_2d': flatten(person)} for person in people]
        file = folder / f'{video}_{number:012d}_keypoints.json'
        file.write_text(json.dumps({'version': 1.3, 'people': people}))
    return folder


def mmpose(frames, first=1):
    """`instance_info` of MMPose's demo; each frame is a list of persons [17, 4] in pixels."""
    return [
        {
            'frame_id': first + t,
            'instances': [
                {
                    'keypoints': person[:, :2].tolist(),
                    'keypoint_scores': person[:, 3].tolist(),
                    'bbox': [[0, 0, 1, 1]],
                    'bbox_score': 0.9,
                }
                for person in people
            ],
        }
        for t, people in enumerate(frames)
    ]


def alphapose(frames):
    """AlphaPose's list of results."""
    return [
        {'image_id': f'{t}.jpg', 'category_id': 1, 'keypoints': flatten(person), 'score': 2.9}
        for t, people in enumerate(frames)
        for person in people
    ]


def labels_text(*intervals):
    return 'start,end,label\n' + ''.join(f'{s},{e},{label}\n' for s, e, label in intervals)


def kinetics(person):
    """kinetics-skeleton of ST-GCN, of [T, 18, 4] in shares."""
    return {
        'data': [
            {
                'frame_index': t + 1,
                'skeleton': [{'pose': row[:, :2].ravel().tolist(), 'score': row[:, 3].tolist()}],
            }
            for t, row in enumerate(person)
        ],
        'label': 'smoking',
        'label_index': 1,
    }


def ultralytics(person):
    """`to_json` of each frame's result, of [T, 17, 4] in pixels."""
    keys = {'x': 0, 'y': 1, 'visible': 3}
    return [
        [{'name': 'person', 'track_id': 3, 'confidence': 0.9,
          'keypoints': {key: row[:, column].tolist() for key, column in keys.items()}}]
        for row in person
    ]  # fmt: skip


def mediapipe(person):
    """A list of landmarks a frame, of [T, 33, 4]."""
    keys = ('x', 'y', 'z', 'visibility')
    return [[dict(zip(keys, map(float, j), strict=True)) for j in row] for row in person]


def ntu(person):
    """A .skeleton file of [T, 25, 4] in pixels."""
    lines = [str(len(person))]
    for row in person:
        lines += ['1', '72057594037931101 0 1 1 1 1 0 0.1 0.2 2', '25']
        lines += [f'0.1 0.2 3.1 1 1 {x:.3f} {y:.3f} 0 0 0 1 2' for x, y, _, _ in row]
    return '\n'.join(lines) + '\n'


def deeplabcut(person, names, bodies=('a',)):
    """A CSV of [T, J, 4] in pixels, which is the last of the bodies; the others are not seen."""
    axes = ('x', 'y', 'likelihood')
    columns = [(body, name, axis) for body in bodies for name in names for axis in axes]
    rows = {
        'scorer': ['DLC_resnet'] * len(columns),
        'individuals': [body for body, _, _ in columns],
        'bodyparts': [name for _, name, _ in columns],
        'coords': [axis for _, _, axis in columns],
    }
    if len(bodies) == 1:
        del rows['individuals']
    lines = [','.join([key, *cells]) for key, cells in rows.items()]
    for t, row in enumerate(person):
        cells = [''] * (len(bodies) - 1) * 3 * len(names) + row[:, [0, 1, 3]].ravel().tolist()
        lines.append(','.join([str(t), *map(str, cells)]))
    return '\n'.join(lines) + '\n'
