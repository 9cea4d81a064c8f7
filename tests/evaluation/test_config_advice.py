"""The configuration that suits a set of clips."""

import dataclasses

import numpy as np
import pytest

from posevid_jax.data.clips import from_arrays
from posevid_jax.data.joints import COCO_17
from posevid_jax.evaluation.config_advice import line, suggest

ANY = ['gesture', 'gesture:video_swin']


def clips(*, joints=COCO_17, classes=2, start_frame=None):
    count = 4 * classes
    skeleton = np.random.default_rng(0).random((count, 6, len(joints), 4))
    return from_arrays(
        source='toy',
        features=np.zeros((count, 6, 0 if joints else 3)),
        label=np.arange(count) % classes,
        skeleton=skeleton if joints else None,
        joint_names=joints or None,
        start_frame=start_frame,
    )


@pytest.mark.parametrize(
    ('fields', 'expected'),
    [
        ({'start_frame': np.arange(8)}, ['stat_pool:context', *ANY]),
        ({}, ['stat_pool:clip', *ANY]),
        ({'classes': 3, 'start_frame': np.arange(12)}, ANY),
        ({'joints': ('left_ankle', 'right_ankle', 'tail')}, ANY),
        ({'joints': ()}, ['stat_pool:features']),
    ],
)
def test_what_the_clips_have_decides(fields, expected):
    assert [found.config for found in suggest(clips(**fields))] == expected


def test_the_line_names_a_file_that_can_be_given():
    text = line('toy', dataclasses.replace(clips()))
    assert text.startswith('toy: train with --config=configs/stat_pool.py:clip (')
    assert '--config=configs/gesture.py (any gesture, by all 17 joints)' in text
