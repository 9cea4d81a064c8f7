"""The page for correcting a recording in a real browser: play, correct, save, come back."""

import pathlib
import re
import shutil

import numpy as np
import pytest

from posevid_jax.data.labels.read import read_intervals
from posevid_jax.evaluation import review_packing, review_page
from tests.evaluation import made

driver = pytest.importorskip('playwright.sync_api', reason='needs pip install playwright')
BROWSER = next(
    filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason='needs Chromium: apt-get install chromium')

FOUND = [(2.0, 4.0, 'smoke'), (6.0, 7.0, 'drink')]


@pytest.fixture(scope='module')
def window():
    """A page of a browser; what goes wrong on it fails the test."""
    with driver.sync_playwright() as program:
        opened = program.chromium.launch(executable_path=BROWSER, args=['--no-sandbox'])
        page = opened.new_page(viewport={'width': 800, 'height': 700})
        page.set_default_timeout(20_000)
        yield page
        opened.close()


@pytest.fixture(scope='module')
def address(tmp_path_factory):
    """12 seconds, 25 frames each."""
    path = tmp_path_factory.mktemp('review') / 'walk1.html'
    path.write_text(review_page.make(made.review()))
    return path.as_uri()


@pytest.fixture
def page(window, address):
    """The page as someone sees it who never opened it before."""
    errors = []
    window.on('pageerror', note := lambda error: errors.append(error))
    visit(window, address)
    yield window
    window.evaluate('() => localStorage.clear()')
    window.remove_listener('pageerror', note)
    assert errors == []


def visit(page, address):
    page.goto(address)
    page.wait_for_function('() => window.review')


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def saved(page, tmp_path, form='CSV') -> pathlib.Path:
    page.select_option('#format', form)
    with page.expect_download() as waiting:
        page.click('[data-do=save]')
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def read(path):
    """What the reader of labels reads in a file."""
    found = read_intervals(path, max_mb=1)
    return list(zip(found.start.tolist(), found.end.tolist(), found.label, strict=True))


def events(page):
    """What the page lists: start, end and label."""
    rows = page.evaluate(
        "() => [...document.querySelectorAll('#list button')].map("
        '(row) => [...row.children].map((part) => part.textContent))'
    )
    found = []
    for when, label, length in rows:
        minutes, seconds = when.split(':')
        start = 60 * int(minutes) + float(seconds)
        found.append((start, round(start + float(length.removesuffix(' s')), 2), label))
    return found


def wait_for_frame(page, condition):
    number = "Number(document.getElementById('clock').textContent.split(' ').at(-1))"
    page.wait_for_function(f'() => {{ const frame = {number}; return {condition}; }}')


def load(page, path):
    """Gives the page a label file, and waits for what it says of it."""
    page.evaluate("() => { document.getElementById('status').textContent = ''; }")
    page.set_input_files('#label-file', path)
    page.wait_for_function("() => document.getElementById('status').textContent")
    return page.text_content('#status')


def drawn(page) -> str:
    return page.evaluate("() => document.getElementById('stage').toDataURL()")


def test_the_body_plays_and_steps(page):
    wait_for_frame(page, 'frame == 50')  # where the first event begins
    first = drawn(page)
    press(page, ' ')
    wait_for_frame(page, 'frame > 55')
    assert drawn(page) != first
    press(page, ' ', 'Home', 'ArrowRight', 'ArrowRight', 'ArrowLeft', 'Shift+ArrowRight')
    wait_for_frame(page, 'frame == 26')
    box = page.locator('#overview').bounding_box()
    page.mouse.click(box['x'] + 90 + (box['width'] - 90) / 2, box['y'] + 10)
    wait_for_frame(page, 'Math.abs(frame - 150) <= 1')
    said = page.get_attribute('#time', 'aria-valuetext')
    assert re.fullmatch(r'0:0[56]\.\d\d, (drink|no event), probability \d+ %', said)
    press(page, 'End', ' ')  # it begins again, and does not stand at the end
    wait_for_frame(page, 'frame < 200')
    assert page.text_content('[data-do=play]') == 'Pause'


def test_bodies_are_where_they_were_seen(page):
    joints = made.review().recording.joints[-9:, :, :2]
    step = review_packing.POSITION_STEP
    found = np.array(page.evaluate(f'() => Array.from(review.place.slice(-{joints.size}))'))
    found = found.reshape(joints.shape) * step
    seen = np.isfinite(joints)
    assert np.abs(found - joints)[seen].max() <= step / 2 + 1e-6


def test_only_what_is_asked_for_is_saved(window, tmp_path):
    path = tmp_path / 'asked.html'
    path.write_text(review_page.make(made.review(asked=np.array([[40, 110], [160, 200]]))))
    visit(window, path.as_uri())
    wait_for_frame(window, 'frame == 40')
    press(window, 'n')
    wait_for_frame(window, 'frame == 160')
    wanted = [(2, 4, 'smoke'), (6.4, 7, 'drink')]
    assert read(saved(window, tmp_path)) == events(window) == wanted
    window.check('#rest')
    rest = [(1.6, 2, 'rest'), (4, 4.4, 'rest'), (7, 8, 'rest')]
    path = saved(window, tmp_path)
    assert read(path) == sorted([*wanted, *rest])
    window.click('[data-do=from-found]')
    load(window, path)
    assert window.is_checked('#rest') and events(window) == wanted
    window.evaluate('() => localStorage.clear()')


