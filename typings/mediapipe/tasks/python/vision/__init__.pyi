from mediapipe import Image
from mediapipe.tasks.python import BaseOptions

class RunningMode:
    VIDEO: RunningMode

class PoseLandmarkerOptions:
    def __init__(
        self, *, base_options: BaseOptions, running_mode: RunningMode, num_poses: int
    ) -> None: ...

class Landmark:
    x: float
    y: float
    z: float
    visibility: float

class Result:
    pose_landmarks: list[list[Landmark]]

class PoseLandmarker:
    @staticmethod
    def create_from_options(options: PoseLandmarkerOptions) -> PoseLandmarker: ...
    def detect_for_video(self, image: Image, timestamp_ms: int) -> Result: ...
    def close(self) -> None: ...
