import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from posevid_jax.data.joints import BODY_25, COCO_17, HANDS_AND_MOUTH
from posevid_jax.errors import InputError
from posevid_jax.features import body
from tests.features import poses

NAMES = body.names(poses.UPPER_BODY)
WHOLE_CLIP = 99
compute = jax.jit(body.features, static_argnums=(1, 2))
ends = {'wrist': ('wrist',), 'index': ('index',), 'hand': ('index', 'pinky', 'thumb')}


def features(batch, names=poses.UPPER_BODY, scale_frames=WHOLE_CLIP):
    values, mask = map(np.asarray, compute(batch, names, scale_frames))
    assert np.isfinite(values).all() and not values[~mask].any()
    return values, mask


def plain(batch, clip, scale_frames):
    """One clip with plain Python: a dict of features a frame, without what is missing."""
    aspect, fps = float(batch['aspect'][clip]), float(batch['fps'][clip])
    frames = []
    for places, seen in zip(batch['skeleton'][clip], batch['skeleton_mask'][clip], strict=True):
        named = zip(poses.UPPER_BODY, places.astype(float), seen, strict=True)
        frames.append({name: (x * aspect, y) for name, (x, y, *_), ok in named if ok})

    def middle(points):
        return tuple(np.mean(points, axis=0))

    sizes = [math.nan] * len(frames)
    for t, at in enumerate(frames):
        if 'left_shoulder' in at and 'right_shoulder' in at:
            sizes[t] = math.dist(at['left_shoulder'], at['right_shoulder'])
            if 'nose' in at:
                center = middle([at['left_shoulder'], at['right_shoulder']])
                sizes[t] = max(sizes[t], 1.45 * math.dist(at['nose'], center))
    reach, found, before = scale_frames // 2, [], {}
    for t, at in enumerate(frames):
        values, distances = {}, {}
        if not math.isnan(sizes[t]):
            unit = np.nanmedian(sizes[max(t - reach, 0) : t + reach + 1])
            if 'mouth_left' in at and 'mouth_right' in at:
                mouth = middle([at['mouth_left'], at['mouth_right']])
                for side in ('left', 'right'):
                    for end, joints in ends.items():
                        joints = [f'{side}_{joint}' for joint in joints]
                        if all(joint in at for joint in joints):
                            place = middle([at[joint] for joint in joints])
                            distances[side, end] = math.dist(place, mouth) / unit
            nearer = min(
                ('left', 'right'), key=lambda side: distances.get((side, 'hand'), math.inf)
            )
            if not any(end == 'hand' for _, end in distances):
                nearer = 'right'
            for (side, end), distance in distances.items():
                which = 'near' if side == nearer else 'far'
                values[f'{which}_{end}_distance'] = distance
                if (side, end) in before:
                    values[f'{which}_{end}_speed'] = (distance - before[side, end]) * fps
            for side in ('left', 'right'):
                arm = [f'{side}_{joint}' for joint in ('shoulder', 'elbow', 'wrist')]
                if all(joint in at for joint in arm):
                    shoulder, elbow, wrist = (np.array(at[joint]) for joint in arm)
                    u, v = shoulder - elbow, wrist - elbow
                    cosine = u @ v / np.linalg.norm(u) / np.linalg.norm(v)
                    which = 'near' if side == nearer else 'far'
                    values[f'{which}_elbow_angle'] = math.acos(cosine) / math.pi
        before = distances
        found.append(values)
    return found


@pytest.mark.parametrize('scale_frames', [WHOLE_CLIP, 5, 1])
def test_distances_speeds_and_angles_are_those_of_a_plain_loop(scale_frames):
    batch = poses.batch(missing=0.1)
    values, mask = features(batch, scale_frames=scale_frames)
    compared = [
        f'{which}_{what}'
        for which in ('near', 'far')
        for what in (*(f'{end}_{k}' for end in ends for k in ('distance', 'speed')), 'elbow_angle')
    ]
    for clip in range(3):
        for t, expected in enumerate(plain(batch, clip, scale_frames)):
            for name in compared:
                f = NAMES.index(name)
                assert mask[clip, t, f] == (name in expected), (clip, t, name)
                np.testing.assert_allclose(
                    values[clip, t, f], expected.get(name, 0), rtol=2e-3, atol=2e-3
                )


def test_place_and_size_of_the_person_and_depth_do_not_matter():
    batch = poses.batch(missing=0.1)
    places = batch['skeleton'] * np.array([0.4, 0.4, 9, 1]) + np.array([0.3, 0.1, -2, 0])
    moved = {**batch, 'skeleton': places.astype(np.float32)}
    for a, b in zip(features(batch), features(moved), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-2, atol=1e-3)


