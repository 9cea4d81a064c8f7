"""What happened around each frame, against plain loops."""

import numpy as np
import pytest

from posevid_jax.features.body_around import surroundings

FPS = np.array([25, 30], np.float32)
FRAMES = 120


@pytest.fixture(scope='module')
def columns():
    rng = np.random.default_rng(0)
    walk = np.abs(np.cumsum(rng.normal(0, 0.15, (2, FRAMES)), axis=1)).astype(np.float32)
    seen = rng.random((2, FRAMES)) > 0.2
    seen[:, 40:75] = False  # more than a window of half a second on either side
    return {
        'near_hand_distance': (walk, seen),
        'near_hand_y': (walk - 1, seen),
        'near_forearm_off_mouth': (walk / 3, rng.random((2, FRAMES)) > 0.2),
        'mouth_y': (walk, rng.random((2, FRAMES)) > 0.1),
    }


@pytest.fixture(scope='module')
def found(columns):
    return by_name(columns, FPS)


def by_name(columns, fps):
    names, *parts = surroundings(columns, fps)
    return dict(zip(names, zip(*map(np.asarray, parts), strict=True), strict=True))


def test_extremes_are_those_of_the_frames_on_one_side(columns, found):
    seen = columns['near_hand_distance'][1]
    names = [name for name in found if name.endswith(('_before', '_after'))]
    assert len(names) == 16
    for name in names:
        column, what, frames, side = name.rsplit('_', 3)
        value, observed = columns[column]
        for clip in range(2):
            for t in range(FRAMES):
                reach = int(frames)
                window = slice(max(t - reach, 0), t + 1)
                if side == 'after':
                    window = slice(t, t + reach + 1)
                left = value[clip, window][(observed & seen)[clip, window]]
                assert found[name][1][clip, t] == bool(left.size), (name, clip, t)
                expected = (left.min() if what == 'lowest' else left.max()) if left.size else 0
                assert found[name][0][clip, t] == expected, (name, clip, t)
    assert not found['near_hand_distance_lowest_15_before'][1].all()


@pytest.mark.parametrize('limit', [0.35, 0.6, 1.0])
def test_visits_are_told_in_seconds(columns, found, limit):
    distance, seen = columns['near_hand_distance']
    visit = seen & (distance < limit)
    for clip in range(2):
        at, away = np.flatnonzero(visit[clip]), np.flatnonzero(~visit[clip])

        def since(moments, t, clip=clip):
            return min([2.5, *(t - moments[moments <= t]) / FPS[clip]])

        def until(moments, t, clip=clip):
            return min([2.5, *(moments[moments >= t] - t) / FPS[clip]])

        for t in range(FRAMES):
            length = since(away, t) + until(away, t) if visit[clip, t] else 0
            for what, expected in (
                ('since', since(at, t)), ('until', until(at, t)), ('length', length)
            ):  # fmt: skip
                value, known = found[f'visit_{limit}_{what}']
                assert value[clip, t] == pytest.approx(expected, abs=1e-5), (what, clip, t)
                assert known[clip, t] == columns['mouth_y'][1][clip, t]
    assert visit.any() and not visit.all()


def test_a_clip_shorter_than_a_window():
    columns = {
        name: (np.full((1, 3), 0.5, np.float32), np.array([[False, True, False]]))
        for name in ('near_hand_distance', 'near_hand_y', 'near_forearm_off_mouth', 'mouth_y')
    }
    found = by_name(columns, np.array([30.0]))
    value, known = found['near_hand_distance_lowest_90_before']
    np.testing.assert_array_equal(known, [[False, True, True]])
    np.testing.assert_array_equal(value, [[0, 0.5, 0.5]])
