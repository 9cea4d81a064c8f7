"""Events in recordings by a network over whole recordings, beside a finished cross-validation.

    pip install torch lightning && pip install --no-deps lightning-action
    python -m benchmarks.events_peer --workdir=runs/cv

The peer is the dilated temporal convolution network of `lightning-action`
(https://github.com/paninski-lab/lightning-action): its class `DilatedTCN` and a linear layer, in a
plain loop of AdamW, one recording a step. The package's own training reads folders of CSV files and
has a fixed split and sequences of one length, so neither the folds nor the frames here. It goes in
without its dependencies because it asks for NVIDIA DALI, which only its models of videos use.

`--workdir` holds a cross-validation with recordings (`--mode=cv` with `prepare.landmarks`), of runs
with `features.source=body`. The peer reads the same features of each frame, of whole recordings,
with a 1 beside each that is observed. It is trained on the recordings of the other folds, and its
events are made in the same ways (`posevid_jax.inference.event_ways`) and judged by the same
measures. One table has both, then come the differences on the same draws of recordings.
"""

import pathlib
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np
import torch
from absl import app, flags, logging
from lightning_action.models.heads.tcn import DilatedTCN
from ml_collections import ConfigDict
from torch import nn

from posevid_jax.data import source, typical
from posevid_jax.errors import InputError
from posevid_jax.evaluation import events_comparison, segmentation, segmentation_report
from posevid_jax.evaluation.events_comparison import JudgedEvents
from posevid_jax.evaluation.prepare_report import Report
from posevid_jax.evaluation.segmentation_results import (
    ONE_EVENT_EACH,
    PastCrossValidation,
    Segmentation,
)
from posevid_jax.evaluation.segments import SegmentedRecording
from posevid_jax.features import body
from posevid_jax.inference import event_ways
from posevid_jax.inference.clip_form import ClipForm
from posevid_jax.inference.event_ways import FrameProbabilities
from posevid_jax.inference.recordings import LabelledRecording
from posevid_jax.modes import read_recordings
from posevid_jax.modes.command_line import with_one_line_errors
from posevid_jax.runs.config import read_config
from posevid_jax.runs.files import read_json, read_record

_WORKDIR = flags.DEFINE_string('workdir', None, 'A cross-validation with recordings.')
_EPOCHS = flags.DEFINE_integer('epochs', 20, 'Passes over the recordings.')
_UNITS = flags.DEFINE_integer('units', 32, 'Hidden units of a layer.')
_LAYERS = flags.DEFINE_integer('layers', 4, 'Layers, each with twice the dilation of the last.')
_LAGS = flags.DEFINE_integer('lags', 2, 'A kernel has so many frames on either side.')
_WAYS = flags.DEFINE_multi_enum(
    'way', ['as configured', 'durations'], list(event_ways.WAYS), 'To make events; again for more.'
)
_PEER = 'tcn'


class Frames(NamedTuple):
    """A recording of T frames as the peer reads it.

    Attributes:
      x: [T, F] f32, features, 0 where missing.
      observed: [T, F] bool.
      label: [T] class numbers, UNKNOWN_LABEL where unknown.
    """

    x: np.ndarray
    observed: np.ndarray
    label: np.ndarray


def main(argv: list[str]) -> None:
    logging.set_verbosity(logging.WARNING)
    workdir = pathlib.Path(_WORKDIR.value)
    config = read_config(workdir)
    fold = _folds(workdir, config.cv.folds)
    found, class_names = recordings(config, fold)
    frames = {name: _features(of, config.features) for name, of in found.items()}
    probs: dict[str, FrameProbabilities] = {}
    for k in sorted(set(fold.values())):
        started = time.monotonic()
        model = Peer([frames[name] for name in frames if fold[name] != k], len(class_names))
        for name in frames:
            if fold[name] == k:
                probs[name] = FrameProbabilities(
                    model(frames[name]), frames[name].label, found[name].recording.fps, None
                )
        print(f'fold {k + 1}: {time.monotonic() - started:.1f} s', flush=True)
    ours = read_record(PastCrossValidation, workdir / 'cv' / 'events.json').ways
    theirs = judge(config, found, probs, fold, ours, class_names)
    model_name = config.model.name
    columns = {f'{model_name}, {way}': ours[way] for way in theirs}
    columns |= {f'{_PEER}, {way}': of.found for way, of in theirs.items()}
    title = f'Events in {len(probs)} recordings{segmentation_report.drawn(ours[_WAYS.value[0]])}'
    print('\n'.join(segmentation_report.table(title, columns).lines()))
    for way, of in theirs.items():
        runs = {model_name: JudgedEvents(ours[way], ours[ONE_EVENT_EACH]), _PEER: of}
        _, *gains = events_comparison.tables(
            way, runs, samples=config.eval.bootstrap, seed=config.seed
        )
        print('\n'.join(line for table in gains for line in table.lines()))


def _folds(workdir: pathlib.Path, count: int) -> dict[str, int]:
    """The fold that held each recording out, by its name."""
    paths = [workdir / 'cv' / f'fold_{k + 1}_recordings.json' for k in range(count)]
    return {name: k for k, path in enumerate(paths) for name in read_json(path)['frames']}


