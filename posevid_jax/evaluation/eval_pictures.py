"""Pictures of an evaluation: curves, calibration, thresholds, hard clips."""

from typing import TYPE_CHECKING

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.evaluation import error_analysis, thresholds
from posevid_jax.evaluation.decision import Judged
from posevid_jax.evaluation.drawing import (
    COLORS,
    FINE,
    Picture,
    color,
    drawing,
    filled_steps,
    grid,
    short,
)
from posevid_jax.evaluation.results import Assessment, CalibrationEffect
from posevid_jax.evaluation.scores import BinaryScores, MulticlassScores, Scores
from posevid_jax.evaluation.skeleton_strips import draw_strips, one_a_video, strip_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HARDEST = 3  # clips drawn of each class, of two
_MOST_PAIRS = 8  # clips drawn, of several classes
_WIDE = 16  # letters of names of several classes


def curves(label: np.ndarray, probs: np.ndarray, record: Assessment) -> Picture:
    """ROC and precision-recall curves: of the positive class, or of each class against the rest.

    Of more classes than there are colours, those of the lowest average precision.
    """
    from sklearn import metrics  # a second, which only pages take

    names, scores = record.class_names, record.scores
    shown = _drawn_classes(scores)
    about = 'lowest average precision' if len(names) > len(COLORS) else None
    with drawing(10, 4.3, png=True) as (figure, picture):
        roc, pr = figure.subplots(1, 2)
        for k, shade in shown.items():
            member = label == k
            if member.all() or not member.any():
                continue
            false_positive_rate, recall, _ = metrics.roc_curve(member, probs[:, k])
            roc.plot(false_positive_rate, recall, color=shade, lw=1.6, label=short(names[k]))
            precision, recall, _ = metrics.precision_recall_curve(member, probs[:, k])
            # The step keeps its precision until the next threshold finds fewer.
            pr.step(recall, precision, where='pre', color=shade, lw=1.6)
            pr.axhline(member.mean(), **FINE | {'color': shade})
        roc.plot([0, 1], [0, 1], **FINE)
        if isinstance(scores, BinaryScores):
            points = {'stored threshold': scores.at_threshold, '0.5': scores.at_half}
            for number, (title, at) in enumerate(points.items()):
                style = {'marker': 'os'[number], 'ms': 7, 'ls': ''}
                style |= {'color': color(number + 3), 'label': title}
                roc.plot(at.false_positive_rate, at.recall, **style)
                pr.plot(at.recall, at.precision, **style)
        _square(roc, 'ROC', 'false-positive rate', 'recall')
        _square(pr, 'precision and recall', 'recall', 'precision')
        roc.legend(loc='lower right', title=about)
    return picture


def _drawn_classes(scores: Scores) -> dict[int, str]:
    """The classes that `curves` draws, and their colours."""
    if not isinstance(scores, MulticlassScores):
        return {1: color(1)}
    known = {k: of.average_precision for k, of in enumerate(scores.per_class)}
    worst = sorted((value, k) for k, value in known.items() if value is not None)[: len(COLORS)]
    classes = [k for _, k in worst] if len(known) > len(COLORS) else known
    return {k: color(place) for place, k in enumerate(classes)}


def reliability(effect: CalibrationEffect) -> Picture:
    """Said beside happened, before and after calibration, and how often it was said."""
    with drawing(10, 4.3, png=True) as (figure, picture):
        ax, often = figure.subplots(1, 2)
        ax.plot([0, 1], [0, 1], **FINE)
        stages = {'before': effect.before, 'after': effect.after}
        if effect.kind == 'none':
            del stages['before']
        for stage, of in stages.items():
            number = 0 if stage == 'after' else 1
            x = [part.predicted for part in of.bins]
            y = [part.observed for part in of.bins]
            n = np.array([part.clips for part in of.bins])
            title = f'{stage}, error {of.expected_calibration_error:.3f}'
            ax.plot(x, y, color=color(number), lw=1.2, alpha=0.7)
            ax.scatter(x, y, 12 + 160 * n / n.sum(), color=color(number), label=title)
            edges = np.linspace(0, 1, 11)
            heights, _ = np.histogram([part.low + 0.05 for part in of.bins], edges, weights=n)
            filled_steps(often, heights / n.sum(), edges, color(number))
        _square(ax, 'reliability', 'said: mean probability', 'happened: share of clips')
        ax.legend(loc='lower right')
        often.set_xlim(0, 1)
        often.set_xlabel('probability')
        often.yaxis.set_major_formatter('{x:.0%}')
        often.set_title('how often it was said')
        grid(often, 'y')
    return picture


def scores(label: np.ndarray, probs: np.ndarray, record: Assessment) -> Picture:
    """Probabilities by class: of the positive class, or of the true one.

    Of more classes than there are colours, by whether a clip is taken for what it is.
    """
    of, two = record.scores, probs.shape[1] == 2
    own = probs[:, 1] if two else probs[np.arange(len(label)), label]
    kinds = [(f'is {short(name)}', label == k) for k, name in enumerate(record.class_names)]
    if len(kinds) > len(COLORS):
        right = probs.argmax(axis=1) == label
        kinds = [('taken for what it is', right), ('taken for something else', ~right)]
    with drawing(10, 3, png=True) as (figure, picture):
        ax = figure.subplots()
        low, high = _reach(own)
        edges = np.linspace(low, high, 41)
        for number, (title, some) in enumerate(kinds):
            if some.any():
                heights, _ = np.histogram(own[some], edges)
                filled_steps(ax, heights, edges, color(number), title)
        if isinstance(of, BinaryScores):
            ax.axvline(of.at_threshold.threshold, **FINE)
            found = short(record.class_names[1])
            ax.set_xlabel(f'probability of {found}; dashed: the stored threshold')
        else:
            ax.set_xlabel('probability of the class that it is')
        ax.set_xlim(low, high)
        ax.set_ylabel('clips')
        ax.legend()
        grid(ax, 'y')
    return picture


