"""The plain lines of a log."""

import re

from posevid_jax.machine import progress


def test_a_line_says_where_the_run_is(monkeypatch, capsys):
    clock = iter(range(0, 1000, 20))  # seconds; each look at it is 20 later
    monkeypatch.setattr(progress.time, 'monotonic', lambda: next(clock))
    shown = progress.Progress(step=0, total=10, batch_size=8)
    shown.update(1)  # the one that compiles
    assert not capsys.readouterr().out
    shown.read({'loss': 0.5, 'learning_rate': 1e-3})
    shown.waited = 5.0
    shown.update(2)
    line = capsys.readouterr().out
    for part in ('step 2/10', 'loss 0.5000', 'lr 0.001', '25% of the time waiting', '160 s left'):
        assert part in line, line
    assert re.search(r'0 clips/s', line) and re.search(r'\d\.\d GiB', line)
    shown.close()
