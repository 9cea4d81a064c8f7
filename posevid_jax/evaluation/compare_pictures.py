"""Pictures of several runs beside each other."""

from collections.abc import Mapping, Sequence

import numpy as np

from posevid_jax.evaluation.drawing import LINE, Picture, color, drawing, short
from posevid_jax.evaluation.metrics import Record


def scores(points: Mapping[str, Sequence[tuple[str, float, list[float]]]]) -> Picture:
    """A panel a number, a row a run: (name, value, interval)."""
    rows = max(map(len, points.values()))
    with drawing(10, 1 + 0.3 * max(rows, 1)) as (figure, picture):
        for ax, (title, found) in zip(figure.subplots(1, len(points)), points.items(), strict=True):
            for y, (_, value, (low, high)) in enumerate(found):
                ax.plot([low, high], [y, y], color=color(y), lw=2, alpha=0.6)
                ax.plot(value, y, 'o', color=color(y), ms=6)
            ax.set_yticks(range(len(found)), [short(name) for name, _, _ in found])
            ax.set_ylim(len(found) - 0.5, -0.5)
            ax.set_title(title)
            ax.grid(True, axis='x', color=LINE, lw=0.6)
    return picture


def learning(histories: Mapping[str, Sequence[Record]]) -> Picture:
    """Loss and ROC-AUC on the validation clips by epoch, a line a run."""
    with drawing(10, 3.4) as (figure, picture):
        for ax, (title, key) in zip(
            figure.subplots(1, 2), (('loss', 'loss'), ('ROC-AUC', 'roc_auc')), strict=True
        ):
            for number, (name, history) in enumerate(histories.items()):
                values = [np.nan if e['val'][key] is None else e['val'][key] for e in history]
                epochs = [entry['epoch'] for entry in history]
                ax.plot(epochs, values, color=color(number), lw=1.5, label=short(name))
            ax.set_title(title)
            ax.set_xlabel('epoch')
            ax.xaxis.get_major_locator().set_params(integer=True)
            ax.grid(True, color=LINE, lw=0.6)
        figure.legend(
            *figure.axes[0].get_legend_handles_labels(), loc='outside upper right', ncols=6
        )
    return picture
