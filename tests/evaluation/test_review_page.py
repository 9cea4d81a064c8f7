"""What the page for correcting a recording holds, before a browser opens it."""

import base64
import json
import re
import zlib

import numpy as np
import pytest

from posevid_jax.data.joints import BONES, COCO_WHOLEBODY_133, KINECT_20, MEDIAPIPE_33
from posevid_jax.evaluation import drawn_body, review_packing, review_page
from tests.evaluation import made

EVIL = '</script><script>alert(1)</script><!--'


def unpack(text, kind):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind)


def positions(text, shape):
    """As the page unpacks them."""
    low, high = unpack(text, 'u1').reshape(2, -1).astype(np.int32)
    folded = low | high << 8
    change = ((folded >> 1) ^ -(folded & 1)).astype(np.int16).reshape(shape)
    return change.cumsum(0, dtype=np.int16) * review_packing.POSITION_STEP


def data_of(text):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return json.loads(found[1])


def test_positions_come_back_to_half_a_step_and_keep_what_is_missing():
    rng = np.random.default_rng(0)
    joints = rng.uniform(-7.9, 7.9, (40, 5, 4)).astype(np.float32)  # from end to end: it wraps
    joints[..., 3] = rng.random((40, 5))
    joints[rng.random((40, 5)) < 0.3] = np.nan
    joints[20] = [[0, 1, 0, v] for v in (0, 0.2, 0.5, 0.8, 1)]
    body = review_packing.pack_body(joints, ('nose', 'a', 'b', 'c', 'd'))
    there = np.isfinite(joints).all(-1)
    error = np.abs(positions(body.positions, (40, 5, 2)) - joints[..., :2])[there]
    assert error.max() <= review_packing.POSITION_STEP / 2 + 1e-6
    sight = unpack(body.sight, 'u1').reshape(40, 5)
    assert ((sight > 0) == there).all()
    assert sight[20].tolist() == [1, 1, 2, 3, 3]


def test_times_are_rounded_down_so_that_labels_hold_the_frames_that_they_name():
    for fps in (29.97, 25):
        seconds = np.arange(2000) / fps
        packed = unpack(review_packing.pack_times(seconds), '<u4').cumsum() / review_packing.TICKS
        assert (packed <= seconds).all() and (packed[1:] > seconds[:-1]).all()
    assert (packed == seconds).all()  # hundredths are what they are


def test_joints_hang_together_and_are_not_too_many():
    body = review_packing.pack_body(np.zeros((2, 20, 4), np.float32), KINECT_20)
    bones = {(KINECT_20[a], KINECT_20[b]) for a, b in body.bones}
    assert ('left_elbow', 'left_wrist') in bones and ('left_hand', 'left_wrist') in bones
    many = review_packing.pack_body(np.zeros((2, 133, 4), np.float32), COCO_WHOLEBODY_133)
    assert len(many.joint_names) == drawn_body.MOST_JOINTS
    known = {name for bone in BONES for name in bone} & set(COCO_WHOLEBODY_133)
    assert known <= set(many.joint_names)


def test_the_box_holds_the_body_and_not_a_jump_of_the_estimator():
    joints = np.random.default_rng(0).uniform(0.4, 0.6, (200, 5, 4)).astype(np.float32)
    joints[7, 0, :2] = 9
    joints[:, 1] = (0.5, 4, 0, 0.1)  # guessed, far below the picture
    left, top, side = review_packing.pack_body(joints, ('nose', 'a', 'b', 'c', 'd')).box
    assert left < 0.41 and top < 0.41 and left + side > 0.59 and side < 0.3
    nobody = np.full((2, 1, 4), np.nan, np.float32)
    assert review_packing.pack_body(nobody, ('nose',)).box == (0, 0, 1)


def test_no_name_ends_the_script_and_all_is_there():
    review = made.review(name=EVIL, class_names=['none', EVIL])
    text = review_page.make(review)
    assert text.count('</script>') == 2 and '<!--' not in text and '{{' not in text
    assert not re.search(r'(?:href|src)=|https?://', text)
    data = data_of(text)
    assert (data['name'], data['classes']) == (EVIL, ['none', EVIL])
    assert data['found'] == review.found.tolist()
    assert data['body']['joint_names'] == list(MEDIAPIPE_33)
    assert unpack(data['prob'], 'u1') / 255 == pytest.approx(review.prob, abs=1 / 255)


def test_work_is_kept_by_recording_and_not_by_run():
    one = made.review()
    again = made.review(prob=np.zeros(len(one.prob)), found=np.zeros((0, 3), int))
    other = made.review(seed=1)
    one, again, other = (data_of(review_page.make(of))['identity'] for of in (one, again, other))
    assert one == again != other


def test_an_hour_is_less_than_ten_megabytes():
    review = made.review(frames=3000)
    assert len(review_page.make(review)) < 100_000 + 10e6 * 3000 / 108_000
