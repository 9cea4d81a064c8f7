"""Pictures of an evaluation: curves, confusion, calibration, thresholds, hard clips."""

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
from posevid_jax.evaluation.scores import BinaryScores
from posevid_jax.evaluation.skeleton_strips import draw_strips, one_a_video, strip_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

_HARDEST = 3  # clips drawn of each kind of mistake


def curves(label: np.ndarray, probs: np.ndarray, record: Assessment) -> Picture:
    """ROC and precision-recall curves: of the positive class, or of each class against the rest."""
    from sklearn import metrics  # a second, which only pages take

    names, scores = record.class_names, record.scores
    shown = [1] if len(names) == 2 else range(min(len(names), len(COLORS)))
    with drawing(10, 4.3, png=True) as (figure, picture):
        roc, pr = figure.subplots(1, 2)
        for k in shown:
            member = label == k
            if member.all() or not member.any():
                continue
            false_positive_rate, recall, _ = metrics.roc_curve(member, probs[:, k])
            roc.plot(false_positive_rate, recall, color=color(k), lw=1.6, label=short(names[k]))
            precision, recall, _ = metrics.precision_recall_curve(member, probs[:, k])
            # The step keeps its precision until the next threshold finds fewer.
            pr.step(recall, precision, where='pre', color=color(k), lw=1.6)
            pr.axhline(member.mean(), **FINE | {'color': color(k)})
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
        roc.legend(loc='lower right')
    return picture


def confusions(record: Assessment) -> Picture:
    """Who is taken for whom: counts, shaded by their share of the true class."""
    names = [short(name, 14) for name in record.class_names]
    parts = record.scores.confusions
    size = max(3.0, 1.2 + 0.55 * len(names))
    with drawing(10, size, png=True) as (figure, picture):
        for ax, (title, counts) in zip(figure.subplots(1, 2), parts.items(), strict=False):
            _confusion(ax, title, np.array(counts), names)
        for ax in figure.axes[len(parts) :]:
            ax.set_axis_off()
    return picture


def _confusion(ax: 'Axes', title: str, counts: np.ndarray, names: list[str]) -> None:
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    for y, row in enumerate(counts):
        for x, count in enumerate(row):
            ax.add_patch(_tile(x, y, color(0) if x == y else color(1), 0.08 + 0.62 * share[y, x]))
            ax.text(x, y - 0.08, str(count), ha='center', va='center', fontsize=11)
            ax.text(x, y + 0.22, f'{share[y, x]:.0%}', ha='center', va='center', fontsize=7.5)
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_aspect('equal')
    ax.set_xlabel('taken for')
    ax.set_ylabel('is')
    ax.set_title(title)


def _tile(x: int, y: int, face: str, alpha: float) -> 'Rectangle':
    from matplotlib.patches import Rectangle

    return Rectangle(
        (x - 0.48, y - 0.48), 0.96, 0.96, facecolor=face, alpha=alpha, edgecolor='none'
    )


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
    """Probabilities by class: of the positive class, or of the true one."""
    names, of, two = record.class_names, record.scores, probs.shape[1] == 2
    with drawing(10, 3, png=True) as (figure, picture):
        ax = figure.subplots()
        low, high = _reach(probs[:, 1] if two else probs[np.arange(len(label)), label])
        edges = np.linspace(low, high, 41)
        for k, name in enumerate(names[: len(COLORS)]):
            some = probs[label == k, 1 if two else k]
            if len(some):
                heights, _ = np.histogram(some, edges)
                filled_steps(ax, heights, edges, color(k), f'is {short(name)}')
        if isinstance(of, BinaryScores):
            ax.axvline(of.at_threshold.threshold, **FINE)
            ax.set_xlabel(f'probability of {short(names[1])}; dashed: the stored threshold')
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
    """The clips of each class that the classifier was most sure to be something else.

    At most one clip per video; None without a skeleton, or without a wrong decision.
    """
    if clips.skeleton is None:
        return None
    probs, wrong = judged.probs, judged.decided != clips.label
    own = probs[np.arange(len(clips)), clips.label]
    strips = []
    for k, name in enumerate(clips.class_names[:4]):
        rows = np.flatnonzero(wrong & (clips.label == k))
        rows = rows[np.argsort(own[rows], kind='stable')]
        for row in one_a_video(clips, rows)[:_HARDEST]:
            if len(clips.class_names) == 2:
                said = f'{short(clips.class_names[1], 9)} {probs[row, 1]:.2f}'
            else:
                taken = probs[row].argmax()
                said = f'{short(clips.class_names[taken], 9)} {probs[row, taken]:.2f}'
            title = f'is {short(name, 12)}\nsaid {said}\nvideo {short(clips.video_ids[row], 9)}'
            strips.append(strip_of(title, clips, row, color(k)))
    return draw_strips(strips, png=True)


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