def test_the_width_of_the_picture_does_not_matter():
    batch = poses.batch()
    wide = {
        **batch,
        'skeleton': batch['skeleton'] * np.array([0.5, 1, 1, 1], np.float32),
        'aspect': batch['aspect'] * 2,
    }  # fmt: skip
    for a, b in zip(features(batch), features(wide), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('names', [poses.UPPER_BODY, COCO_17, BODY_25])
def test_a_mirrored_person_has_the_same_features(names):
    batch = poses.batch(names, missing=0.1)

    def other(name):
        swap = {'left': 'right', 'right': 'left'}
        return '_'.join(swap.get(word, word) for word in name.split('_'))

    order = [names.index(other(name)) for name in names]
    flipped = batch['skeleton'] * np.array([-1, 1, 1, 1]) + np.array([1, 0, 0, 0])
    mirrored = {
        **batch,
        'skeleton': flipped[:, :, order].astype(np.float32),
        'skeleton_mask': batch['skeleton_mask'][:, :, order],
    }
    (values, mask), (mirror, mirror_mask) = features(batch, names), features(mirrored, names)
    # Without a hand there is no nearer one: then neither side of the face is its side.
    hand = mask[..., body.names(names).index('near_hand_distance')]
    np.testing.assert_array_equal(mask[hand], mirror_mask[hand])
    np.testing.assert_allclose(values[hand], mirror[hand], rtol=1e-2, atol=1e-3)


def test_near_is_nearer():
    values, mask = features(poses.batch(missing=0.2))
    near, far = (NAMES.index(f'{which}_hand_distance') for which in ('near', 'far'))
    both = mask[..., far]
    assert both.any() and (values[..., near] <= values[..., far])[both].all()
    assert (mask[..., near] >= both).all()


@pytest.mark.parametrize(
    ('joint', 'lost'),
    [
        ('left_shoulder', {n for n in NAMES if not n.endswith(('_before', '_after'))}),
        ('mouth_left', {
            *(n for n in NAMES if n.endswith(('hand_distance', 'wrist_x', 'index_speed'))),
            'mouth_x', 'mouth_width', 'mouth_visibility', 'near_forearm_off_mouth',
        }),
        ('left_ear', {'head_yaw', 'head_pitch'}),
    ],
)  # fmt: skip
def test_a_feature_is_missing_where_one_of_its_joints_is(joint, lost):
    batch = poses.batch()
    batch['skeleton_mask'][:, 4, poses.UPPER_BODY.index(joint)] = False
    _, mask = features(batch)
    assert not mask[:, 4, [NAMES.index(name) for name in lost]].any()
    kept = [n for n in NAMES if n not in lost and (joint == 'left_ear' or 'elbow_x' in n)]
    assert mask[:, 4, [NAMES.index(name) for name in kept]].all()
    speeds = [NAMES.index(name) for name in NAMES if name.endswith('speed')]
    assert mask[:, 3, :].sum() > mask[:, 4, :].sum()
    assert not mask[:, 0, speeds].any()  # nothing to differ from
    assert mask[:, 5, speeds].all() == (joint == 'left_ear')


@pytest.mark.parametrize('names', [COCO_17, BODY_25])
def test_what_a_skeleton_lacks_is_guessed_or_left_out(names):
    found = body.names(names)
    assert not any('index' in name or 'mouth_width' in name for name in found)
    assert {'near_hand_distance', 'far_hand_speed', 'mouth_y', 'head_yaw'} <= set(found)
    batch = poses.batch(names)
    values, _ = features(batch, names)
    # The guessed mouth lies below the nose by a share of the way to the shoulders.
    place = {name: batch['skeleton'][..., i, 1] for i, name in enumerate(names)}
    shoulders = (place['left_shoulder'] + place['right_shoulder']) / 2
    up = np.sign(place['nose'] - shoulders)
    np.testing.assert_array_equal(np.sign(values[..., found.index('mouth_y')]), up)


@pytest.mark.parametrize('gone', [*HANDS_AND_MOUTH, None])
def test_a_joint_that_cannot_be_guessed_is_named(gone):
    names = tuple(name for name in poses.UPPER_BODY if name != gone) if gone else ()
    with pytest.raises(InputError, match=gone or 'no skeleton'):
        body.names(names)


def test_features_are_left_out_by_pattern():
    patterns = ('*elbow*', 'near_*_x')
    found = body.names(poses.UPPER_BODY, patterns)
    assert not any('elbow' in name or (name.startswith('near_') and name.endswith('_x'))
                   for name in found)  # fmt: skip
    assert {'far_wrist_x', 'near_wrist_y'} < set(found)
    kept = [NAMES.index(name) for name in found]
    batch = poses.batch()
    some = jax.jit(lambda: body.features(batch, poses.UPPER_BODY, WHOLE_CLIP, patterns))()
    for part, whole in zip(some, features(batch), strict=True):
        np.testing.assert_allclose(part, whole[..., kept], atol=1e-5)
    with pytest.raises(InputError, match=r'leave_out: found \*tail, which fits none'):
        body.names(poses.UPPER_BODY, ('*tail',))


def test_gradients_are_finite_even_where_all_joints_coincide():
    batch = poses.batch(missing=0.3)
    batch['skeleton'][0] = 0.5
    batch['skeleton'][1, :, 5:] = 0.25  # some of them

    def total(skeleton):
        return body.features({**batch, 'skeleton': skeleton}, poses.UPPER_BODY, 3)[0].sum()

    grad = jax.jit(jax.grad(total))(jnp.asarray(batch['skeleton']))
    assert np.isfinite(grad).all() and np.asarray(grad)[2].any()


def test_a_clip_of_one_frame_and_one_without_anybody():
    values, mask = features(poses.batch(frames=1))
    assert mask[..., NAMES.index('near_hand_distance')].all()
    assert not mask[..., NAMES.index('near_hand_speed')].any()
    values, mask = features(poses.batch(missing=1.0))
    assert not mask.any() and not values.any()


def test_clips_without_a_skeleton_are_told_what_to_read():
    with pytest.raises(InputError, match=r'features\.source: found body.*expected archive'):
        body.names((), ())
