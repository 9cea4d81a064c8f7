"""The page about recordings: whole, alone, the worst one first."""

import dataclasses
import re

import numpy as np
import pytest

from posevid_jax.evaluation import recordings_page, segmentation
from posevid_jax.evaluation.segments import SegmentedRecording

EVIL = '<script>alert(1)</script>'
NAMES = ('none', 'wave', EVIL)


def recording(name, true, found):
    true, found = (np.array([int(c) for c in of]) for of in (true, found))
    return SegmentedRecording(true, found, np.arange(len(true) + 1) / 2, name)


def page(recordings, classes=NAMES, timelines=None, **options):
    ways = {
        'found': segmentation.evaluate(recordings, classes, **options),
        'one event each': segmentation.evaluate(segmentation.one_event_each(recordings), classes),
    }
    timelines = timelines or {of.name: f'<svg id="{n}"></svg>' for n, of in enumerate(recordings)}
    return recordings_page.make(f'Events in {EVIL}', '3 events.', timelines, ways)


GOOD = recording('good', '0110220', '0110220')
BAD = recording('bad', '0110', '0000')
EMPTY = recording('empty', '0000', '0000')


def test_recordings_come_with_their_numbers_the_worst_first():
    worse = recording('worse', '0110', '1001')  # in frames
    text = page([EMPTY, GOOD, BAD, worse], samples=20)
    places = [text.index(f'<figcaption>{name}: ') for name in ('worse', 'bad', 'good', 'empty')]
    assert places == sorted(places)
    order = re.findall(r'<figure>\n<svg id="(\d)">', text)
    assert order == ['3', '2', '1', '0']
    assert 'bad: events 1 labelled, 0 found, 0 matched; F1@0.5 0.000, edit 0.0' in text
    assert 'bootstrap over 4 recordings' in text


def test_a_page_that_stands_alone_and_runs_nothing():
    text = page([dataclasses.replace(GOOD, name=EVIL), BAD])
    assert '<script' not in text and '&lt;script&gt;alert(1)&lt;/script&gt;: events' in text
    assert not re.search(r'(?:href|src)=', text)
    assert 'Each class' in text
    assert 'Each class' not in page([BAD], NAMES[:2])


def test_no_better_than_one_event_over_each_is_an_alarm():
    assert 'class="fine"' in page([GOOD])
    lost = recording('lost', '01111111', '00000000')
    assert re.search(r'class="alarm">WARNING: F1@0.5, 0.000, is no better than', page([lost]))


def test_without_labels_there_are_pictures_alone():
    text = recordings_page.make('t', 'o', {'a': '<svg id="a"></svg>'}, None)
    assert '<svg id="a">' in text and 'F1' not in text
    some = page([GOOD], timelines={'other': '<svg id="x"></svg>', 'good': '<svg id="y"></svg>'})
    assert some.index('id="y"') < some.index('id="x"') and 'No labels.' in some


@pytest.mark.parametrize('count', [100, 102])
def test_a_page_shows_no_more_pictures_than_a_browser_can(count):
    timelines = {f'v{n}': f'<svg id="{n}"></svg>' for n in range(count)}
    text = recordings_page.make('t', 'o', timelines, None)
    assert text.count('<svg') == 100
    assert ('2 more are in the folder' in text) == (count == 102)
