"""Pictures of training runs: how one has learned, and several beside each other."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from posevid_jax.evaluation.drawing import FINE, Picture, color, drawing, grid, short
from posevid_jax.evaluation.results import Best, Epoch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A run's score on a set of clips: name of the run, value, ends of its interval.
Point = tuple[str, float, Sequence[float]]


# Names of lines, and their numbers in an epoch.
_Lines = Mapping[str, Callable[[Epoch], float | None]]
_LOSS: _Lines = {'train': lambda e: e.train['loss'], 'val': lambda e: e.val.loss}
_RANKING: _Lines = {
    'ROC-AUC': lambda e: e.val.scores.roc_auc,
    'average precision': lambda e: e.val.scores.average_precision,
}


def learning(history: Sequence[Epoch], best: Best) -> Picture:
    """Loss and ranking of a run by epoch, with the best one marked."""
    panels = {'loss': _LOSS, 'ranking of the validation clips': _RANKING}
    with drawing(10, 3.2, png=True) as (figure, picture):
        for ax, (title, lines) in zip(figure.subplots(1, 2), panels.items(), strict=True):
            for number, (name, read) in enumerate(lines.items()):
                _by_epoch(ax, history, read, name, color(number))
            ax.axvline(best.epoch, **FINE)
            ax.set_title(title)
            ax.set_xlabel(f'epoch; dashed: the best, by {best.metric}')
            ax.legend()
    return picture


def learning_of_runs(histories: Mapping[str, Sequence[Epoch]]) -> Picture:
    """Loss and ROC-AUC on the validation clips by epoch, one line per run."""
    panels = {'loss': _LOSS['val'], 'ROC-AUC': _RANKING['ROC-AUC']}
    with drawing(10, 3.4) as (figure, picture):
        for ax, (title, read) in zip(figure.subplots(1, 2), panels.items(), strict=True):
            for number, (name, history) in enumerate(histories.items()):
                _by_epoch(ax, history, read, short(name), color(number))
            ax.set_title(title)
            ax.set_xlabel('epoch')
        handles = figure.axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc='outside upper right', ncols=6)
    return picture


def scores_of_runs(points: Mapping[str, Sequence[Point]]) -> Picture:
    """One panel per score, one row per run: its value and interval."""
    rows = max(map(len, points.values()))
    with drawing(10, 1 + 0.3 * max(rows, 1)) as (figure, picture):
        for ax, (title, found) in zip(figure.subplots(1, len(points)), points.items(), strict=True):
            for y, (_, value, (low, high)) in enumerate(found):
                ax.plot([low, high], [y, y], color=color(y), lw=2, alpha=0.6)
                ax.plot(value, y, 'o', color=color(y), ms=6)
            ax.set_yticks(range(len(found)), [short(name) for name, _, _ in found])
            ax.set_ylim(len(found) - 0.5, -0.5)
            ax.set_title(title)
            grid(ax, 'x')
    return picture


def _by_epoch(
    ax: 'Axes',
    history: Sequence[Epoch],
    read: Callable[[Epoch], float | None],
    label: str,
    shade: str,
) -> None:
    """A line through a number of every epoch; where one has none, the line has a gap."""
    epochs = [entry.epoch for entry in history]
    values = [np.nan if (value := read(entry)) is None else value for entry in history]
    marker = 'o' if len(epochs) < 40 else ''
    ax.plot(epochs, values, marker=marker, ms=3, lw=1.5, color=shade, label=label)
    ax.locator_params(axis='x', integer=True)
    grid(ax)
