"""Mode predict on clips: their probabilities, beside the run that found them."""

import pathlib

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data import source
from posevid_jax.data.clips import UNKNOWN_LABEL, Clips
from posevid_jax.data.contract import UNKNOWN_FRAME
from posevid_jax.data.npz import write_arrays
from posevid_jax.data.npz_file import NpzFile
from posevid_jax.errors import InputError
from posevid_jax.evaluation.table import Table
from posevid_jax.inference.restore import restore
from posevid_jax.machine.parallel import Parallel
from posevid_jax.runs import set_names
from posevid_jax.runs.files import write_text


def predict_run(config: ConfigDict, workdir: pathlib.Path, checkpoint: str = 'best') -> np.ndarray:
    """Predicts the clips of `config.data.test` with a checkpoint; they need no labels.

    Writes `workdir/predictions/<set>.csv` and `.npz`, one row per clip in the order of the set.

    Args:
      config: the run's, with overrides.
      workdir: the run directory.
      checkpoint: `best`, `last` or a step.

    Returns:
      class probabilities `[N, K]`.

    Raises:
      InputError: run, checkpoint or clips are missing or do not fit each other.
    """
    if not config.data.test:
        raise InputError('data.test: not given, expected clips, or recordings in prepare.landmarks')
    parallel = Parallel(config.parallel)
    parallel.check_batch_size('eval.batch_size', config.eval.batch_size)
    clips = source.load(config.data.test, config.data, labelled=False)
    run = restore(config, workdir, checkpoint)
    clips = run.conform(clips, config.data.test)
    run.warn_of_other_clips(clips, config.data.test)
    probs = run.predictor(parallel)(clips)
    columns = prediction_columns(clips, probs, run.threshold)
    folder, whence = workdir / 'predictions', set_names.whence(config.data.test)
    path = folder / f'{_name(folder, config.data.test, whence)}.csv'
    write_text(path, Table.of_columns(columns).csv())
    arrays = _arrays(clips, probs, columns, run.threshold) | {'source': np.array(whence)}
    write_arrays(path.with_suffix('.npz'), arrays)
    counts = np.bincount(columns['predicted'], minlength=clips.num_classes)
    found = ', '.join(f'{n} {name}' for name, n in zip(clips.class_names, counts, strict=True))
    print(f'{path}: {len(clips)} clips, predicted {found}')
    return probs


def _name(folder: pathlib.Path, path: str, whence: str) -> str:
    """A name for the predictions of a set that overwrites those of no other."""

    def source_of(name: str) -> str | None:
        archive = folder / f'{name}.npz'
        if not archive.exists():
            return None
        with NpzFile(archive) as file:
            return file.texts('source', 1)[0] if 'source' in file else ''

    return set_names.name_for(source.set_name(path), whence, source_of)


def prediction_columns(
    clips: Clips, probs: np.ndarray, threshold: float | None
) -> dict[str, np.ndarray]:
    """What there is to say about each clip, `[N]` arrays by column.

    `prob` is the probability of the gesture: of any of them, where there are several, which have a
    column each too. Labels are class numbers, as in `label` of the archive. Columns of which
    nothing is known for any clip are left out.

    Args:
      clips: the set, with the run's classes.
      probs: `[N, K]`.
      threshold: of the positive class; None takes the most probable class.
    """
    columns = {'row': np.arange(len(clips)), 'video_id': np.array(clips.video_ids)}
    if (clips.start_frame != UNKNOWN_FRAME).all():
        columns |= {
            'start_frame': clips.start_frame,
            'end_frame': clips.end_frame,
            'start_seconds': clips.start_frame / clips.fps.astype(np.float64),
            'end_seconds': (clips.end_frame + 1) / clips.fps.astype(np.float64),
        }
    if clips.labelled and (clips.label != UNKNOWN_LABEL).all():
        columns['label'] = clips.label
    columns['prob'] = 1 - probs[:, 0] if clips.num_classes > 2 else probs[:, 1]
    if clips.num_classes > 2:
        columns |= {f'prob_{name}': probs[:, k] for k, name in enumerate(clips.class_names)}
    several = threshold is None
    columns['predicted'] = (
        probs.argmax(1) if several else (probs[:, 1] >= threshold).astype(np.int64)
    )
    return columns


def _arrays(
    clips: Clips, probs: np.ndarray, columns: dict[str, np.ndarray], threshold: float | None
) -> dict[str, np.ndarray]:
    """The columns with all their digits, `probs` and what explains them."""
    own = {key: value for key, value in columns.items() if not key.startswith('prob_')}
    known = {} if threshold is None else {'threshold': np.array(threshold, np.float64)}
    return own | known | {'probs': probs, 'class_names': np.array(clips.class_names)}
