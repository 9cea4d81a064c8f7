"""Clips, logits and records that tests of evaluation share."""

import contextlib
import dataclasses

import numpy as np

from posevid_jax.data import clips as contract
from posevid_jax.data.clips import Clips
from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.data.synthetic import make_clips
from posevid_jax.evaluation import drawing, metrics
from posevid_jax.evaluation.decision import Choice, Threshold
from posevid_jax.evaluation.results import Assessment, Epoch, EpochScores, Evaluation
from posevid_jax.evaluation.review_page import Review

JOINTS = ('left_shoulder', 'right_shoulder', 'left_wrist', 'right_wrist')


def clips(videos: int = 8, per_video: int = 6, classes: int = 2, seed: int = 0) -> Clips:
    """Clips of [4 frames, 2 features] with a skeleton; every video has its own frame rate."""
    rng = np.random.default_rng(seed)
    count = videos * per_video
    video = np.repeat(np.arange(videos), per_video)
    return contract.from_arrays(
        source='set',
        features=rng.normal(size=(count, 4, 2)),
        label=np.r_[np.arange(classes), rng.integers(0, classes, count - classes)],
        video_id=[f'v{v}' for v in video],
        fps=24.0 + video % 2,
        skeleton=rng.random((count, 4, len(JOINTS), 4)),
        joint_names=JOINTS,
        class_names=('rest', 'smoke') if classes == 2 else None,
    )


def logits(label: np.ndarray, outputs: int = 1, seed: int = 0) -> np.ndarray:
    """[N, outputs] that know something of the labels, and are too sure of it."""
    rng = np.random.default_rng(seed)
    signal = np.eye(outputs)[label] if outputs > 1 else label[:, None] - 0.5
    return 3.0 * signal + 4.0 * rng.normal(size=(len(label), outputs))


def evaluation(assessment: Assessment, **changes) -> Evaluation:
    """An assessment as a run has it."""
    about = {'set': 'set', 'source': '/set.npz', 'step': 7, 'loss': 1.0}
    about |= {'members': None, 'trained_on': 0}
    return Evaluation(assessment=assessment, **about | changes)


def choice(threshold: float) -> Choice:
    """What validation clips suggest."""
    chosen = Threshold(rule='highest F1', threshold=threshold)
    return Choice(threshold=chosen, rules={'f1': chosen}, calibrations={})


def epoch(number: int, auc: float | None, *, step: int = 0, loss: float = 1.0) -> Epoch:
    """An entry of a history."""
    label = clips().label
    scores = metrics.evaluate(label, metrics.probabilities(logits(label)), 0.5)
    val = EpochScores(scores=dataclasses.replace(scores, roc_auc=auc), loss=loss)
    return Epoch(epoch=number, step=step, train={'loss': 1.0}, val=val, time={'train_s': 1.0})


def review(name: str = 'walk1', frames: int = 300, seed: int = 0, **changes) -> Review:
    """A simulated recording, 25 frames a second, in which two events were found."""
    simulated = make_clips(num_videos=1, clips_per_video=1, num_frames=frames, seed=seed)
    joints = np.where(simulated.skeleton_mask[0][..., None], simulated.skeleton[0], np.nan)
    seconds = np.arange(frames + 1) / 25
    about = {
        'recording': Recording(
            name=name, joints=joints.astype(np.float32), joint_names=simulated.joint_names,
            fps=25.0, width=16, height=9, time=seconds[:-1],
        ),
        'seconds': seconds,
        'class_names': ['rest', 'smoke', 'drink'],
        'prob': (1 + np.sin(np.arange(frames) / 20)) / 2,
        'limits': (0.6, 0.5),
        'found': np.array([[50, 100, 1], [150, 175, 2]]),
        'labelled': None,
        'uncertain': np.arange(frames) % 100 < 5,
    }  # fmt: skip
    return Review(**about | changes)


def figures_of(monkeypatch, module):
    """The figures that a module draws from here on, as they are drawn."""
    figures = []

    @contextlib.contextmanager
    def noted(*size, **options):
        with drawing.drawing(*size, **options) as (figure, picture):
            figures.append(figure)
            yield figure, picture

    monkeypatch.setattr(module, 'drawing', noted)
    return figures
