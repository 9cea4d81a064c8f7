"""A row a joint for any gesture, against plain NumPy, and what must not matter to it."""

import numpy as np
import pytest

from posevid_jax.data.joints import COCO_17, parents
from posevid_jax.errors import InputError
from posevid_jax.features import joint_rows
from tests import toy
from tests.features import poses

FRAMES = 12


def rows(batch, names=COCO_17, **changes):
    options = {'features__depth': 'on'} | {f'features__{k}': v for k, v in changes.items()}
    values, mask = joint_rows.rows(batch, names, toy.config(**options).features)
    return np.asarray(values)[:, :, :, 0], np.asarray(mask)[..., 0]


def test_channels_are_those_of_a_plain_loop():
    batch = poses.batch(COCO_17, frames=FRAMES, missing=0.1)
    values, mask = rows(batch)
    order = joint_rows.order(COCO_17)
    assert values.shape == (3, FRAMES, 17, 4 * 3 + 17)
    np.testing.assert_array_equal(mask, batch['skeleton_mask'][:, :, order])
    assert not values[~mask].any()
    for clip in range(3):
        aspect = batch['aspect'][clip]
        at = batch['skeleton'][clip, ..., :3].astype(float) * [aspect, 1, aspect]
        at[~batch['skeleton_mask'][clip]] = np.nan

        def of(*joints, at=at):
            return np.mean([at[:, COCO_17.index(joint)] for joint in joints], axis=0)

        hips, shoulders = (of(f'left_{j}', f'right_{j}') for j in ('hip', 'shoulder'))
        size = np.nanmedian(np.linalg.norm(shoulders - hips, axis=-1))
        place = (at - np.nanmedian(hips, axis=0)) / size
        for row, joint in enumerate(order):
            name = COCO_17[joint]
            wanted = np.zeros((FRAMES, 12))
            wanted[:, :3] = place[:, joint]
            parent = COCO_17.index(parents(COCO_17).get(name, name))
            wanted[:, 3:6] = 2 * (place[:, joint] - place[:, parent])
            for k, (back, ahead, factor) in enumerate(((0, 1, 6), (2, 2, 2))):
                for t in range(FRAMES):
                    after, before = min(t + ahead, FRAMES - 1), max(t - back, 0)
                    moved = factor * (place[after, joint] - place[before, joint])
                    wanted[t, 6 + 3 * k : 9 + 3 * k] = moved
            wanted = np.where(mask[clip, :, row, None], np.nan_to_num(wanted), 0)
            np.testing.assert_allclose(values[clip, :, row, :12], wanted, rtol=2e-3, atol=2e-3)
            one = mask[clip, :, row, None] * np.eye(17)[joint]
            np.testing.assert_array_equal(values[clip, :, row, 12:], one)


def test_of_very_many_joints_a_few_share_their_one():
    names = (*COCO_17, *(f'face_{k}' for k in range(83)))
    batch = poses.batch(names, frames=2)
    values, _ = rows(batch, names)
    assert values.shape[2:] == (100, 12 + 34)
    which = values[0, 0, :, 12:][np.argsort(joint_rows.order(names))]
    np.testing.assert_array_equal(which.argmax(-1), np.arange(100) // 3)
    np.testing.assert_array_equal(which.sum(-1), 1)


def test_neither_place_nor_size_in_the_picture_nor_padding_is_seen():
    batch = poses.batch(COCO_17, frames=FRAMES)
    moved = batch | {'skeleton': 0.5 * batch['skeleton'] + 0.1}
    empty = np.zeros((3, 9, 17, 4), np.float32)
    longer = batch | {
        'skeleton': np.concatenate([batch['skeleton'], empty], 1),
        'skeleton_mask': np.concatenate([batch['skeleton_mask'], empty[..., 0] > 0], 1),
    }
    expected, mask = rows(batch, frames=16, smooth=3)
    assert expected.shape[1] == 16 and mask.all()
    for other in (moved, longer):
        np.testing.assert_allclose(rows(other, frames=16, smooth=3)[0], expected, atol=2e-3)


def test_joints_that_move_together_stand_side_by_side():
    names = ('tail', 'left_wrist', 'right_wrist', 'nose', 'left_elbow', 'right_elbow')
    walk = [names[k] for k in joint_rows.order(names)]
    assert walk == ['right_wrist', 'right_elbow', 'nose', 'left_elbow', 'left_wrist', 'tail']
    with pytest.raises(InputError, match=r'features\.layout: found joints with clips that have no'):
        joint_rows.order(())
