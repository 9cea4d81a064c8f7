"""Batches of clips: indices are batched first, then one gather makes the whole batch.

The order is a pure function of (seed, step), so a saved position is one number and resuming gives
the same batches whatever ran before.
"""

from collections.abc import Iterator, Mapping

import grain
import numpy as np

from posevid_jax.data.mapped import Column
from posevid_jax.data.sampling import Order
from posevid_jax.errors import InputError

Arrays = Mapping[str, Column]
Batch = dict[str, np.ndarray]


def train_batches(
    arrays: Arrays,
    *,
    order: Order,
    batch_size: int,
    num_steps: int,
    process_index: int = 0,
    process_count: int = 1,
    num_threads: int = 0,
) -> grain.DatasetIterator[Batch]:
    """Iterator over the batches of steps 0 .. num_steps - 1, checkpointable by grain's handler.

    Args:
      arrays: name -> [N, ...].
      order: which of the N clips come in which step.
      batch_size: over all processes; each one gets its contiguous share of the global batch.
      num_threads: threads that gather ahead; 0 gathers in the caller's, fastest for data in memory.

    Returns:
      an iterator over dicts: the drawn rows of `arrays`, and `valid` [B] f32, all 1.

    Raises:
      InputError: the processes cannot share the batch evenly.
    """
    if batch_size < 1 or batch_size % process_count:
        raise InputError(
            f'train.batch_size: found {batch_size}, expected a multiple of {process_count}, '
            'the number of processes'
        )
    share = batch_size // process_count
    source = _BatchSource(
        arrays,
        order=order,
        batch_size=batch_size,
        share=slice(process_index * share, (process_index + 1) * share),
        num_steps=num_steps,
    )
    options = grain.ReadOptions(num_threads=num_threads, prefetch_buffer_size=2)
    return iter(grain.MapDataset.source(source).to_iter_dataset(options))


def eval_batches(arrays: Arrays, batch_size: int) -> Iterator[Batch]:
    """Batches of every clip once, in order; clip 0 with `valid` 0 fills the last one up.

    Args:
      arrays: name -> [N, ...].

    Yields:
      dicts of [batch_size, ...] with `valid` [batch_size] f32 added.
    """
    num_clips = len(arrays['label'])
    for start in range(0, num_clips, batch_size):
        rows = np.arange(start, start + batch_size)
        valid = rows < num_clips
        yield _gather(arrays, np.where(valid, rows, 0)) | {'valid': valid.astype(np.float32)}


class _BatchSource:
    """Random access to whole batches: item i is the batch of step i."""

    def __init__(
        self, arrays: Arrays, *, order: Order, batch_size: int, share: slice, num_steps: int
    ):
        self._arrays = dict(arrays)
        self._order = order
        self._batch_size = batch_size
        self._share = share
        self._num_steps = num_steps

    def __len__(self) -> int:
        return self._num_steps

    def __getitem__(self, index: int) -> Batch:
        rows = self._order.rows(int(index), self._batch_size)[self._share]
        return _gather(self._arrays, rows) | {'valid': np.ones(len(rows), np.float32)}

    def __repr__(self) -> str:
        return f'_BatchSource(batch_size={self._batch_size}, num_steps={self._num_steps})'


def _gather(arrays: Arrays, rows: np.ndarray) -> Batch:
    # Fresh arrays each time: a batch may still be on its way to the device.
    return {name: values[rows] for name, values in arrays.items()}
