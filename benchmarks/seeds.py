"""How much faster several seeds in one program are than one after another, in one run.

    python -m benchmarks.seeds --config=configs/stat_pool.py \
        [--config.data.train=$CLIPS/train_clips.npz] [--seeds=8] [--epochs=10]

Both sides do all that a training does between two evaluations: gather the batch, transfer it, step.
The programs are compiled before the clock starts; a round of one is followed by a round of the
other, so that a machine whose speed drifts slows both down.
"""

import statistics
import time

import jax
from absl import app, flags
from ml_collections import config_flags

from posevid_jax.machine.parallel import Parallel
from posevid_jax.training import experiment as experiments

_CONFIG = config_flags.DEFINE_config_file('config', 'configs/stat_pool.py')
_SEEDS = flags.DEFINE_integer('seeds', 8, 'Members trained side by side.')
_EPOCHS = flags.DEFINE_integer('epochs', 5, 'Epochs of a training.')
_ROUNDS = 3


def main(_):
    config = _CONFIG.value
    one, several = training(config, 1), training(config, _SEEDS.value)
    ratios = []
    for _ in range(_ROUNDS):
        in_turn, at_once = sum(one() for _ in range(_SEEDS.value)), several()
        ratios.append(in_turn / at_once)
        print(
            f'{_SEEDS.value} seeds: one after another {in_turn:.2f} s, in one program '
            f'{at_once:.2f} s, ratio {ratios[-1]:.2f}',
            flush=True,
        )
    print(f'median ratio {statistics.median(ratios):.2f}')


def training(config, num_seeds):
    """A function that trains from the start and returns the seconds it took."""
    config = config.copy_and_resolve_references()
    config.train.num_seeds = num_seeds
    experiment, parallel = experiments.build(config), Parallel(config.parallel)
    step, key = parallel.compile_train(experiment.train_step()), jax.random.key(config.seed)
    num_steps = _EPOCHS.value * experiment.steps_per_epoch

    def train(steps=num_steps):
        data, state = experiment.data(), experiment.initial_state()
        jax.block_until_ready(state)
        started = time.perf_counter()
        for _ in range(steps):
            state, _ = step(state, parallel.split(next(data)), key)
        jax.block_until_ready(state)
        return time.perf_counter() - started

    train(steps=2)
    return train


if __name__ == '__main__':
    app.run(main)
