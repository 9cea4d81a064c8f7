"""A training that starts from what an earlier run learned, `model.pretrained=RUN`.

At step 0 it is that run: its parameters, and what its features are measured against. Videos stay on
the side of the split on which that run had them, so that nothing is validated on what was learned.
"""

import dataclasses
import pathlib

import jax
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.splits import Sides
from posevid_jax.errors import InputError
from posevid_jax.models import families
from posevid_jax.runs import split
from posevid_jax.runs.config import differences, read_config
from posevid_jax.runs.files import read_json
from posevid_jax.training.checkpoint import Checkpoints, DoesNotFit
from posevid_jax.training.state import Trained

# Keys that are decided by the clips when a run is started, and then stay.
_DECIDED_BY_CLIPS = ('depth', 'mirror')


@dataclasses.dataclass(frozen=True)
class EarlierRun:
    """The run to start from.

    Attributes:
      workdir: its directory.
      config: its configuration.
    """

    workdir: pathlib.Path
    config: ConfigDict

    @property
    def sides(self) -> Sides:
        """Which videos it was trained on, and which it was validated on.

        Raises:
          InputError: it does not say.
        """
        known = split.read(self.workdir)
        if known is None:
            raise InputError(
                f'{self.workdir / split.FILE}: not found, expected the videos that the run was '
                'validated on, which its version did not record; data.val says what to validate on'
            )
        return known

    def decided(self, config: ConfigDict) -> ConfigDict:
        """A configuration in which what was left to the clips is as the run had it."""
        config = config.copy_and_resolve_references()
        for key in _DECIDED_BY_CLIPS:
            if config.features[key] == 'auto':
                config.features[key] = self.config.features[key]
        return config

    def check(self, config: ConfigDict, clips: Clips) -> None:
        """Checks that clips are to the run what its own were.

        Args:
          config: of now, adapted to the clips.
          clips: those to train on.

        Raises:
          InputError: other features, or features, joints or classes of other names.
        """
        found = differences(self.workdir, config, ('features',))
        if found:
            key, (before, now) = next(iter(found.items()))
            raise InputError(f'{key}: found {now!r}, expected {before!r} as in {self.workdir}')
        known, spec = read_json(self.workdir / 'scaler.json'), families.input_spec(config)
        read = {
            'feature_names': spec.reads_archive,
            'joint_names': spec.reads_joints,
            'class_names': True,
        }
        for key in (key for key, is_read in read.items() if is_read):
            now, before = list(getattr(clips, key)), known[key]
            if now != before:
                raise InputError(
                    f'{config.data.train}: {key}: found {", ".join(now[:4])} ({len(now)}), '
                    f'expected {", ".join(before[:4])} ({len(before)}) as in {self.workdir}'
                )

    def trained(self, abstract: Trained) -> Trained:
        """What its best checkpoint holds, with the evaluated parameters as parameters.

        Args:
          abstract: shapes and dtypes of what is to be trained.

        Raises:
          InputError: no checkpoint, or one of a model of other sizes.
        """
        averaged = self.config.train.ema_decay > 0
        stored = abstract.replace(ema=abstract.params if averaged else {})
        try:
            with Checkpoints(self.workdir) as checkpoints:
                found = checkpoints.restore_trained(checkpoints.resolve('best'), stored)
        except DoesNotFit as error:
            raise InputError(
                f'model.pretrained: {error}: another model than {self.workdir}'
            ) from None
        found = jax.device_get(found)
        params = found.variables['params']
        return found.replace(params=params, ema=params if abstract.ema else {})

    def told(self, start: Trained, val: Clips) -> str:
        """What a person should know, in a line, of what is started from and validated on."""
        ids, known = set(val.video_ids), split.read(self.workdir) or Sides()
        return (
            f'starts from {self.workdir}, step {int(start.step)}; of the {len(ids)} videos to '
            f'validate on, {len(ids & known.val)} validated that run too'
        )


def run_of(config: ConfigDict) -> EarlierRun | None:
    """The run that `model.pretrained` names; None where it is a file of weights, or ''.

    Raises:
      InputError: a directory that is no single run.
    """
    path = pathlib.Path(config.model.pretrained)
    if not config.model.pretrained or not path.is_dir():
        return None
    for name in ('config.json', 'scaler.json'):
        if not (path / name).exists():
            raise InputError(
                f'model.pretrained: {path}: found no {name}, expected the directory of a single '
                'run, or a file of weights'
            )
    return EarlierRun(path, read_config(path))
