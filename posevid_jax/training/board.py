"""The numbers of a run as TensorBoard's event files."""

import pathlib
from collections.abc import Mapping
from typing import Any

import tensorboardX

_FOLDER = 'tensorboard'


class Board:
    """Curves by step: `step/*` of single steps, `train/*` and `val/*` of epochs."""

    def __init__(self, workdir: pathlib.Path, step: int):
        """Opens the folder `tensorboard`; TensorBoard hides what an earlier start wrote later.

        Args:
          workdir: the run directory.
          step: the step from which the run goes on.
        """
        self._writer = tensorboardX.SummaryWriter(str(workdir / _FOLDER), purge_step=step + 1)

    def add(self, group: str, step: int, numbers: Mapping[str, Any]) -> None:
        """Adds a point to each curve; what is no number is left out."""
        for key, value in numbers.items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                self._writer.add_scalar(f'{group}/{key}', value, step)

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
