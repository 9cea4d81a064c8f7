import numpy as np
import pytest
from scipy import special

from posevid_jax.evaluation import calibration, combination, cv_report, out_of_fold, thresholds

RULES = thresholds.rules(recall=0.8, precision=0.6)


def made(signals, outputs=1, clips=400, seed=0):
    """Labels, logits [N, M, K] of members that know as much of them as `signals` say, folds."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, max(outputs, 2), clips)
    truth = np.eye(outputs)[label] if outputs > 1 else label[:, None] - 0.5
    members = [signal * truth + rng.normal(size=truth.shape) for signal in signals]
    return label, np.stack(members, axis=1), np.arange(clips) % 4


def combined(fitted, logits):
    return fitted(np.moveaxis(logits, 1, 0))


@pytest.mark.parametrize('outputs', [1, 3])
@pytest.mark.parametrize('signals', [(2, 0), (2, 2), (2, 1, 0), (0, 0), (-2, 2), (0.1, 50)])
def test_weights_are_none_below_0_and_their_sum_is_1(signals, outputs):
    label, logits, _ = made(signals, outputs)
    weights = combination.fit(label, logits).weights
    assert min(weights) >= 0 and sum(weights) == pytest.approx(1)


def test_a_member_of_noise_counts_for_nothing_beside_one_that_knows():
    label, logits, _ = made((50, 0))
    assert combination.fit(label, logits).weights[0] > 0.99
    label, logits, _ = made((2, 1, 0), clips=5000)
    first, second, noise = combination.fit(label, logits).weights
    assert first > second > noise and noise < 0.05


@pytest.mark.parametrize('outputs', [1, 3])
def test_equal_members_have_equal_weights_whatever_their_scale(outputs):
    label, logits, _ = made((2,), outputs)
    twice = np.concatenate([logits, 7 * logits, 0.5 * logits + (outputs == 1)], axis=1)
    fitted = combination.fit(label, twice)
    np.testing.assert_allclose(fitted.weights, 1 / 3, atol=1e-3)
    # But for a factor and an offset, which a calibration finds, they are as one.
    line = np.polyfit(logits.ravel(), combined(fitted, twice).ravel(), 1)
    assert line[0] > 0
    np.testing.assert_allclose(
        combined(fitted, twice).ravel(), np.polyval(line, logits.ravel()), atol=1e-5
    )


def test_of_one_member_the_logits_stay_as_they_are_whatever_its_calibration():
    label, logits, fold = made((2,))
    for_fold = combination.fit_without_each_fold(label, logits, fold)
    np.testing.assert_allclose(for_fold, np.stack([logits[:, 0]] * 4))


def test_the_mean_is_that_of_calibrated_logits_once_it_is_calibrated():
    label, logits, _ = made((2, 1))
    logits[:, 1] = 5 * logits[:, 1] + 3
    fitted = combination.fit(label, logits)
    mean = sum(
        weight * of(logits[:, m])
        for m, (weight, of) in enumerate(zip(fitted.weights, fitted.calibrations, strict=True))
    )
    found = combined(fitted, logits)
    one, other = (calibration.fit_platt(each, label)(each) for each in (mean, found))
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_no_other_weights_make_the_labels_more_likely():
    label, logits, _ = made((2, 1), clips=4000)
    fitted = combination.fit(label, logits)

    def loss(first):
        of = combination.Combination(fitted.calibrations, (first, 1 - first))
        mean = combined(of, logits)
        return calibration.log_loss(calibration.fit_temperature(mean, label)(mean), label)

    losses = {first: loss(first) for first in np.linspace(0, 1, 41)}
    assert loss(fitted.weights[0]) <= min(losses.values()) + 1e-4
    assert abs(min(losses, key=losses.get) - fitted.weights[0]) <= 0.05


def test_a_combination_is_worth_more_than_its_members():
    label, logits, fold = made((1, 1), clips=2000)
    record = out_of_fold.evaluate(
        label, logits, fold, np.arange(2000) // 8, recall=0.8, samples=0,
        for_fold=combination.fit_without_each_fold(label, logits, fold),
    )  # fmt: skip
    each = record.members['roc_auc'].each
    assert record.pooled.roc_auc > max(each) + 0.03
    lines = cv_report.lines(record, None, ['one', 'another_run'])
    rows = {row.split()[0]: row.split()[1] for row in lines if len(row.split()) > 1}
    assert [rows['one'], rows['another_run']] == [f'{auc:.4f}' for auc in each]
    assert len({len(row) for row in lines[:12]}) == 1  # columns in line


def test_what_judges_a_fold_knows_nothing_of_its_labels():
    label, logits, fold = made((2, 1))
    turned = np.where(fold == 2, 1 - label, label)
    before, after = (combination.fit_without_each_fold(of, logits, fold) for of in (label, turned))
    np.testing.assert_array_equal(before[2], after[2])
    for k in (0, 1, 3):
        assert np.abs(before[k] - after[k]).max() > 0.1
    # Nor does the threshold: what is decided about the fold stays, right becomes wrong.
    one, two = (
        out_of_fold.operating_points(of, logits[:, 0, 0], fold, RULES, special.expit(each[:, :, 0]))
        for of, each in ((label, before), (turned, after))
    )
    confusions = []
    for of, each in ((label, before), (turned, after)):
        prob = special.expit(each[2, :, 0])
        others = fold != 2
        threshold = thresholds.highest_f1(of[others], prob[others])
        confusions.append(thresholds.operating_point(of[~others], prob[~others], threshold))
    (tn, fp), (fn, tp) = confusions[0].confusion
    assert confusions[1].confusion == [[fn, tp], [tn, fp]]
    assert one['f1'].expected.f1 > two['f1'].expected.f1


def test_each_fold_is_decided_by_its_own_logits_and_the_threshold_of_the_others():
    label, logits, fold = made((2, 1))
    for_fold = combination.fit_without_each_fold(label, logits, fold)
    decided = np.empty(len(label), bool)
    for k in range(4):
        prob, others = special.expit(for_fold[k, :, 0]), fold != k
        fitted = combination.fit(label[others], logits[others])
        np.testing.assert_allclose(prob, special.expit(combined(fitted, logits)[:, 0]))
        threshold = thresholds.highest_f1(label[others], prob[others])
        decided[~others] = prob[~others] >= threshold
    expected = thresholds.operating_point(label, decided, 0.5).f1
    record = out_of_fold.evaluate(
        label, logits, fold, np.arange(400) // 4, recall=0.8, samples=0, for_fold=for_fold
    )
    assert record.pooled.f1 == expected
    points = out_of_fold.operating_points(
        label, np.full(400, 0.5), fold, RULES, special.expit(for_fold[:, :, 0])
    )
    assert points['f1'].expected.f1 == expected
