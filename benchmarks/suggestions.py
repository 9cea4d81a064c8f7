"""What suggestions are worth: labels revealed as they are asked for, judged on other videos.

    python -m benchmarks.suggestions --config=configs/stat_pool.py:clip \
        --config.data.train=$CLIPS/train_clips.npz [--draws=5] [--folds=3]

The clips of all folds but one are the pool, and those of the one judge. A quarter of the pool's
clips, as whole videos drawn at random, have labels at first. Then come further whole videos at
random, stretches at random, or those that `--mode=suggest` would choose (in two rounds, with a
training between them), until so many of the clips have labels. A stretch is three clips that follow
each other.
"""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
from absl import app, flags
from ml_collections import ConfigDict, config_flags

from posevid_jax.data.clips import Clips
from posevid_jax.evaluation import intervals, metrics
from posevid_jax.evaluation.members import mean_logits
from posevid_jax.inference import labelling
from posevid_jax.inference.labelling import Cut, Stretch
from posevid_jax.machine.interrupt import Interrupt
from posevid_jax.machine.parallel import Parallel
from posevid_jax.machine.progress import Progress
from posevid_jax.modes import cv
from posevid_jax.training import experiment as experiments
from posevid_jax.training.fold_trainer import FoldTrainer

_CONFIG = config_flags.DEFINE_config_file('config', 'configs/stat_pool.py:clip')
_DRAWS = flags.DEFINE_integer('draws', 5, 'Which videos have labels at first, so many times.')
_FOLDS = flags.DEFINE_integer('folds', 3, 'Folds of videos.')

_CLIPS = 3  # of a stretch
_FIRST, _HALF, _MORE = 0.25, 0.5, 0.75
_ROUNDS = (0.375, _HALF)  # after which it is trained again

Judge = Callable[[np.ndarray, float], np.ndarray]
"""From labelled clips, and the share of the pool that they are, to [N] probabilities."""


@dataclasses.dataclass(frozen=True, eq=False)
class Pool:
    """The stretches of a fold's pool.

    Attributes:
      clips: of each of S stretches, their rows.
      video: [S] which video a stretch is of.
    """

    clips: list[np.ndarray]
    video: np.ndarray

    @property
    def size(self) -> int:
        return sum(map(len, self.clips))

    def rows(self, stretches: list[int]) -> np.ndarray:
        return np.sort(np.concatenate([self.clips[s] for s in stretches]))

    def until(self, order: Iterator[int] | np.ndarray, share: float, known: list[int]) -> list[int]:
        """`known` and as many of an order of stretches as make a share of the pool's clips."""
        found = list(known)
        have = sum(len(self.clips[s]) for s in found)
        for s in order:
            if have >= share * self.size:
                break
            if s not in known:
                found.append(int(s))
                have += len(self.clips[s])
        return found


def main(_):
    config = _CONFIG.value.copy_and_resolve_references()
    config.cv.folds, config.cv.seeds = _FOLDS.value, 1
    plan, config = cv.make_plan(config)
    clips, judge = plan.clips, _judge(plan.clips, config)
    draws: list[dict[str, np.ndarray]] = []
    for draw in range(_DRAWS.value):
        arms: dict[str, np.ndarray] = {}
        for fold in range(_FOLDS.value):
            pool = _pool(clips, np.flatnonzero(plan.fold != fold))

            rng = np.random.default_rng([draw, fold])
            held_out = plan.fold == fold
            for name, prob in _arms(pool, judge, rng):
                arms.setdefault(name, np.zeros(len(clips)))[held_out] = prob[held_out]
        draws.append(arms)
        print(f'draw {draw + 1}: {_line(_areas(clips.label, [arms]))}', flush=True)
    _tell(clips.label, plan.group, draws)


