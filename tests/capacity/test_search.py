"""The search against fakes of the compiler: right answers from few compiles."""

import math
import random

import pytest

from posevid_jax.capacity.search import Measurement, search

MB = 10**6
FIXED = 400 * MB
BUDGET = 100_000 * MB
DEFAULTS = dict(
    fixed_bytes=FIXED,
    multiple=8,
    first=64,
    limit=65_536,
    recompute_bytes=None,
    prove=True,
    tolerance=0.05,
)


def affine(batch):
    return Measurement(FIXED + 13 * MB * batch, 0)


def bent(batch):
    """A line that is 10 % steeper for small batches, as measured."""
    return Measurement(FIXED + 13 * MB * batch + int(300 * MB * batch / (batch + 200)), 0)


def plateau(limit, slope=MB // 2, saved=0.96):
    """On the line up to `limit`; then the compiler saves, until it cannot."""

    def measure(batch):
        size = affine(batch).bytes
        if size <= limit:
            return Measurement(size, 0)
        start = (limit - FIXED) // (13 * MB)
        return Measurement(int(limit * saved) + slope * (batch - start), 1 + (batch - start) // 50)

    return measure


def steps(batch):
    """Padded to whole tiles of 128 clips."""
    return affine(-(-batch // 128) * 128)


def convex(batch):
    return Measurement(FIXED + 13 * MB * batch + 100 * batch**2, 0)


def noise(batch):
    """Of a hundred times what a clip takes."""
    return Measurement(int(affine(batch).bytes * random.Random(batch).uniform(0.99, 1.01)), 0)


def run(measure, budget=BUDGET, **changed):
    calls = []

    def once(batch):
        assert batch % (DEFAULTS | changed)['multiple'] == 0
        assert batch not in calls, 'compiled twice'
        calls.append(batch)
        return measure(batch)

    answer = search(once, budget, **(DEFAULTS | changed))
    assert [trial.batch for trial in answer.trials] == calls
    return answer


def true_best(measure, budget=BUDGET, multiple=8):
    good = 0
    for batch in range(multiple, 65_536, multiple):
        found = measure(batch)
        if found.bytes > budget or found.recomputed:
            break
        good = batch
    return good


def random_curve(seed):
    """Bytes that grow from each batch to the next: a line, bent and stepped, and perhaps a plateau.

    Returns the curve and where the compiler is expected to begin to save.
    """
    draw = random.Random(seed)
    fixed, slope = draw.uniform(10, 900) * MB, draw.uniform(3, 60) * MB
    early, late = draw.uniform(0, 1) * slope, draw.choice([0, 0, draw.uniform(0, 3)])
    tile = draw.choice([1, 1, 8, 32, 128])
    saves = draw.choice([math.inf, draw.uniform(0.2, 1.3) * BUDGET])
    flat = draw.uniform(0.05, 0.3)

    def measure(batch):
        clips = -(-batch // tile) * tile
        size = fixed + slope * clips + early * 200 * clips / (clips + 200)
        size += late * slope * clips**2 / 10_000 + batch
        if size <= saves:
            return Measurement(int(size), 0)
        return Measurement(int(0.97 * saves + flat * (size - saves)), 1)

    expected = None if math.isinf(saves) else int(saves * draw.uniform(0.97, 1.03))
    return measure, draw.choice([None, expected])


@pytest.mark.parametrize('seed', range(400))
def test_the_answer_is_exact_whatever_the_curve(seed):
    draw = random.Random(-seed)
    multiple, first = draw.choice([1, 8, 24]), draw.choice([8, 64, 5000])
    measure, expected = random_curve(seed)
    answer = run(measure, multiple=multiple, first=first, recompute_bytes=expected)
    best = answer.best.batch if answer.best else 0
    assert best == true_best(measure, multiple=multiple)
    assert answer.best_next.batch == best + multiple
    assert not answer.best_next.fits or answer.best_next.recomputed
    assert len(answer.trials) <= 40
    if answer.largest and answer.largest.recomputed and answer.largest_next:
        assert_bracketed(measure, answer, 0.05, multiple)


@pytest.mark.parametrize(('off', 'compiles'), [(0, 2), (3, 3), (-40, 3)])
def test_two_or_three_compiles_do_from_the_answer_for_a_step_that_takes_nearly_the_same(
    off, compiles
):
    answer = run(affine, first=true_best(affine) + 8 * off)
    assert answer.best.batch == true_best(affine)
    assert answer.best_next.batch == answer.best.batch + 8
    assert len(answer.trials) == compiles


@pytest.mark.parametrize(('measure', 'compiles'), [(affine, 4), (bent, 4), (steps, 9), (convex, 7)])
def test_a_line_takes_four_compiles_and_a_curve_some_more(measure, compiles):
    answer = run(measure)
    assert answer.best.batch == true_best(measure)
    assert answer.largest == answer.best
    assert answer.largest_next == answer.best_next
    assert len(answer.trials) <= compiles


def test_a_line_takes_three_compiles_without_the_proof():
    answer = run(affine, prove=False)
    assert answer.best.batch == true_best(affine)
    assert len(answer.trials) == 3
    assert answer.line == pytest.approx((13 * MB, FIXED))


def test_the_line_is_drawn_over_a_long_way():
    assert run(bent).line.per_clip == pytest.approx(13 * MB, rel=5e-3)
    assert run(noise).line.per_clip == pytest.approx(13 * MB, rel=0.03)


def test_with_noise_the_answer_has_a_neighbour_that_fails_and_is_near():
    answer = run(noise)
    assert answer.best.fits
    assert answer.best_next.batch == answer.best.batch + 8
    assert not answer.best_next.fits
    assert answer.best.batch == pytest.approx(true_best(affine), rel=0.02)
    assert len(answer.trials) <= 8


@pytest.mark.parametrize('multiple', [1, 3, 8, 128])
@pytest.mark.parametrize('budget', [500 * MB, 2_000 * MB, 30_000 * MB, BUDGET])
def test_every_multiple_and_budget(multiple, budget):
    answer = run(affine, budget, multiple=multiple)
    expected = (budget - FIXED) // (13 * MB) // multiple * multiple
    assert (answer.best.batch if answer.best else 0) == expected
    assert len(answer.trials) <= 5


def test_a_budget_below_the_compilers_limit_is_met_again_on_the_plateau():
    limit = BUDGET * 1.014
    measure = plateau(limit)
    answer = run(measure, recompute_bytes=int(limit))
    assert answer.best.batch == true_best(measure)
    assert answer.best_next.batch == answer.best.batch + 8
    assert not answer.best_next.recomputed
    assert answer.largest.batch > answer.best.batch
    assert answer.largest.recomputed > 0
    assert_bracketed(measure, answer, 0.05)
    assert len(answer.trials) <= 12


def test_a_limit_below_the_budget_bounds_the_batch_without_recomputation():
    measure = plateau(0.7 * BUDGET, slope=3 * MB)
    answer = run(measure, recompute_bytes=int(0.71 * BUDGET))
    assert answer.best.batch == true_best(measure)
    assert answer.best_next.recomputed > 0
    assert_bracketed(measure, answer, 0.05)
    assert len(answer.trials) <= 14


def test_no_plateau_is_looked_for_where_the_compiler_would_not_save_enough():
    measure = plateau(1.1 * BUDGET)
    answer = run(measure, recompute_bytes=int(1.1 * BUDGET))
    assert answer.largest == answer.best
    assert len(answer.trials) <= 4


def test_one_compile_looks_for_a_plateau_that_is_not_there():
    answer = run(affine, recompute_bytes=int(1.02 * BUDGET))
    assert answer.best.batch == true_best(affine)
    assert len(answer.trials) == 5


@pytest.mark.parametrize('expected', [0.98, 0.995, 1.0])
def test_a_compiler_that_does_not_begin_to_save_where_expected_costs_few_compiles(expected):
    answer = run(affine, recompute_bytes=int(expected * BUDGET))
    assert answer.best.batch == true_best(affine)
    assert len(answer.trials) <= 8


def test_what_never_fits_is_known_from_the_smallest_batch():
    for budget in (100 * MB, 410 * MB):
        answer = run(affine, budget)
        assert answer.best is None
        assert answer.largest is None
        assert answer.best_next.batch == answer.trials[-1].batch == 8
        assert len(answer.trials) <= 3


@pytest.mark.parametrize('measure', [affine, lambda batch: Measurement(FIXED, 0)])
def test_what_always_fits_ends_at_the_limit(measure):
    answer = run(measure, 10**15, limit=1000)
    assert answer.best.batch == answer.largest.batch == 1000
    assert answer.best_next is answer.largest_next is None
    assert len(answer.trials) <= 3


def test_a_compiler_that_runs_out_of_memory_itself_is_a_batch_that_does_not_fit():
    answer = run(lambda batch: affine(batch) if batch < 3000 else Measurement(None, 0))
    assert answer.best.batch == 2992
    assert len(answer.trials) <= 20


def test_first_batch_far_too_large():
    answer = run(affine, first=60_000)
    assert answer.best.batch == true_best(affine)
    assert len(answer.trials) <= 4


def assert_bracketed(measure, answer, tolerance, multiple=8):
    """`largest` fits, and a failing batch was compiled within the tolerance above it."""
    batch = answer.largest.batch
    assert measure(batch).bytes <= BUDGET
    assert not answer.largest_next.fits
    assert answer.largest_next.batch - batch <= max(multiple, tolerance * batch)
