"""What this project calls of MediaPipe, an extra that need not be installed."""

import numpy as np

__version__: str

class ImageFormat:
    SRGB: ImageFormat

class Image:
    def __init__(self, image_format: ImageFormat, data: np.ndarray) -> None: ...
