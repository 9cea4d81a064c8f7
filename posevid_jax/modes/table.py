"""The modes of the program: each has a file, and a row of this table, which says what it needs.

A mode is added by its file, a row here, and its section of the configuration, if it has one.
"""

import dataclasses
import importlib
import pathlib
from collections.abc import Callable
from typing import Any

from ml_collections import ConfigDict


@dataclasses.dataclass(frozen=True)
class Call:
    """What a command line says.

    Attributes:
      config: the whole configuration, with overrides.
      workdir: `--workdir`, or None.
      checkpoint: `--checkpoint`.
      paths: what stands on the command line beside flags.
    """

    config: ConfigDict
    workdir: pathlib.Path | None
    checkpoint: str
    paths: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mode:
    """A row of the table.

    Attributes:
      help: what it does, for `--help`.
      function: `module:function` under `posevid_jax.modes`, imported when the mode is called.
      arguments: fields of `Call` that the function takes, in its order.
      needs_workdir: whether `--workdir` must be given.
      needs_config: whether `--config` must be given where `--workdir` holds none; without it, the
        defaults serve.
      sections: of the configuration, those that are this mode's own.
      on_devices: whether it computes with JAX: several processes may then do so together.
      keeps_programs: whether compiled programs are worth keeping for the next start.
    """

    help: str
    function: str
    arguments: tuple[str, ...]
    needs_workdir: bool = False
    needs_config: bool = True
    sections: tuple[str, ...] = ()
    on_devices: bool = True
    keeps_programs: bool = False

    @property
    def takes_paths(self) -> bool:
        return 'paths' in self.arguments

    def load(self) -> Callable[..., Any]:
        """The function, imported now."""
        module, _, name = self.function.partition(':')
        return getattr(importlib.import_module(f'posevid_jax.modes.{module}'), name)

    def __call__(self, call: Call) -> Any:
        return self.load()(*(getattr(call, name) for name in self.arguments))


_RUN = ('config', 'workdir', 'checkpoint')

MODES = {
    'train': Mode(
        help='train, or go on, and evaluate the best checkpoint',
        function='train:train',
        arguments=('config', 'workdir'),
        sections=('checkpoint',),
        keeps_programs=True,
    ),
    'eval': Mode(
        help='evaluate a run on labelled clips',
        function='eval:evaluate_run',
        arguments=_RUN,
        needs_workdir=True,
        sections=('eval',),
        keeps_programs=True,
    ),
    'predict': Mode(
        help='probabilities of clips, or the events in recordings',
        function='predict:predict',
        arguments=_RUN,
        needs_workdir=True,
        sections=('predict',),
        keeps_programs=True,
    ),
    'suggest': Mode(
        help='what to label next in recordings, and the pages to label it on',
        function='suggest:suggest',
        arguments=_RUN,
        needs_workdir=True,
        sections=('suggest',),
        keeps_programs=True,
    ),
    'stream': Mode(
        help='frames as JSON lines in, probabilities and events out',
        function='stream:stream',
        arguments=_RUN,
        needs_workdir=True,
    ),
    'export': Mode(
        help='a run as a program that needs JAX alone',
        function='export:export_run',
        arguments=_RUN,
        needs_workdir=True,
    ),
    'cv': Mode(
        help='cross-validation by video',
        function='cv:cross_validate',
        arguments=('config', 'workdir'),
        sections=('cv',),
        keeps_programs=True,
    ),
    'baseline': Mode(
        help='what a forest and MiniRocket say on the clips and folds of cv',
        function='baseline:compare_baselines',
        arguments=('config', 'workdir'),
        keeps_programs=True,
    ),
    'ensemble': Mode(
        help='several runs as one',
        function='ensemble:join_runs',
        arguments=_RUN,
        needs_workdir=True,
        needs_config=False,
        sections=('ensemble',),
    ),
    'probe': Mode(
        help='the largest batch that a GPU holds',
        function='probe:probe',
        arguments=('config', 'workdir'),
        needs_workdir=True,
        sections=('probe',),
    ),
    'bench': Mode(
        help='what a step, the loader or a stream costs',
        function='bench:bench',
        arguments=('config', 'workdir'),
        sections=('bench',),
    ),
    'prepare': Mode(
        help='landmark files or videos, and labels, to clips',
        function='prepare:prepare',
        arguments=('config',),
        sections=('prepare',),
        on_devices=False,
    ),
    'inspect': Mode(
        help='what is in sets of clips, and what they share',
        function='inspect:inspect',
        arguments=('config', 'paths', 'workdir'),
        needs_config=False,
        on_devices=False,
    ),
    'compare': Mode(
        help='runs side by side on the clips that both were evaluated on',
        function='compare:compare',
        arguments=('config', 'paths', 'workdir'),
        needs_config=False,
        on_devices=False,
    ),
}

COMMON_SECTIONS = ('name', 'compilation_cache')
"""Keys of the configuration that are no mode's own and shape no training."""
