"""How large the page for an hour is, how long it takes to write, and how fast it draws a frame.

    python -m benchmarks.review_page --browser=/usr/bin/chromium

needs `pip install playwright` and a browser that it drives. The body is simulated, with more noise
than most estimators have; a thousand events lie in it. A frame is drawn, and its pixels are read
back, so that no work is left for later. The processor's time says what that takes where nothing
else runs; the clock's, what it took.
"""

import pathlib
import tempfile
import time

import numpy as np
from absl import app, flags

from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.data.synthetic import make_clips
from posevid_jax.evaluation import review_page
from posevid_jax.evaluation.review_page import Review
from posevid_jax.evaluation.table import Table

_BROWSER = flags.DEFINE_string('browser', '/usr/bin/chromium', 'the browser to drive')
_FRAMES = flags.DEFINE_integer('frames', 108_000, 'of the recording, at 30 a second')
_EVENTS = 1000
_DRAWN = 300

# Draws frames some way from each other, with a minute or all of the recording on the timeline.
_DRAW = """([count, step, out]) => {
  for (let k = 0; k < out; k++) document.querySelector('[data-do=out]').click();
  const pictures = ['stage', 'timeline', 'overview'].map((id) => document.getElementById(id));
  const spent = [];
  for (let k = 0; k < count; k++) {
    review.goTo((k * step) % review.frames);
    const begin = performance.now();
    review.draw();
    for (const picture of pictures) picture.getContext('2d').getImageData(0, 0, 1, 1);
    spent.push(performance.now() - begin);
  }
  return spent;
}"""
_CASES = (  # what is done: frames to the next picture, clicks on "Show more time"
    ('playing, a minute on the timeline', 1, 0),
    ('another minute in each picture', 4001, 0),
    ('all of it on the timeline', 4001, 12),
)


def long_review(frames: int) -> Review:
    """A simulated recording, with events and a probability that is mostly noise."""
    clips = make_clips(num_videos=1, clips_per_video=1, num_frames=frames, seed=1)
    assert clips.skeleton is not None and clips.skeleton_mask is not None  # it is simulated
    joints = np.where(clips.skeleton_mask[0][..., None], clips.skeleton[0], np.float32(np.nan))
    rng = np.random.default_rng(0)
    starts = np.linspace(0, frames - 60, _EVENTS).astype(int)
    seconds = np.arange(frames + 1) / 30
    noise = rng.normal(0, 0.02, frames).cumsum()
    return Review(
        recording=Recording(
            name='hour', joints=joints, joint_names=clips.joint_names, fps=30.0, width=16,
            height=9, time=seconds[:-1],
        ),
        seconds=seconds,
        class_names=['no_smoke', 'smoke'],
        prob=np.abs((noise + rng.normal(0, 0.03, frames)) % 2 - 1).clip(0, 1),
        limits=(0.6, 0.5),
        found=np.stack([starts, starts + 50, np.ones(_EVENTS, int)], 1),
        labelled=None,
        uncertain=rng.random(frames) < 0.1,
    )  # fmt: skip


def draw_times(path: pathlib.Path, browser: str, step: int, out: int) -> tuple[float, np.ndarray]:
    """Milliseconds of the processor for a picture in a real browser, and of the clock for each."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        program = driver.chromium.launch(executable_path=browser, args=['--no-sandbox'])
        page = program.new_page(viewport={'width': 1440, 'height': 900})
        page.goto(path.as_uri())
        page.wait_for_function('() => window.review')
        session = page.context.new_cdp_session(page)
        session.send('Performance.enable', {'timeDomain': 'threadTicks'})

        def spent() -> float:
            metrics = session.send('Performance.getMetrics')['metrics']
            return next(1000 * one['value'] for one in metrics if one['name'] == 'TaskDuration')

        before = spent()
        times = page.evaluate(_DRAW, [_DRAWN, step, out])
        return (spent() - before) / _DRAWN, np.array(times)


def main(_: list[str]) -> None:
    review = long_review(_FRAMES.value)
    begin = time.perf_counter()
    text = review_page.make(review)
    spent = time.perf_counter() - begin
    print(f'{_FRAMES.value:,} frames: {len(text) / 1e6:.1f} MB, made in {spent:.1f} s')
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / 'hour.html'
        path.write_text(text)
        rows = []
        for what, step, out in _CASES:
            processor, times = draw_times(path, _BROWSER.value, step, out)
            clock = (f'{np.quantile(times, q):.1f}' for q in (0.5, 0.99))
            rows.append((what, f'{processor:.1f}', *clock))
    header = ('', 'processor, mean', 'clock, median', 'clock, 99 %')
    print('\n'.join(Table('Milliseconds to draw a picture', header, rows).lines()))


if __name__ == '__main__':
    app.run(main)