def _judge(clips: Clips, config: ConfigDict) -> Judge:
    """Trains on some of the clips, and judges all of them."""
    trainers: dict[float, FoldTrainer] = {}
    parallel = Parallel(config.parallel)
    pool = len(clips) * (_FOLDS.value - 1) / _FOLDS.value

    def judge(rows: np.ndarray, share: float) -> np.ndarray:
        steps = -(-round(share * pool) // config.train.batch_size)
        experiment = experiments.assemble(config, clips.select(rows), clips, steps)
        if share not in trainers:  # the schedule is part of the program
            trainers[share] = FoldTrainer(experiment, parallel)
        progress = Progress(step=0, total=experiment.total_steps, batch_size=1)
        with Interrupt() as interrupt:
            trained = trainers[share].train(experiment, progress, 0, interrupt)
        if trained is None:
            raise SystemExit('stopped')
        return metrics.probabilities(mean_logits(trained.clips(clips)))[:, 1]

    return judge


def _pool(clips: Clips, rows: np.ndarray) -> Pool:
    order = rows[np.lexsort((clips.start_frame[rows], clips.video[rows]))]
    stretches = [
        own[k : k + _CLIPS]
        for video in np.unique(clips.video[rows])
        for own in [order[clips.video[order] == video]]
        for k in range(0, len(own), _CLIPS)
    ]
    return Pool(stretches, np.array([clips.video[of[0]] for of in stretches]))


def _arms(pool: Pool, judge: Judge, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Each way to choose, and what a classifier says that learned from what was chosen."""
    count = len(pool.video)
    videos = rng.permutation(np.unique(pool.video))
    by_video = np.concatenate([np.flatnonzero(pool.video == video) for video in videos])
    first = pool.until(by_video, _FIRST, [])
    at_first = judge(pool.rows(first), _FIRST)
    yield 'a quarter', at_first
    at_random = rng.permutation(count)
    for share, name in ((_HALF, 'half'), (_MORE, 'three quarters')):
        yield (
            f'{name}, whole videos at random',
            judge(pool.rows(pool.until(by_video, share, first)), share),
        )
        yield (
            f'{name}, stretches at random',
            judge(pool.rows(pool.until(at_random, share, first)), share),
        )
    known, prob = first, at_first
    for share in _ROUNDS:
        known = pool.until(_suggested(pool, known, prob), share, known)
        prob = judge(pool.rows(known), share)
    yield 'half, suggested', prob


def _suggested(pool: Pool, known: list[int], prob: np.ndarray) -> list[int]:
    """All other stretches, in the order of `labelling.choose`."""
    doubt = np.minimum(prob, 1 - prob)
    numbers, recording = np.unique(pool.video, return_inverse=True)
    cuts = [
        Cut(
            [
                Stretch(k, s, s + 1, float(len(pool.clips[s])), float(doubt[pool.clips[s]].sum()))
                for s in np.flatnonzero(recording == k).tolist()
                if s not in known
            ],
            sum(recording[s] == k for s in known),
        )
        for k in range(len(numbers))
    ]
    return [one.start for one in labelling.choose(cuts, np.inf)]


def _areas(label: np.ndarray, draws: list[dict[str, np.ndarray]]) -> dict[str, float]:
    """ROC-AUC of each way, the mean over draws."""
    return {
        name: float(np.mean([metrics.ranking(label == 1, arms[name]).roc_auc for arms in draws]))
        for name in draws[0]
    }


def _tell(label: np.ndarray, group: np.ndarray, draws: list[dict[str, np.ndarray]]):
    def numbers(rows: np.ndarray) -> dict[str, float | None]:
        areas = _areas(label[rows], [{k: v[rows] for k, v in arms.items()} for arms in draws])
        suggested = areas['half, suggested']
        return areas | {f'suggested - {name}': suggested - area for name, area in areas.items()}

    found = numbers(np.arange(len(label)))
    drawn = intervals.bootstrap(numbers, group, samples=1000, seed=0)
    spread = {name: np.std([_areas(label, [arms])[name] for arms in draws]) for name in draws[0]}
    print(f'ROC-AUC of {len(label)} clips, mean of {len(draws)} draws [95 %, over videos]')
    for name, value in found.items():
        between = f', between draws {spread[name]:.4f}' if name in spread else ''
        print(f'{name:45s} {value:+.4f} {drawn[name]}{between}')


def _line(areas: dict[str, float]) -> str:
    return ', '.join(f'{name} {area:.4f}' for name, area in areas.items())


if __name__ == '__main__':
    app.run(main)
