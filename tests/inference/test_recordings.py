"""From clips that cover recordings to what is said of their frames."""

import numpy as np
import pytest

from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.inference.clip_form import ClipForm
from posevid_jax.inference.events import frame_means
from posevid_jax.inference.recordings import LabelledRecording, frame_judge, judged
from tests import toy

CLIP = 16


def recording(name, frames):
    """Its joints say in which frame they are."""
    joints = np.zeros((frames, len(MEDIAPIPE_33), 4), np.float32)
    joints[..., 0] = np.arange(frames)[:, None]
    return Recording(
        name=name, joints=joints, joint_names=MEDIAPIPE_33, fps=30.0, width=4, height=3,
        time=np.arange(frames) / 30,
    )  # fmt: skip


def form(subclip):
    return ClipForm(
        whose='run', num_frames=CLIP, subclip=subclip, context=0, joint_names=MEDIAPIPE_33,
        feature_names=(), class_names=('a', 'b'), typical=None,
    )  # fmt: skip


@pytest.mark.parametrize('frames', [50, CLIP, 7, 3])
@pytest.mark.parametrize('subclip', [None, (6, 3), (CLIP, 2), (4, 4)])
def test_a_frame_has_the_mean_of_all_that_covers_it(frames, subclip):
    length, stride = subclip or (CLIP, 5)
    count = (CLIP - length) // stride + 1

    def logits(clips):
        """Of each stretch: in which frame it begins, and how many of its frames are there."""
        starts = clips.start_frame[:, None] + stride * np.arange(count)
        seen = clips.skeleton_mask[..., 0]
        there = [[row[s : s + length].sum() for s in stride * np.arange(count)] for row in seen]
        return np.stack([starts, np.array(there)], axis=2).astype(np.float32)

    judge = frame_judge(logits, form(subclip), toy.config(predict__stride=5))
    of = [LabelledRecording(recording(name, n), None) for name, n in (('x', frames), ('y', 20))]
    found = dict((of.recording.name, values) for of, values in judged(of, judge))
    assert {name: len(values) for name, values in found.items()} == {'x': frames, 'y': 20}
    # Stretches begin at every stride until one reaches the end, and none after that.
    start = np.arange(0, max(frames - length, 0) + stride, stride)
    expected = np.stack([start, np.minimum(frames - start, length)], axis=1)
    np.testing.assert_allclose(found['x'], frame_means(expected, start, length)[:frames], rtol=1e-5)
