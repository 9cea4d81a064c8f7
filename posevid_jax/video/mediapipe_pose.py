"""MediaPipe's Pose Landmarker: 33 joints of a few people, followed from frame to frame.

https://ai.google.dev/edge/mediapipe/solutions/vision/pose_landmarker/python
"""

import pathlib

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.errors import InputError
from posevid_jax.video.estimator import Frame


class MediaPipePose:
    """An `Estimator` with a model bundle, `pose_landmarker_full.task` or its like."""

    name = f'mediapipe {mediapipe.__version__}'
    joint_names = MEDIAPIPE_33

    def __init__(self, model: pathlib.Path, most_people: int):
        """Reads the bundle.

        Args:
          model: the bundle.
          most_people: the most to find in a frame. With two or more, MediaPipe searches the whole
            picture again in every frame that shows fewer.

        Raises:
          InputError: it is no such bundle.
        """
        options = vision.PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model)),
            running_mode=vision.RunningMode.VIDEO,
            num_poses=most_people,
        )
        try:
            self._landmarker = vision.PoseLandmarker.create_from_options(options)
        except (RuntimeError, ValueError, OSError) as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise InputError(
                f'prepare.pose_model: {model}: MediaPipe cannot read it ({reason})'
            ) from None
        self._last = -1

    def people(self, frame: Frame) -> np.ndarray:
        # It takes whole milliseconds, which have to increase.
        self._last = max(self._last + 1, round(1000 * frame.seconds))
        picture = mediapipe.Image(mediapipe.ImageFormat.SRGB, frame.picture)
        found = self._landmarker.detect_for_video(picture, self._last).pose_landmarks
        joints = [[(p.x, p.y, p.z, p.visibility) for p in person] for person in found]
        return np.array(joints, np.float32).reshape(-1, len(self.joint_names), 4)

    def close(self) -> None:
        self._landmarker.close()