def sweep(label: np.ndarray, prob: np.ndarray, scores: BinaryScores) -> Picture:
    """What every threshold would have done to these clips."""
    every = thresholds.cuts(label, prob)
    lines = (
        ('precision', every.precision), ('recall', every.recall), ('F1', every.f1),
        ('specificity', 1 - every.false_positive_rate),
    )  # fmt: skip
    with drawing(10, 3.4, png=True) as (figure, picture):
        ax = figure.subplots()
        for number, (name, values) in enumerate(lines):
            # Between two cuts, nothing changes: the value of the upper one holds.
            ax.step(
                np.r_[0, every.threshold, prob.max()], np.r_[values[0], values, values[-1]],
                where='pre', color=color(number), lw=2.2 if name == 'F1' else 1.3, label=name,
            )  # fmt: skip
        always, stored = scores.always_positive.f1, scores.at_threshold.threshold
        ax.axhline(always, **FINE)
        low, high = _reach(np.append(prob, stored))
        ax.text(low + 0.005 * (high - low), always + 0.012, 'F1 of always positive', fontsize=7)
        ax.axvline(stored, **FINE)
        ax.text(stored, 1.045, 'stored', ha='center', fontsize=7.5)
        ax.set_xlim(low, high)
        ax.set_ylim(0, 1.03)
        ax.set_xlabel('threshold')
        grid(ax)
        figure.legend(loc='outside upper right', ncols=4)
    return picture


def declining(label: np.ndarray, judged: Judged) -> Picture:
    """What becomes of the decisions about those clips that the classifier is most certain of."""
    kept = error_analysis.coverage(label, judged, np.linspace(1, 0.2, 81))
    with drawing(10, 3.4, png=True) as (figure, picture):
        ax = figure.subplots()
        for number, (name, key) in enumerate((
            ('precision', 'precision'), ('recall', 'recall'), ('accuracy', 'accuracy'),
            ('false-positive rate', 'false_positive_rate'),
        )):  # fmt: skip
            if hasattr(kept[0], key):
                values = [getattr(part, key) for part in kept]
                ax.plot([p.kept for p in kept], values, lw=1.6, color=color(number), label=name)
        ax.set_xlim(1, 0.2)  # from left to right, more and more are declined
        ax.set_ylim(0, 1.03)
        ax.xaxis.set_major_formatter('{x:.0%}')
        ax.set_xlabel('clips that are decided; the others, of which it is least certain, are not')
        grid(ax)
        figure.legend(loc='outside upper right', ncols=4)
    return picture


def hardest_clips(clips: Clips, judged: Judged) -> Picture | None:
    """The clips that the classifier was most sure to be something else.

    Of two classes, some of each, at most one per video; of several, one for each pair of what it is
    and what it is taken for. None without a skeleton, or without a wrong decision.
    """
    if clips.skeleton is None:
        return None
    two = judged.two_classes
    strips = []
    for row in _hardest(clips, judged):
        label, taken = clips.label[row], 1 if two else judged.decided[row]
        name, other = clips.class_names[label], clips.class_names[taken]
        title = (
            f'is {short(name, 12 if two else _WIDE)}\n'
            f'said {short(other, 9 if two else _WIDE)} {judged.probs[row, taken]:.2f}\n'
            f'video {short(clips.video_ids[row], 9 if two else _WIDE)}'
        )
        strips.append(strip_of(title, clips, row, color(int(label))))
    return draw_strips(strips, png=True)


def _hardest(clips: Clips, judged: Judged) -> np.ndarray:
    """Rows of the clips that `hardest_clips` draws."""
    own = judged.probs[np.arange(len(clips)), clips.label]
    wrong = np.flatnonzero(judged.decided != clips.label)
    wrong = wrong[np.argsort(own[wrong], kind='stable')]
    if judged.two_classes:
        of_class = [wrong[clips.label[wrong] == k] for k in range(2)]
        return np.concatenate([one_a_video(clips, rows)[:_HARDEST] for rows in of_class])
    pairs = np.stack([clips.label[wrong], judged.decided[wrong]], axis=1)
    _, first = np.unique(pairs, axis=0, return_index=True)
    return wrong[np.sort(first)][:_MOST_PAIRS]


def _reach(prob: np.ndarray) -> tuple[float, float]:
    """The part of 0 to 1 that the probabilities lie in, a little wider."""
    space = 0.02 + 0.05 * float(np.ptp(prob))
    return max(prob.min() - space, 0.0), min(prob.max() + space, 1.0)


def _square(ax: 'Axes', title: str, x: str, y: str) -> None:
    ax.set_xlim(-0.015, 1.015)
    ax.set_ylim(-0.015, 1.015)
    ax.set_aspect('equal')
    ax.set_title(title)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    grid(ax)
