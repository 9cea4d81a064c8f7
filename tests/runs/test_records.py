"""What a run writes beside its JSON: event files, seconds by phase; and what the loop reads."""

import json
import struct
import time

import jax
import pytest
from tensorboardX.proto.event_pb2 import Event

from posevid_jax.evaluation.decision import Origin
from posevid_jax.machine import compilation_cache, phases
from posevid_jax.runs.records import Records
from posevid_jax.runs.tensorboard import EventFiles
from posevid_jax.training import loop
from tests import toy
from tests.evaluation import made


def events(folder):
    """The events of all files, as TensorBoard reads them: length, checksum, event, checksum."""
    found = []
    for path in sorted(folder.iterdir()):
        content, place = path.read_bytes(), 0
        while place < len(content):
            (length,) = struct.unpack_from('<Q', content, place)
            found.append(Event.FromString(content[place + 12 : place + 12 + length]))
            place += length + 16
    return found


def points(folder):
    return {
        (value.tag, event.step): value.simple_value
        for event in events(folder)
        for value in event.summary.value
    }


def test_event_files_hold_the_numbers_of_the_records(tmp_path):
    loop.train_and_evaluate(toy.config(), tmp_path)
    found = points(tmp_path / 'tensorboard')
    for line in (tmp_path / 'metrics.jsonl').open():
        record = json.loads(line)
        assert found['step/loss', record['step']] == pytest.approx(record['loss'])
        assert found['step/learning_rate', record['step']] == pytest.approx(record['learning_rate'])
    for record in json.loads((tmp_path / 'history.json').read_text()):
        for group, key in (('train', 'loss'), ('val', 'loss'), ('val', 'roc_auc')):
            point = found[f'{group}/{key}', record['step']]
            assert point == pytest.approx(record[group][key])
    assert not [tag for tag, _ in found if 'class_names' in tag]


def test_a_resumed_start_hides_the_points_that_it_repeats(tmp_path):
    for first in (0, 2):
        board = EventFiles(tmp_path, first)
        board.add('step', first + 1, {'loss': 1.0, 'best': None})
        board.close()
    starts = [e.step for e in events(tmp_path / 'tensorboard') if e.HasField('session_log')]
    assert starts[-1] == 3


def test_without_tensorboard_there_are_no_event_files(tmp_path):
    loop.train_and_evaluate(toy.config(train__tensorboard=False, train__num_epochs=1), tmp_path)
    assert not (tmp_path / 'tensorboard').exists()


def test_every_second_belongs_to_one_phase(tmp_path):
    loop.train_and_evaluate(toy.config(), tmp_path)
    seconds = json.loads((tmp_path / 'reproduce.json').read_text())['time']
    total = seconds.pop('total_s')
    assert set(seconds) == {'compile_s', 'data_wait_s', 'step_s', 'eval_s', 'save_s', 'other_s'}
    assert all(value >= 0 for value in seconds.values()), seconds
    assert sum(seconds.values()) == pytest.approx(total)


def test_the_compilation_is_announced_once():
    said, spent = [], phases.Phases()
    step = phases.announced(lambda seconds: time.sleep(seconds), said.append, spent)
    step(0.01)
    step(0.0)
    assert len(said) == 2 and said[1].startswith('compiled in ')
    assert spent.read()['compile_s'] >= 0.01


def count_reads(monkeypatch, tmp_path, config):
    """Arrays that a whole run copies to the host."""
    reads = 0
    array = type(jax.numpy.zeros(()))
    copy = array._value.fget

    def counted(self):
        nonlocal reads
        reads += 1
        return copy(self)

    with monkeypatch.context() as patch:
        patch.setattr(array, '_value', property(counted))
        loop.train_and_evaluate(config, tmp_path)
    return reads


@pytest.mark.parametrize('kind', ['jit', 'pmap'])
def test_steps_that_are_not_logged_read_nothing_from_the_device(tmp_path, monkeypatch, kind):
    def reads(name, batch_size, log_every):
        config = toy.config(
            parallel=kind,
            train__num_epochs=1,
            train__batch_size=batch_size,
            train__log_every_steps=log_every,
        )
        return count_reads(monkeypatch, tmp_path / name, config)

    few, many = reads('few', 16, 1000), reads('many', 2, 1000)  # 2 and 16 steps
    assert few == many > 0
    logged = reads('logged', 2, 4)
    lines = (tmp_path / 'logged/metrics.jsonl').read_text().splitlines()
    assert len(lines) == 4
    # Every number of a line once; the step itself is the host's.
    assert logged - many == 4 * (len(json.loads(lines[0])) - 1)


def test_the_cache_goes_where_the_configuration_says_unless_the_environment_does(
    tmp_path, monkeypatch
):
    before = jax.config.jax_compilation_cache_dir
    try:
        compilation_cache.enable(str(tmp_path))
        assert jax.config.jax_compilation_cache_dir == before
        monkeypatch.delenv('JAX_COMPILATION_CACHE_DIR')
        compilation_cache.enable('')
        assert jax.config.jax_compilation_cache_dir == before
        compilation_cache.enable(str(tmp_path))
        assert jax.config.jax_compilation_cache_dir.startswith(str(tmp_path))
    finally:
        jax.config.update('jax_compilation_cache_dir', before)


@pytest.mark.parametrize(('metric', 'best'), [('roc_auc', 1), ('last', 2)])
def test_the_best_epoch_is_the_one_of_the_best_score_or_the_last(tmp_path, metric, best):
    book = Records(tmp_path, metric, 0, Origin(chosen_on='toys', clips=2))
    scores = []
    for epoch, auc in ((1, 0.9), (2, 0.4)):
        entry = made.epoch(epoch, auc, step=10 * epoch)
        book.epoch(entry, made.choice(auc))
        scores.append(book.score(entry))
    book.close()
    found = json.loads((tmp_path / 'best.json').read_text())
    assert (found['epoch'], found['step']) == (best, 10 * best)
    assert scores.index(max(scores)) == best - 1  # what the checkpoints are ranked by
    chosen = json.loads((tmp_path / 'thresholds.json').read_text())
    assert chosen['step'] == found['step']
