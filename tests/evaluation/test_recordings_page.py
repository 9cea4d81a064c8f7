"""The page about recordings: whole, alone, the worst one first."""

import dataclasses
import re

import numpy as np
import pytest

from posevid_jax.evaluation import recordings_page, segmentation
from posevid_jax.evaluation.recordings_page import Shown
from posevid_jax.evaluation.segments import SegmentedRecording

EVIL = '<script>alert(1)</script>'
NAMES = ('none', 'wave', EVIL)


def recording(name, true, found):
    true, found = (np.array([int(c) for c in of]) for of in (true, found))
    return SegmentedRecording(true, found, np.arange(len(true) + 1) / 2, name)


def page(recordings, classes=NAMES, shown=None, **options):
    ways = {
        'found': segmentation.evaluate(recordings, classes, **options),
        'one event each': segmentation.evaluate(segmentation.one_event_each(recordings), classes),
    }
    shown = shown or {
        of.name: Shown(f'<svg id="{n}"></svg>', doubt=1) for n, of in enumerate(recordings)
    }
    return recordings_page.make(f'Events in {EVIL}', '3 events.', shown, ways)


DOUBTS = {'some': 2, 'good': 1.0, 'much': 9.5}
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


def test_without_labels_the_most_doubtful_come_first():
    shown = {name: Shown(f'<svg id="{name}"></svg>', doubt) for name, doubt in DOUBTS.items()}
    text = recordings_page.make('t', 'o', shown, None)
    assert re.findall(r'<svg id="(\w+)">', text) == ['much', 'some', 'good']
    assert 'much: 9.5 seconds in doubt.' in text and 'F1' not in text
    labelled = page([GOOD], shown=shown)
    assert re.findall(r'<svg id="(\w+)">', labelled) == ['good', 'much', 'some']
    assert labelled.count('No labels.') == 2


def test_each_recording_leads_to_its_review():
    shown = {
        'good': Shown('<svg></svg>', 1, 'review/good.html'), EVIL: Shown('<svg></svg>', 2, 'r&b'),
        'other': Shown('<svg></svg>', 3),
    }  # fmt: skip
    text = page([GOOD, BAD], shown=shown | {'bad': Shown('<svg></svg>', 4)})
    assert re.findall(r'<a href="([^"]*)">([^<]*)</a>', text) == [
        ('review/good.html', 'Review good'),
        ('r&amp;b', 'Review &lt;script&gt;alert(1)&lt;/script&gt;'),
    ]


@pytest.mark.parametrize('count', [100, 102])
def test_a_page_shows_no_more_pictures_than_a_browser_can(count):
    shown = {f'v{n}': Shown('<svg></svg>', count - n, f'v{n}.html') for n in range(count)}
    text = recordings_page.make('t', 'o', shown, None)
    assert text.count('<a href') == count
    assert text.count('<svg') == 100
    assert ('2 more are in the folder' in text) == (count == 102)
