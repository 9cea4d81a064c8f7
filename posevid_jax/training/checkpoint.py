"""Checkpoints: the state and the position in the data, in one atomic step.

Orbax writes them; this file says which to keep, how to name them, and what to do with damaged ones.
"""

import contextlib
import dataclasses
import math
import pathlib
import shutil
import sys
from collections.abc import Collection, Generator
from typing import Any, NamedTuple

import jax
import orbax.checkpoint as ocp
from etils import epath
from ml_collections import ConfigDict
from orbax.checkpoint import checkpoint_managers

from posevid_jax.errors import InputError
from posevid_jax.machine import processes
from posevid_jax.runs.checksums import damage, write_checksums
from posevid_jax.runs.files import read_json
from posevid_jax.training.state import Trained, TrainState
from posevid_jax.training.stored_state import filled, named, on_first_device

# Parts of a state that earlier versions did not keep, counts that were 0 then; and the file in
# which they kept the position in the data.
_CAME_LATER = ('skipped', 'bad_step')
_POSITION_OF_GRAIN = 'process_0-of-1.json'


class DoesNotFit(InputError):
    """A checkpoint of another state than the configuration describes."""


class Keep(NamedTuple):
    """Which checkpoints stay, beside the best one.

    Attributes:
      last: how many of the newest; with one, nothing is left when that one is damaged.
      every_steps: those at multiples of this; 0 for none.
    """

    last: int = 2
    every_steps: int = 0


def check(config: ConfigDict) -> None:
    """Raises InputError when a number of `config.checkpoint` is out of its range."""
    for key, least in (('every_steps', 0), ('keep_last', 2), ('keep_every_epochs', 0)):
        if config[key] < least:
            raise InputError(f'checkpoint.{key}: found {config[key]}, expected {least} or more')


