"""The plain lines of a log, and the rates in them."""

import pytest

from posevid_jax.machine import progress


class Log:
    """A run of 10,000 steps of 8 clips whose clock is set by hand."""

    def __init__(self, monkeypatch, capsys):
        self.now = 0.0
        monkeypatch.setattr(progress.time, 'monotonic', lambda: self.now)
        self.progress = progress.Progress(step=0, total=10_000, batch_size=8)
        self._capsys = capsys

    def at(self, seconds, step):
        """What is said when a step is done at a time."""
        self.now = seconds
        self.progress.update(step)
        return self._capsys.readouterr().out


@pytest.fixture
def log(monkeypatch, capsys):
    log = Log(monkeypatch, capsys)
    yield log
    log.progress.close()


def test_a_line_says_where_the_run_is(log):
    assert not log.at(60, 1)
    log.progress.read({'loss': 0.5, 'learning_rate': 1e-3})
    log.progress.waited = 5.0
    assert not log.at(65, 500)
    line = log.at(80, 1001)
    for part in ('step 1001/10000, loss 0.5000, lr 0.001, 400 clips/s, 25% of the time waiting',
                 ' GiB, 180 s left\n'):  # fmt: skip
        assert part in line, line


def test_a_compilation_and_steps_that_were_only_handed_over_make_no_rate(log):
    assert not log.at(60, 1)  # compiled for a minute
    assert not log.at(60.001, 2)
    log.progress._printed = 0.0  # as where a line is shown after every step
    line = log.at(61, 10)
    assert 'step 10/10000' in line and 'clips/s' not in line and 'left' not in line
    assert ', 24 clips/s' in log.at(71, 34)


def test_evaluations_and_what_is_long_past_do_not_count_in_the_rate(log):
    assert not log.at(0, 1)
    assert ', 16 clips/s' in log.at(10, 21)
    log.at(15, 31)
    with log.progress.aside():
        log.now = 1015.0  # an evaluation, compiled
    assert ', 16 clips/s' in log.at(1020, 41)
    for seconds in range(1021, 1060):
        line = log.at(seconds, 41 + 10 * (seconds - 1020))
        if line:
            last = line
    assert ', 80 clips/s' in last and ', 16 clips/s' not in last