def recordings(
    config: ConfigDict, fold: Mapping[str, int]
) -> tuple[dict[str, LabelledRecording], tuple[str, ...]]:
    """The recordings of the folds at the rate of the training clips, and the names of classes."""
    clips = source.load(config.data.train, config.data)
    form = ClipForm(
        whose=config.data.train,
        num_frames=clips.features.shape[1],
        subclip=None,
        context=0,
        joint_names=clips.joint_names,
        feature_names=(),
        class_names=clips.class_names,
        typical=typical.describe(clips),
    )
    read = read_recordings.read(config.prepare, form, Report())
    found = {of.recording.name: of for of in read if of.recording.name in fold}
    if missing := fold.keys() - found.keys():
        raise InputError(
            f'prepare.landmarks: {config.prepare.landmarks} lacks {min(missing)}, expected the '
            'recordings of the cross-validation'
        )
    return found, clips.class_names


def _features(of: LabelledRecording, config: ConfigDict) -> Frames:
    """Of a whole recording, as of a clip of its length; sizes are powers of 2, few to compile."""
    recording = of.recording
    count = len(recording.time)
    padded = np.full((1 << (count - 1).bit_length(), *recording.joints.shape[1:]), np.nan)
    padded[:count] = recording.joints
    mask = np.isfinite(padded).all(-1)
    batch = {
        'skeleton': np.where(mask[..., None], padded, 0)[None].astype(np.float32),
        'skeleton_mask': mask[None],
        'aspect': np.full(1, recording.aspect, np.float32),
        'fps': np.full(1, recording.fps, np.float32),
    }
    x, observed = _compute(
        batch, recording.joint_names, config.scale_frames, tuple(config.leave_out)
    )
    assert of.label is not None  # of recordings that were judged
    return Frames(
        np.asarray(x)[0, :count], np.asarray(observed)[0, :count], of.label.astype(np.int64)
    )


_compute = jax.jit(body.features, static_argnums=(1, 2, 3))


class Peer:
    """The network, trained; from a recording to the class probabilities [T, K] of its frames."""

    def __init__(self, recordings: Sequence[Frames], classes: int):
        """Trains it; frames without a label have no loss."""
        observed = np.concatenate([of.observed for of in recordings])
        x = np.ma.masked_array(np.concatenate([of.x for of in recordings]), ~observed)
        self._mean, self._deviation = x.mean(0).filled(0), np.maximum(x.std(0).filled(1), 1e-6)
        torch.manual_seed(0)
        size = 2 * len(self._mean)
        tcn = DilatedTCN(size, _UNITS.value, _LAYERS.value, num_lags=_LAGS.value, seed=0)
        self._network = nn.Sequential(tcn, nn.Linear(_UNITS.value, classes))
        optimiser = torch.optim.AdamW(self._network.parameters(), lr=1e-3)
        loss = nn.CrossEntropyLoss(ignore_index=-1)
        inputs = [(self._input(of), torch.from_numpy(of.label)) for of in recordings]
        inputs = [(x, label) for x, label in inputs if (label >= 0).any()]
        rng = np.random.default_rng(0)
        for _ in range(_EPOCHS.value):
            for n in rng.permutation(len(inputs)):
                optimiser.zero_grad()
                loss(self._network(inputs[n][0])[0], inputs[n][1]).backward()
                optimiser.step()
        self._network.eval()

    def __call__(self, of: Frames) -> np.ndarray:
        with torch.no_grad():
            return self._network(self._input(of))[0].softmax(-1).double().numpy()

    def _input(self, of: Frames) -> torch.Tensor:
        """[1, T, 2 F]."""
        x = np.where(of.observed, (of.x - self._mean) / self._deviation, 0)
        return torch.from_numpy(np.concatenate([x, of.observed], 1).astype(np.float32))[None]


def judge(
    config: ConfigDict,
    found: Mapping[str, LabelledRecording],
    probs: Mapping[str, FrameProbabilities],
    fold: Mapping[str, int],
    ours: Mapping[str, Segmentation],
    class_names: Sequence[str],
) -> dict[str, JudgedEvents]:
    """By way; whatever decides about events is chosen on the recordings of the other folds."""
    order = [of.name for of in next(iter(ours.values())).by_recording]
    group = {of.name: of.group for of in next(iter(ours.values())).by_recording}
    results = {}
    for way in _WAYS.value:
        judged: dict[str, SegmentedRecording] = {}
        for k in sorted(set(fold.values())):
            others = [of for name, of in probs.items() if fold[name] != k]
            chosen = event_ways.WAYS[way](config.predict, others)
            for name in (name for name in probs if fold[name] == k):
                time, fps = found[name].recording.time, found[name].recording.fps
                seconds = np.append(time, time[-1] + 1 / fps)
                label = chosen.segment(probs[name])
                judged[name] = SegmentedRecording(probs[name].label, label, seconds, name)
        of_all = segmentation.evaluate(
            [judged[name] for name in order],
            class_names,
            overlaps=config.predict.overlaps,
            samples=config.eval.bootstrap,
            seed=config.seed,
            group=[group[name] for name in order],
        )
        results[way] = JudgedEvents(of_all, ours[ONE_EVENT_EACH])
    return results


if __name__ == '__main__':
    flags.mark_flag_as_required('workdir')
    app.run(with_one_line_errors(main))
