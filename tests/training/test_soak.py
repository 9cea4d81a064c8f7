"""A short soak; the long one is `python -m benchmarks.soak`."""

from benchmarks import soak


def test_a_run_killed_at_random_moments_ends_as_one_left_alone(tmp_path, monkeypatch):
    # One kill while a checkpoint is written, and one while an epoch is recorded.
    monkeypatch.setattr(soak, 'POINTS', {'save': 6, 'write': 14})
    assert soak.soak(2, tmp_path / 'soak', epochs=8) == []
