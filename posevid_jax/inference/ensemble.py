"""Several runs as one: the weighted mean of their calibrated logits."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jax import Array
from ml_collections import ConfigDict

from posevid_jax.data.clips import Clips
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.data.mapped import Column
from posevid_jax.data.source_columns import are_numbered
from posevid_jax.errors import InputError
from posevid_jax.evaluation.calibration import Calibration
from posevid_jax.evaluation.combination import Combination
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.features.columns import CONTEXT
from posevid_jax.inference.recordings import FrameJudge
from posevid_jax.inference.single import SingleRun
from posevid_jax.inference.trained_run import TrainedRun
from posevid_jax.machine.parallel import Parallel
from posevid_jax.runs import split, training_clips
from posevid_jax.runs.config import read_config
from posevid_jax.runs.directory import read_decision
from posevid_jax.runs.files import read_json

ENSEMBLE = 'ensemble.json'
"""The file by which such a directory is known: its members, their weights and calibrations."""


@dataclasses.dataclass(frozen=True)
class EnsembleRun(TrainedRun):
    """The runs in `members/`, each a run directory, and what becomes of their logits.

    Attributes:
      members: by name.
      combination: of their logits, in the same order.
    """

    members: dict[str, SingleRun]
    combination: Combination

    @classmethod
    def restore(cls, config: ConfigDict, workdir: pathlib.Path, checkpoint: str) -> 'EnsembleRun':
        """Reads the members.

        Args:
          config: of the directory.
          workdir: the directory.
          checkpoint: of each member; as it is written, one has a single one.

        Raises:
          InputError: a file is missing or damaged, or the members do not fit each other.
        """
        path = workdir / ENSEMBLE
        about = read_json(path)
        try:
            records = {record['name']: record for record in about['members']}
            combination = Combination(
                tuple(Calibration(**record['calibration']) for record in records.values()),
                tuple(float(record['weight']) for record in records.values()),
            )
        except (KeyError, TypeError, ValueError):
            raise InputError(
                f'{path}: expected members, each with name, weight and calibration'
            ) from None
        members = {}
        for name in records:
            folder = workdir / 'members' / name
            own = read_config(folder)
            own.eval.batch_size = config.eval.batch_size
            members[name] = SingleRun.restore(own, folder, checkpoint)
        decision = read_decision(workdir, config.eval.calibration)
        return cls(config, workdir, decision, common_inputs(members), members, combination)

    @property
    def step(self) -> int:
        return max(member.step for member in self.members.values())

    @property
    def reads_features(self) -> bool:
        return any(member.reads_features for member in self.members.values())

    @property
    def context(self) -> int:
        return max(member.context for member in self.members.values())

    @property
    def clip_frames(self) -> int:
        return max(member.clip_frames for member in self.members.values())

    def arrays(self, clips: Clips) -> dict[str, Column]:
        arrays = {}
        for member in sorted(self.members.values(), key=lambda run: run.context):
            arrays |= member.arrays(clips)  # the longest context last
        return arrays

    def z_scored(self, batch: Mapping[str, Array]) -> tuple[Array, Array]:
        return _measured(self.members).z_scored(batch)

    def logits(self, parallel: Parallel) -> Callable[[Clips], np.ndarray]:
        each = [member.logits(parallel) for member in self.members.values()]
        return lambda clips: self.combination([mean_logits(logits(clips)) for logits in each])

    def frame_judge(self, parallel: Parallel) -> FrameJudge:
        each = [member.frame_judge(parallel) for member in self.members.values()]

        def judge(recordings: Sequence[Recording]) -> list[np.ndarray]:
            found = zip(*(of_member(recordings) for of_member in each), strict=True)
            return [self.combination(logits) for logits in found]

        return judge

    def logits_of_batch(self) -> Callable[[Mapping[str, Array]], Array]:
        """The batch has one `video_mean`, of one list of features.

        Raises:
          InputError: members measure different features against the video.
        """
        measured = {tuple(member.inputs['scaled_names']) for member in _by_video(self.members)}
        if len(measured) > 1:
            raise InputError(
                f'{self.workdir}: features.zscore: found per_video of different features in its '
                'members, expected the same features, or another z-score, to be one program'
            )
        each = [(member, member.logits_of_batch()) for member in self.members.values()]
        return lambda batch: self.combination(
            [logits(self._context_of(member, batch)) for member, logits in each]
        )

    def validation_clips(self) -> Clips:
        """As of a run, where all members have the same.

        Raises:
          InputError: they have not, or the clips cannot be read.
        """
        found = {_validated_on(member) for member in self.members.values()}
        if len(found) > 1:
            raise InputError(
                f'data.test: not given, and the members of {self.workdir} were validated on '
                'different clips; expected clips'
            )
        return next(iter(self.members.values())).validation_clips()

    def count_trained_on(self, clips: Clips) -> int:
        return max(member.count_trained_on(clips) for member in self.members.values())

    def check_stream(self) -> None:
        late = [name for name, member in self.members.items() if member.context]
        if late:
            raise InputError(
                f'{self.workdir}: features.context: found {self.members[late[0]].context} in '
                f'{late[0]}, expected 0 in every member: a stream has no frames after the clip'
            )

    def _context_of(self, member: SingleRun, batch: Mapping[str, Array]) -> Mapping[str, Array]:
        """The batch with as many frames around the clips as a member reads."""
        cut = self.context - member.context
        if not cut:
            return batch
        return {
            name: value[:, cut : value.shape[1] - cut] if name in CONTEXT.values() else value
            for name, value in batch.items()
        }


def _validated_on(run: SingleRun) -> tuple[Any, ...]:
    """What decides which clips a run was validated on."""
    data, workdir = run.config.data, run.workdir
    if data.val:
        return data.val, data.prefix
    went_on = (workdir / training_clips.EARLIER_FILE).exists()
    known = split.read(workdir) if went_on else None
    return '', data.prefix, data.train, data.val_fraction, run.config.seed, known


def common_inputs(members: Mapping[str, SingleRun]) -> dict[str, Any]:
    """What all members together expect of clips, as in scaler.json.

    Raises:
      InputError: they read different features or joints, or have other classes or lengths of clips.
    """
    inputs: dict[str, Any] = {'scaled_names': _measured(members).inputs['scaled_names']}
    for key in ('class_names', 'num_frames', 'joint_names', 'feature_names'):
        known = {
            name: member.inputs[key]
            for name, member in members.items()
            if member.inputs[key] and (key != 'feature_names' or member.reads_features)
        }
        if key == 'class_names':  # names of their own first; numbers fit any names, if as many
            known = dict(sorted(known.items(), key=lambda item: are_numbered(item[1])))
        first = next(iter(known), '')
        inputs[key] = known.get(first, [])
        for name, found in known.items():
            numbered = key == 'class_names' and are_numbered(found)
            if found != inputs[key] and not (numbered and len(found) == len(inputs[key])):
                raise InputError(
                    f'{name}: {key}: found {_brief(found)}, expected {_brief(inputs[key])} as in '
                    f'{first}'
                )
    return inputs


def _brief(names: list[str] | int) -> str:
    if isinstance(names, int):
        return str(names)
    return f'{len(names)} ({", ".join(names[:4])}{", ..." if len(names) > 4 else ""})'


def _by_video(members: Mapping[str, SingleRun]) -> list[SingleRun]:
    return [run for run in members.values() if run.config.features.zscore == 'per_video']


def _measured(members: Mapping[str, SingleRun]) -> SingleRun:
    """The member whose features are measured against the video; any where none are."""
    return next(iter(_by_video(members)), next(iter(members.values())))
