"""A training that runs out of memory says so, and goes on from its checkpoint."""

import json

import jax
import pytest

from posevid_jax.capacity import batch_size
from posevid_jax.errors import InputError
from posevid_jax.machine.parallel import Parallel
from posevid_jax.training import loop
from tests import toy


def test_the_last_checkpoint_is_intact_and_the_run_goes_on(tmp_path, monkeypatch):
    config = toy.config('stat_pool', parallel='jit')
    compile_train = Parallel.compile_train

    def runs_out_in_the_second_epoch(self, train_step):
        step = compile_train(self, train_step)

        def train(state, batch, rng):
            if int(state.step) == 3:
                raise jax.errors.JaxRuntimeError('RESOURCE_EXHAUSTED: Out of memory')
            return step(state, batch, rng)

        return train

    with monkeypatch.context() as patched:
        patched.setattr(Parallel, 'compile_train', runs_out_in_the_second_epoch)
        with (
            pytest.raises(InputError, match=r'16 clips per device at a time.*--mode=probe'),
            batch_size.out_of_memory_explained(config),
        ):
            loop.train_and_evaluate(config, tmp_path)
    loop.train_and_evaluate(config, tmp_path)
    history = json.loads((tmp_path / 'history.json').read_text())
    assert [record['epoch'] for record in history] == [1, 2]
