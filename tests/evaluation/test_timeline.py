"""What the timeline of a recording draws, whatever its length."""

import dataclasses
import xml.etree.ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from posevid_jax.evaluation import page, timeline
from posevid_jax.evaluation.drawing import color
from posevid_jax.evaluation.timeline import Gestures, Timeline


def made(seconds, fps=2):
    """A recording with an event of 3 s around each full 100 s, and labels a second later."""
    frames = round(seconds * fps)
    event = np.arange(0, seconds, 100.0)[:, None] + [-1.5, 1.5]
    return Timeline(
        title='<b>$x$',
        seconds=np.arange(frames + 1) / fps,
        prob=np.random.default_rng(0).random(frames),
        limits=(0.7, 0.4),
        found=np.clip(event, 0, seconds),
        labelled=np.clip(event + 1, 0, seconds),
        unseen=np.array([[2.0, 2.5]]),
    )


def drawn(recording):
    figure = Figure()
    timeline.plot(figure, recording)
    return figure.axes


def bars(axes, name):
    """Begin and end of the bars of a row, over all panels."""
    found = []
    for ax in axes:
        for shown in ax.patches:
            if shown.get_label() == name:
                corners = shown.get_path().to_polygons(closed_only=False)
                found += [(bar[:, 0].min(), bar[:, 0].max()) for bar in corners]
    return found


@pytest.mark.parametrize(
    ('seconds', 'panels'), [(0.5, 1), (300, 1), (301, 2), (3600, 12), (9e4, 12)]
)
def test_panels_show_the_whole_time_once(seconds, panels):
    axes = drawn(made(seconds))
    assert len(axes) == panels
    edges = [ax.get_xlim() for ax in axes]
    assert edges[0][0] == 0 and edges[-1][1] == pytest.approx(seconds)
    np.testing.assert_allclose([end for _, end in edges[:-1]], [start for start, _ in edges[1:]])


def test_every_frame_event_label_and_unseen_stretch_is_drawn_at_its_time():
    recording = made(700)
    axes = drawn(recording)
    lines = [next(line for line in ax.lines if line.get_label() == 'probability') for ax in axes]
    points = {tuple(point) for line in lines for point in line.get_xydata()}
    middle = (recording.seconds[:-1] + recording.seconds[1:]) / 2
    assert points == set(zip(middle, recording.prob, strict=True))
    assert all({0.7, 0.4} <= {line.get_ydata()[0] for line in ax.lines} for ax in axes)
    # No event of these lies on the edge of a panel.
    np.testing.assert_allclose(bars(axes, 'found'), recording.found)
    np.testing.assert_allclose(bars(axes, 'labelled'), recording.labelled)
    np.testing.assert_allclose(bars(axes, 'not seen'), recording.unseen)


def test_an_event_across_the_edge_of_a_panel_is_in_both():
    axes = drawn(dataclasses.replace(made(600), found=np.array([[290.0, 320.0]])))
    assert bars(axes, 'found') == [(290, 300), (300, 320)]


def test_without_labels_there_is_no_row_for_them():
    (with_labels,), (without,) = (
        drawn(recording) for recording in (made(9), dataclasses.replace(made(9), labelled=None))
    )
    names = [[text.get_text() for text in ax.get_yticklabels()] for ax in (with_labels, without)]
    assert names[0][3:] == ['found', 'labelled', 'not seen'] and names[1][3:] == [
        'found',
        'not seen',
    ]


def test_several_gestures_have_their_colours_and_names():
    gestures = Gestures(
        ('none', 'wave', 'clap', 'nod'), found=np.array([3, 1]), labelled=np.array([1, 1])
    )
    recording = dataclasses.replace(made(350), found=made(350).found[1:3], gestures=gestures)
    recording = dataclasses.replace(recording, labelled=recording.found)
    axes = drawn(recording)
    shown = [
        (bars.get_label(), to_hex(bars.get_facecolor()))
        for ax in axes
        for bars in ax.patches
        if bars.get_label() in ('found', 'labelled')
    ]
    assert shown == [  # an event in each of two panels
        ('found', color(2)), ('labelled', color(0)), ('found', color(0)), ('labelled', color(0)),
    ]  # fmt: skip
    (legend,) = axes[0].figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ['wave', 'nod']
    assert [to_hex(of.get_facecolor()) for of in legend.get_patches()] == [color(0), color(2)]
    assert 'nod' in timeline.draw(recording).svg
    nothing = Gestures(gestures.names, np.empty(0, int), np.empty(0, int))
    none = np.empty((0, 2))
    timeline.draw(dataclasses.replace(made(9), found=none, labelled=none, gestures=nothing))


def test_bars_of_one_panel_have_each_the_colour_of_its_gesture():
    recording = dataclasses.replace(made(150), labelled=np.empty((0, 2)))
    gestures = Gestures(('none', 'wave', 'clap'), np.array([2, 1]), np.empty(0, int))
    (ax,) = drawn(dataclasses.replace(recording, gestures=gestures))
    shown = {
        to_hex(bars.get_facecolor()): bars.get_path().get_extents().x0
        for bars in ax.patches
        if bars.get_label() == 'found'
    }
    assert shown == {color(1): 0.0, color(0): 98.5}


def test_the_file_of_a_picture_stands_alone_in_light_and_dark():
    text = page.picture_file(timeline.draw(made(150)).svg)
    xml.etree.ElementTree.fromstring(text)
    assert '&lt;b&gt;$x$' in text  # neither markup nor mathematics
    assert '--line:' in text and 'prefers-color-scheme: dark' in text and '1:00' in text