def test_events_are_corrected_with_keys_and_come_back_undone(page, tmp_path):
    assert read(saved(page, tmp_path)) == events(page) == FOUND
    press(page, 'Home', 'ArrowDown', 'Delete', 'a')  # what was found there is added again
    assert events(page) == FOUND
    press(page, 'Home', 'ArrowDown')  # the first event, and its beginning
    press(page, 'ArrowRight', 'ArrowRight', 'i', 'Shift+ArrowRight', 'o')
    assert events(page) == [(2.08, 3.12, 'smoke'), FOUND[1]]
    press(page, 's', 'Delete', '0')  # what is left has no part after the playhead, nor a label
    assert events(page) == [(2.08, 3.08, 'smoke'), FOUND[1]]
    press(page, 'ArrowDown', '1', 'End', 'a')
    assert events(page) == [(2.08, 3.08, 'smoke'), (6, 7, 'smoke'), (11.96, 12, 'smoke')]
    press(page, *['Control+z'] * 8)
    assert events(page) == FOUND
    press(page, 'Control+Shift+z')
    assert events(page) == FOUND[1:]
    press(page, 'Control+y')
    assert events(page) == FOUND
    press(page, 'ArrowUp', '1')
    wanted = [FOUND[0], (6, 7, 'smoke')]
    assert read(saved(page, tmp_path)) == events(page) == wanted


def test_events_are_corrected_with_the_mouse_a_drag_is_undone_at_once(page):
    box = page.locator('#timeline').bounding_box()

    def drag(begin, end):
        for second, act in ((begin, 'down'), (end, 'up')):
            x = box['x'] + 90 + second / 12 * (box['width'] - 90)
            page.mouse.move(x, box['y'] + 120, steps=3)
            getattr(page.mouse, act)()

    def near(expected):
        found = events(page)
        assert [label for *_, label in found] == [label for *_, label in expected]
        assert np.array([of[:2] for of in found]) == pytest.approx(
            np.array([of[:2] for of in expected]), abs=0.05
        )

    drag(4, 8)  # an end goes no further than to the next event
    near([(2, 6, 'smoke'), FOUND[1]])
    press(page, 'Control+z')
    near(FOUND)
    drag(3, 1.5)
    near([(0.5, 2.5, 'smoke'), FOUND[1]])
    page.select_option('#label', 'drink')  # of the one that is chosen
    drag(9, 11)
    near([(0.5, 2.5, 'drink'), FOUND[1], (9, 11, 'drink')])
    press(page, 'Delete')
    near([(0.5, 2.5, 'drink'), FOUND[1]])


def test_every_format_is_read_and_loaded_again(page, tmp_path):
    press(page, 'Home', 'a', '2')
    wanted = [(0, 1, 'drink'), *FOUND]
    for form in ('CSV', 'Audacity', 'ELAN', 'BORIS'):
        path = saved(page, tmp_path, form)
        assert read(path) == wanted
        page.click('[data-do=from-found]')
        assert load(page, path) == f'{path.name}: 3 events.'
        assert events(page) == wanted
    page.check('#rest')
    rest = [(1, 2, 'rest'), (4, 6, 'rest'), (7, 12, 'rest')]
    assert read(saved(page, tmp_path)) == sorted([*wanted, *rest])


def test_labels_of_others_are_cut_to_what_can_be_and_mistakes_said(page, tmp_path):
    path = tmp_path / 'mine.csv'
    path.write_text('start,end,label\n0.0,6.0,rest\n5,6.5,"wave, ""big"""\n6.52,11,rest\n')
    load(page, path)
    wanted = [(0, 5, 'rest'), (5, 6.52, 'wave, "big"'), (6.52, 11, 'rest')]
    assert read(saved(page, tmp_path)) == events(page) == wanted
    load(page, saved(page, tmp_path, 'Audacity'))
    assert events(page) == wanted
    path.write_text('video,start,end,label\nother,1,2,smoke\n,3,4,smoke\n')
    assert 'found no row of video walk1' in load(page, path)
    path.write_text('start,end,label\n0,6,smoke\n5,7,drink\n')
    assert load(page, path) == 'mine.csv: 1 event, 1 cut or left out.'
    path.write_text('begin,until\n1,2\n')
    assert 'expected a CSV with the columns start, end and label' in load(page, path)
    path.write_text('video,start,end,label\nwalk1,,,\nother,0,1,smoke\n')
    assert load(page, path) == 'mine.csv: 0 events.'
    press(page, 'Control+z')
    path.write_text('start,end,label\n-1,soon,smoke\n')
    assert 'expected seconds and a name' in load(page, path)
    assert events(page) == [(0, 6, 'smoke')]


def test_work_is_there_again_until_it_is_discarded(page, address):
    press(page, 'Home', 'ArrowDown', 'Delete')
    visit(page, address)
    assert events(page) == FOUND[1:]
    assert 'is here again, 1 event' in page.text_content('#restored')
    page.click('[data-do=discard]')
    assert events(page) == FOUND and page.is_hidden('#restored')
    visit(page, address)
    assert page.is_hidden('#restored')


def test_labels_are_where_work_begins(window, tmp_path):
    labelled = np.array([[0, 100, 0], [100, 150, 2], [150, 300, 0]])
    path = tmp_path / 'labelled.html'
    path.write_text(review_page.make(made.review(labelled=labelled, seed=1)))
    visit(window, path.as_uri())
    assert window.is_checked('#rest') and events(window) == [(4, 6, 'drink')]
    window.click('[data-do=from-found]')
    assert not window.is_checked('#rest') and events(window) == FOUND