class Checkpoints:
    """The folder `checkpoints` of a run."""

    def __init__(self, workdir: pathlib.Path, keep: Keep | None = None):
        """Opens the folder, creating it.

        Args:
          workdir: the run directory.
          keep: what stays when the next one is saved; None opens a folder that is only read.
            In a folder to write, damaged checkpoints are set aside with a warning.

        Raises:
          InputError: the folder cannot be made or read, or all that it holds is damaged.
        """
        self.directory = pathlib.Path(workdir).absolute() / 'checkpoints'
        self._saving = 0
        options = ocp.CheckpointManagerOptions(best_fn=_score, create=False)
        if keep is not None:
            options = self._write_options(keep)
        try:
            if keep is not None:
                self.directory.mkdir(parents=True, exist_ok=True)
                if processes.is_first():
                    self._set_damaged_aside()
                processes.wait_for_all('checkpoints')
            self._manager = ocp.CheckpointManager(self.directory, options=options)
        except (OSError, ValueError) as error:
            raise InputError(f'{self.directory}: cannot be used ({_reason(error)})') from None

    def _write_options(self, keep: Keep) -> ocp.CheckpointManagerOptions:
        policies = [
            checkpoint_managers.LatestN(keep.last),
            checkpoint_managers.BestN(
                get_metric_fn=_score, n=1, keep_checkpoints_without_metrics=False
            ),
        ]
        if keep.every_steps:
            policies.append(checkpoint_managers.EveryNSteps(keep.every_steps))
        return ocp.CheckpointManagerOptions(
            best_fn=_score,
            preservation_policy=checkpoint_managers.AnyPreservationPolicy(policies),
            cleanup_tmp_directories=True,  # what a killed process was writing
            async_options=ocp.AsyncOptions(post_finalization_callback=self._write_checksums),
        )

    def save(self, state: TrainState, data: Any, score: float | None) -> None:
        """Starts writing in the background.

        Args:
          state: copied to the host before this returns.
          data: the grain iterator.
          score: of the evaluation at this step, higher is better; None when there was none.

        Raises:
          InputError: this one, or the one before, cannot be written.
        """
        self.wait()
        self._saving = int(state.step)
        if jax.process_count() > 1:
            state = processes.on_host(state)  # Orbax takes no arrays that several processes copy
        with self._writing():
            self._manager.save(
                self._saving,
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(state), data=ocp.args.JsonSave(data.get_state())
                ),
                metrics={'score': -math.inf if score is None else score},
            )

    def resolve(self, which: str) -> int:
        """The step of `best`, `last` or a number.

        Raises:
          InputError: there is no such checkpoint.
        """
        steps = sorted(self._manager.all_steps())
        if not steps:
            raise InputError(f'{self.directory}: no checkpoint found; train the run first')
        if which == 'last':
            return steps[-1]
        if which == 'best':
            best = self._manager.best_step()
            return steps[-1] if best is None else best
        if which.isdigit() and int(which) in steps:
            return int(which)
        raise InputError(
            f'{self.directory}: no checkpoint {which!r}, expected best, last or one of '
            f'{", ".join(map(str, steps))}'
        )

    def last_step(self) -> int | None:
        """The step to resume from."""
        return self._manager.latest_step()

    def restore(self, step: int, abstract_state: TrainState, data: Any = None) -> TrainState:
        """Reads a checkpoint onto the first local device, wherever it was written.

        Args:
          step: from `resolve` or `last_step`.
          abstract_state: shapes and dtypes of the state.
          data: a grain iterator to set to the position of the checkpoint; None to leave data alone.

        Raises:
          InputError: the checkpoint is damaged or does not fit the state.
        """
        stored = self._stored(step, abstract_state, may_lack=_CAME_LATER)
        items: dict[str, Any] = {'state': ocp.args.StandardRestore(stored)}
        old_position = self.directory / str(step) / 'data' / _POSITION_OF_GRAIN
        if data is not None and not old_position.exists():
            items['data'] = ocp.args.JsonRestore()
        restored = self._read(step, items)
        if data is not None:
            position = read_json(old_position) if old_position.exists() else restored['data']
            data.set_state(position)
        return filled(abstract_state, restored['state'])

    def restore_trained(self, step: int, abstract: Trained) -> Trained:
        """`restore` of what is evaluated, whatever else the version that wrote it kept.

        Raises:
          InputError: as for `restore`.
        """
        stored = self._stored(step, abstract)
        parts = {f.name for f in dataclasses.fields(abstract)}
        target = {name: part for name, part in stored.items() if name in parts}
        arguments = ocp.args.PyTreeRestore(
            target, ocp.checkpoint_utils.construct_restore_args(target), partial_restore=True
        )
        return filled(abstract, self._read(step, {'state': arguments})['state'])

    def _stored(self, step: int, expected: Any, may_lack: Collection[str] = ()) -> dict[str, Any]:
        """The tree of shapes that a checkpoint holds, after a check that it is what is expected.

        Orbax too finds what does not fit, but in the middle of its reads, whose own errors then
        follow.

        Raises:
          InputError: the checkpoint is damaged.
          DoesNotFit: an array is missing, or has another shape.
        """
        folder = self.directory / str(step)
        wrong = damage(folder)
        if wrong:
            others = [str(other) for other in sorted(self._manager.all_steps()) if other != step]
            raise InputError(f'{wrong}; other checkpoints: {", ".join(others) or "none"}')
        try:
            stored = ocp.PyTreeCheckpointHandler().metadata(epath.Path(folder / 'state')).tree
        except (ValueError, KeyError, OSError) as error:
            raise InputError(f'{folder}: cannot be read ({_reason(error)})') from error
        found = {name: tuple(leaf.shape) for name, leaf in named(stored)}
        for name, leaf in named(expected):
            if found.get(name) != leaf.shape and (name in found or name not in may_lack):
                has = f'shape {found[name]}' if name in found else 'nothing'
                raise DoesNotFit(f'{folder}: {name}: found {has}, expected shape {leaf.shape}')
        return on_first_device(stored)

    def _read(self, step: int, items: dict[str, Any]) -> Any:
        try:
            return self._manager.restore(step, args=ocp.args.Composite(**items))
        except (ValueError, KeyError, FileNotFoundError) as error:
            raise InputError(
                f'{self.directory / str(step)}: does not restore ({_reason(error)}); '
                'expected the state that config.json of the run describes'
            ) from error

    def wait(self) -> None:
        """Returns when everything is on disk.

        Raises:
          InputError: it cannot be written.
        """
        with self._writing():
            self._manager.wait_until_finished()

    def close(self) -> None:
        """Waits and gives up the folder.

        Raises:
          InputError: what was being written cannot be.
        """
        with self._writing():
            self._manager.close()

    def __enter__(self) -> 'Checkpoints':
        return self

    def __exit__(self, kind: type | None, *_) -> None:
        """`close`, also after an error, so that a checkpoint that is on its way arrives."""
        if kind is None:
            self.close()
        elif jax.process_count() == 1:  # several would wait for each other
            with contextlib.suppress(InputError):  # there is an error to report already
                self.close()

    def _write_checksums(self) -> None:
        # Orbax calls this when all is written but the folder is not yet renamed.
        if not processes.is_first():
            return
        for folder in self.directory.glob(f'{self._saving}.orbax-checkpoint-tmp*'):
            write_checksums(folder)

    def _steps(self) -> list[int]:
        return sorted(int(path.name) for path in self.directory.iterdir() if path.name.isdigit())

    def _set_damaged_aside(self) -> None:
        """Renames what nobody can go on from, provided that something else is left."""
        wrong = {step: damage(self.directory / str(step)) for step in self._steps()}
        whole = [step for step, found in wrong.items() if found is None]
        if wrong and not whole:
            raise InputError(f'{wrong[max(wrong)]}; no other checkpoint is left to go on from')
        for step, found in wrong.items():
            if found:
                folder = self.directory / str(step)
                aside = folder.with_suffix('.damaged')
                shutil.rmtree(aside, ignore_errors=True)
                folder.rename(aside)
                print(
                    f'warning: {found}; set aside, the last good one is step {whole[-1]}',
                    file=sys.stderr,
                )

    @contextlib.contextmanager
    def _writing(self) -> Generator[None]:
        try:
            yield
        except Exception as error:  # of the file system, as Orbax or TensorStore pass it on
            good = self._steps()
            raise InputError(
                f'{self.directory}: the checkpoint of step {self._saving} cannot be written '
                f'({_reason(error)}); the last good one is {good[-1] if good else "none"}'
            ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _score(metrics: dict[str, float]) -> float:
    return metrics['score']
