"""Pictures of clip sets for the page of mode inspect, as SVG text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from posevid_jax.data.clips import Clips
from posevid_jax.data.leakage import SameFootage
from posevid_jax.data.signatures import frame_starts
from posevid_jax.data.summary import Summary, lengths
from posevid_jax.evaluation.drawing import COLORS, color, drawing, filled_steps, grid, short
from posevid_jax.evaluation.skeleton_strips import FRAMES, Strip, draw_strips, one_a_video, strip_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEATURES, _ROWS = 48, 60  # most features drawn as histograms, as rows


def overview(names: Sequence[str], sets: Sequence[Clips], summaries: Sequence[Summary]) -> str:
    """Six panels that show the sets beside each other, as shares of each."""
    classes = list(dict.fromkeys(c.name for s in summaries for c in s.classes))
    rates = sorted({rate for s in summaries for rate, _ in s.fps})
    aspects = sorted({aspect for s in summaries for aspect, _ in s.aspect})
    with drawing(10, 5.6) as (figure, picture):
        axes = figure.subplots(2, 3)
        shares = [{c.name: c.share for c in s.classes} for s in summaries]
        _bars(axes[0, 0], 'share of clips by class', classes, shares)
        _histogram(axes[0, 1], 'clips per video', [s.clips_per_video for s in summaries])
        _histogram(
            axes[0, 2], 'missing share of a clip', [s.missing_by_clip for s in summaries], (0, 1)
        )
        by_rate = [{f'{v:g}': n / s.clips for v, n in s.fps} for s in summaries]
        _bars(axes[1, 0], 'frames per second', [f'{v:g}' for v in rates][:12], by_rate)
        by_aspect = [{f'{v:.2f}': n / s.clips for v, n in s.aspect} for s in summaries]
        labels = list(dict.fromkeys(f'{v:.2f}' for v in aspects))[:12]
        _bars(axes[1, 1], 'width / height', labels, by_aspect)
        seconds = [lengths(c) / c.fps for c in sets]
        _histogram(axes[1, 2], 'seconds of a clip', seconds)
        if len(sets) > 1:
            handles = [axes[0, 0].patches[i * len(classes)] for i in range(len(sets))]
            figure.legend(handles, list(names), loc='outside upper right', ncols=4)
    return picture.svg


def missing(names: Sequence[str], summaries: Sequence[Summary]) -> str | None:
    """The missing share of each feature and joint, a row each; None where nothing is missing."""
    rows: dict[str, dict[int, float]] = {}
    for number, summary in enumerate(summaries):
        for part in (*summary.features, *summary.joints):
            rows.setdefault(part.name, {})[number] = part.missing
    worst = sorted(rows, key=lambda name: -max(rows[name].values()))[:_ROWS]
    shown = [name for name in rows if name in set(worst)][::-1]
    if not any(share > 0 for name in shown for share in rows[name].values()):
        return None
    with drawing(10, 1 + 0.155 * len(shown)) as (figure, picture):
        axes = figure.subplots()
        for number, name in enumerate(names):
            places = [(rows[row][number], y) for y, row in enumerate(shown) if number in rows[row]]
            x, y = zip(*places, strict=True) if places else ((), ())
            axes.plot(x, y, 'o', ms=4.5, color=color(number), label=name)
        axes.set_yticks(range(len(shown)), shown)
        axes.set_ylim(-0.7, len(shown) - 0.3)
        axes.set_xlim(left=-0.001)
        axes.xaxis.set_major_formatter('{x:.0%}')
        grid(axes)
        if len(names) > 1:
            figure.legend(loc='outside upper right', ncols=4)
    return picture.svg


def histograms(clips: Clips) -> str | None:
    """The distribution of each feature by class, between its 5th and 95th percentile."""
    features, masks = np.asarray(clips.features[:]), np.asarray(clips.mask[:])
    seen = [f for f in range(len(clips.feature_names)) if masks[..., f].any()][:_FEATURES]
    if not seen:
        return None
    rows = -(-len(seen) // 6)
    with drawing(10, 0.4 + 1.15 * rows) as (figure, picture):
        axes = figure.subplots(rows, 6, squeeze=False).ravel()
        for ax, f in zip(axes, seen, strict=False):
            values, mask = features[..., f], masks[..., f]
            low, high = np.quantile(values[mask], [0.05, 0.95])
            high = high if high > low else low + 1
            for k in range(clips.num_classes):
                rows_of_class = clips.label == k
                some = values[rows_of_class][mask[rows_of_class]]
                if len(some):
                    heights, edges = np.histogram(some, 32, (low, high))
                    ax.stairs(heights / len(some), edges, color=color(k), lw=1.1)
            ax.set_title(short(clips.feature_names[f]), fontsize=7.5)
            ax.set_yticks([])
            ax.tick_params(labelsize=6.5)
            ax.locator_params(axis='x', nbins=4)
        for ax in axes[len(seen) :]:
            ax.set_axis_off()
        handles = [axes[0].plot([], [], color=color(k))[0] for k in range(clips.num_classes)]
        figure.legend(handles, clips.class_names, loc='outside upper right', ncols=8)
    return picture.svg


def class_strips(clips: Clips) -> str | None:
    """Two well observed clips of each class as rows of skeletons, from different videos."""
    if clips.skeleton_mask is None:
        return None
    observed = np.asarray(clips.skeleton_mask[:]).mean((1, 2))
    strips = []
    for k, name in enumerate(clips.class_names[: len(COLORS)]):
        rows = np.flatnonzero((clips.label == k) & (observed > 0))
        rows = rows[np.argsort(-observed[rows], kind='stable')]
        for row in one_a_video(clips, rows)[:2]:
            title = f'{short(name, 16)}\nvideo {short(clips.video_ids[row], 12)}'
            strips.append(strip_of(title, clips, row, color(k)))
    return picture.svg if (picture := draw_strips(strips)) else None


def footage_strips(sets: Sequence[Clips], same: SameFootage, titles: Sequence[str]) -> str | None:
    """The same moments of a stretch as the two videos show it, one above the other."""
    strips = []
    for side, title in enumerate(titles):
        clips = sets[min(side, len(sets) - 1)]
        if clips.skeleton is None:
            return None
        wanted = np.rint(np.linspace(*same.frames[side], FRAMES)).astype(int)
        shown = np.array(same.clips[side])
        # Of each wanted frame, its place in every clip and the first clip that has it.
        places = wanted[:, None] - frame_starts(clips)[shown]  # [frames, clips]
        holder = ((places >= 0) & (places < clips.features.shape[1])).argmax(1)
        strips.append(
            Strip(
                title='\nvideo '.join(short(part, 14) for part in title.split(': ', 1)),
                clips=clips,
                rows=shown[holder],
                frames=np.clip(places[np.arange(FRAMES), holder], 0, clips.features.shape[1] - 1),
                captions=[f'frame {frame}' for frame in wanted],
                color=color(side),
            )
        )
    return picture.svg if (picture := draw_strips(strips)) else None


def _bars(ax: 'Axes', title: str, labels: list[str], shares: list[dict[str, float]]) -> None:
    width = 0.8 / len(shares)
    for number, share in enumerate(shares):
        places = np.arange(len(labels)) + (number - (len(shares) - 1) / 2) * width
        ax.bar(places, [share.get(label, 0) for label in labels], width, color=color(number))
    ax.set_xticks(range(len(labels)), [short(label, 14) for label in labels])
    if sum(len(short(label, 14)) for label in labels) > 36:
        for label in ax.get_xticklabels():
            label.set(rotation=30, ha='right', rotation_mode='anchor')
    _finish(ax, title)


def _histogram(
    ax: 'Axes',
    title: str,
    values: list[np.ndarray],
    limits: tuple[float, float] | None = None,
) -> None:
    together = np.concatenate(values)
    low, high = limits or (together.min(), together.max())
    if high <= low:
        low, high = low - 0.5, low + 0.5
    for number, some in enumerate(values):
        heights, edges = np.histogram(some, 24, (low, high))
        filled_steps(ax, heights / len(some), edges, color(number))
    _finish(ax, title)


def _finish(ax: 'Axes', title: str) -> None:
    ax.set_title(title)
    ax.yaxis.set_major_formatter('{x:.0%}')
    grid(ax, 'y')
