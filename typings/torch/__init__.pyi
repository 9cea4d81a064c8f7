"""What this project calls of torch, an extra that need not be installed."""

import pathlib
from typing import Any

def load(f: pathlib.Path, *, map_location: str, weights_only: bool) -> Any: ...
