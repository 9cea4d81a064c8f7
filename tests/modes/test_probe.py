"""Mode probe from end to end on the CPU, and training that takes its batch size from it."""

import json
import types

import jax
import jax.numpy as jnp
import pytest

from configs import probe as probe_config
from posevid_jax.capacity import batch_size, on_device, schema
from posevid_jax.capacity.candidate import Candidate
from posevid_jax.capacity.on_device import Rung
from posevid_jax.errors import InputError
from posevid_jax.machine.parallel import Parallel
from posevid_jax.modes.cv import cross_validate
from posevid_jax.modes.probe import pairs, probe
from posevid_jax.runs import environment
from posevid_jax.training import loop

MB = 10**6


def config(**overrides):
    c = probe_config.get_config()
    c.model.name = 'stat_pool'
    c.model.stat_pool.hidden_sizes = (8,)
    c.data.synthetic.num_videos = 6
    c.data.synthetic.clips_per_video = 8
    c.data.synthetic.num_frames = 8
    c.parallel = 'jit'
    c.probe.packs = ('off', 'light')
    c.probe.memory_bytes = 20 * MB
    c.probe.memory_fraction = 1.0
    c.probe.reserve_bytes = 0
    c.probe.first_batch = 16
    c.probe.ladder = 2
    c.probe.timed_steps = 1
    c.update_from_flattened_dict({key.replace('__', '.'): v for key, v in overrides.items()})
    return c.lock()


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """A report of both packs of a small StatPool on this machine."""
    directory = tmp_path_factory.mktemp('probe') / 'new'
    probe(config(), directory)
    return directory / 'capacity_report.json'


def training(path, **overrides):
    return config(
        **{
            'features__pack': 'light',
            'train__batch_size': 0,
            'train__capacity_report': str(path),
            'train__learning_rate': 3e-4,
            'train__num_epochs': 3,
        }
        | overrides
    )


def test_the_report_answers_for_every_pack_and_is_valid(made):
    report = json.loads(made.read_text())
    schema.check(report, 'report')
    assert report['commit'] == environment.environment()['commit']
    assert [p.name for p in made.parent.iterdir()] == ['capacity_report.json']
    assert [r['pack'] for r in report['results']] == ['off', 'light']
    for record in report['results']:
        assert record['best_batch'] % 8 == 0
        compiled = {item['batch']: item for item in record['compiles']}
        assert compiled[record['best_batch']]['bytes'] == record['peak_bytes'] <= 20 * MB
        following = compiled[record['best_next']]
        assert following['batch'] == record['best_batch'] + 8
        assert following['bytes'] > 20 * MB
        assert record['max_bracket'] == record['max_next'] - record['max_batch'] == 8
        assert record['workspace_bytes'] == 0  # what is here is compiled with its own
        assert len(compiled) <= 6
        assert record['ladder'][-1]['batch'] == record['best_batch']
        assert record['recommended']['which'] == 'knee_batch'
        # A CPU does not say how much it used.
        assert record['verified']['steps'] == 3
        assert record['verified']['peak_bytes_in_use'] is None
    off, light = report['results']
    assert light['best_batch'] < off['best_batch']
    assert light['fingerprint'] != off['fingerprint']


def test_what_makes_no_difference_is_asked_once():
    some = {'probe__sizes': ('mini', 'tiny'), 'probe__packs': ('off', 'full')}
    assert pairs(config(**some)) == [(None, 'off'), (None, 'full')]
    swin = {'model__name': 'video_swin'}
    assert len(pairs(config(**some, **swin))) == 4
    joints = {'features__layout': 'skeleton'}
    assert pairs(config(**some, **swin, **joints)) == [('mini', 'off'), ('tiny', 'off')]


def test_what_is_probed_and_timed_is_the_very_step_of_the_training(monkeypatch, tmp_path):
    programs = []
    compile_train = Parallel.compile_train

    class Traced(Exception):
        """A step has been noted and need not run."""

    def compile_and_trace(self, step):
        step = compile_train(self, step)

        def trace(*arguments):
            programs.append(str(step.trace(*arguments).jaxpr))
            raise Traced

        trace.lower = trace
        return trace

    monkeypatch.setattr(Parallel, 'compile_train', compile_and_trace)
    # A constant rate, so that a program does not depend on the number of steps.
    settings = {'train__schedule': 'constant', 'train__warmup_epochs': 0.0}
    training = config(train__batch_size=16, augment__mirror=0.5, **settings)
    candidate = Candidate(training, 'cpu', tuple(jax.devices()[:1]))
    for use in (
        lambda: loop.train_and_evaluate(training, tmp_path),
        lambda: candidate.compile(16, {}),
        lambda: on_device.throughput(candidate, 16, 1),
    ):
        with pytest.raises(Traced):
            use()
    assert len(programs) == 3 and len(set(programs)) == 1


def test_a_fingerprint_sees_augmentation():
    plain, augmented = (
        Candidate(config(augment__mirror=probability), 'cpu', tuple(jax.devices()[:1]))
        for probability in (0.0, 0.5)
    )
    assert plain.fingerprint('cpu') != augmented.fingerprint('cpu')


def test_two_devices_are_probed_with_pmap(tmp_path):
    report = probe(config(parallel='pmap', probe__packs=('off',)), tmp_path)
    record = report['results'][0]
    assert record['devices'] == 2
    assert record['recommended']['global_batch'] == 2 * record['recommended']['batch']
    assert all(item['all_reduces'] > 0 for item in record['compiles'])


@pytest.mark.parametrize(
    ('overrides', 'named'),
    [
        ({'probe__memory_bytes': 1000}, 'not even 8 clips per device fit: .* 1000'),
        ({'probe__packs': ('huge',)}, 'probe.packs: found huge, expected some of off, light, full'),
        (
            {'model__name': 'video_swin', 'probe__sizes': ('giant',)},
            'probe.sizes: found giant, expected some of mini, body, tiny, small, base',
        ),
        ({'probe__packs': ()}, 'probe.packs: found none'),
        ({'probe__device': 'gtx'}, 'probe.device'),
        ({'probe__multiple_of': 0}, 'probe.multiple_of'),
        ({'probe__bracket': 1.0}, 'probe.bracket'),
    ],
)
def test_what_cannot_be_probed_is_one_line_and_no_report(tmp_path, overrides, named):
    with pytest.raises(InputError, match=named) as caught:
        probe(config(**overrides), tmp_path)
    assert '\n' not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_written_is_known_before_compiling(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='cannot be written'):
        probe(config(), tmp_path / 'file' / 'below')


def test_training_takes_the_recommended_batch_whatever_its_schedule(made, capsys):
    record = json.loads(made.read_text())['results'][1]
    resolved = batch_size.resolve(training(made))
    clips = 32  # of 48: whole videos are split off for validation
    assert resolved.train.batch_size == min(record['recommended']['batch'], clips)
    assert resolved.train.micro_batches == 1
    assert resolved.train.capacity_report == ''
    said = capsys.readouterr().out
    assert 'knee_batch' in said
    assert f'no more than the {clips} training clips' in said


def test_a_batch_that_fits_is_left_alone_and_one_that_does_not_is_divided(made, capsys):
    record = json.loads(made.read_text())['results'][1]
    fits = record['max_batch']
    resolved = batch_size.resolve(training(made, train__batch_size=fits))
    assert (resolved.train.batch_size, resolved.train.micro_batches) == (fits, 1)
    resolved = batch_size.resolve(training(made, train__batch_size=4 * fits))
    assert resolved.train.batch_size == 4 * fits
    assert resolved.train.micro_batches >= 5  # the summed gradient needs room too
    assert f'{resolved.train.micro_batches} micro-batches' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('overrides', 'named'),
    [
        ({'features__pack': 'full'}, r'the nearest has pack \w+ where this training has full'),
        ({'model__name': 'video_swin'}, 'model stat_pool where this training has video_swin'),
        ({'parallel': 'pmap'}, 'devices 1 where this training has 2'),
        ({'data__synthetic__num_frames': 16}, 'clip_shape'),
        ({'train__micro_batches': 2}, 'micro_batches 1 where this training has 2'),
        ({'train__num_seeds': 2}, 'seeds 1 where this training has 2'),
        ({'model__stat_pool__hidden_sizes': (16,)}, 'fingerprint'),
    ],
)
def test_a_report_for_something_else_is_refused_with_the_command(
    made, overrides, named, monkeypatch
):
    monkeypatch.setattr(
        'sys.argv',
        ['main.py', '--config=configs/stat_pool.py', '--config.train.batch_size=0', '--workdir=W'],
    )
    with pytest.raises(InputError, match=named) as caught:
        batch_size.resolve(training(made, **overrides))
    assert 'python main.py --mode=probe --workdir=DIR --config=configs/stat_pool.py' in str(
        caught.value
    )
    assert 'batch_size' not in str(caught.value)


def test_a_cross_validation_takes_the_recommended_batch_of_as_many_members(made, tmp_path):
    folds = {'cv__folds': 2, 'eval__report': False, 'train__num_epochs': 1}
    adopted = training(made, cv__seeds=1, **folds)
    cross_validate(adopted, tmp_path)
    written = json.loads((tmp_path / 'cv/config.json').read_text())['train']
    assert (written['batch_size'], written['capacity_report']) == (32, '')
    cross_validate(adopted, tmp_path)  # goes on, with nothing left to do
    with pytest.raises(InputError, match=r'seeds 1 where.* 2; .* --config\.train\.num_seeds=2 '):
        cross_validate(training(made, cv__seeds=2, **folds), tmp_path / 'more')


def test_a_report_of_another_device_or_form_is_refused(made, tmp_path):
    report = json.loads(made.read_text())
    path = tmp_path / 'capacity_report.json'
    path.write_text(json.dumps(report | {'device': report['device'] | {'kind': 'NVIDIA H200'}}))
    with pytest.raises(InputError, match='device: found NVIDIA H200, expected cpu'):
        batch_size.resolve(training(path))
    older = json.loads(made.read_text()) | {'schema_version': 2}
    del older['commit']
    for record in older['results']:
        del record['max_bracket'], record['workspace_bytes']
        for item in record['compiles']:
            del item['workspace_bytes']
    path.write_text(json.dumps(older))
    assert batch_size.resolve(training(path)).train.batch_size == 32
    assert schema.read(path)['results'][0]['max_bracket'] == 8
    older['schema_version'] = 1
    for record in older['results']:
        del record['seeds']
    path.write_text(json.dumps(older))
    assert batch_size.resolve(training(path)).train.batch_size == 32
    del report['results'][0]['fingerprint']
    path.write_text(json.dumps(report))
    with pytest.raises(InputError, match=r'results\[0\]: fingerprint: found nothing'):
        batch_size.resolve(training(path))
    with pytest.raises(InputError, match='not found'):
        batch_size.resolve(training(tmp_path / 'nowhere.json'))


def test_without_a_report_only_a_batch_size_of_0_is_wrong():
    plain = config(train__batch_size=16)
    assert batch_size.resolve(plain) is plain
    with pytest.raises(InputError, match=r'train.batch_size: found 0.*--mode=probe'):
        batch_size.resolve(config(train__batch_size=0))


def test_running_out_of_memory_is_explained_and_other_errors_pass(monkeypatch):
    monkeypatch.setattr('sys.argv', ['main.py', '--config', 'configs/demo.py'])
    with (
        pytest.raises(InputError, match='64 clips per device at a time, which ran out') as caught,
        batch_size.out_of_memory_explained(config()),
    ):
        jnp.zeros((1 << 50,)).block_until_ready()
    assert '--mode=probe --workdir=DIR --config configs/demo.py' in str(caught.value)
    with pytest.raises(jax.errors.JaxRuntimeError), batch_size.out_of_memory_explained(config()):
        raise jax.errors.JaxRuntimeError('INTERNAL: something else')


def test_ladder_and_knee():
    assert on_device.ladder(100, 8, 4) == [8, 24, 48, 96]
    assert on_device.ladder(8, 8, 4) == [8]
    rungs = [Rung(8, 50.0), Rung(16, 96.0), Rung(32, 100.0), Rung(64, None)]
    assert on_device.knee(rungs) == 16
    assert on_device.knee([Rung(64, None)]) is None


def test_a_throughput_that_runs_out_of_memory_is_no_crash(monkeypatch):
    def fails(*_):
        raise jax.errors.JaxRuntimeError('RESOURCE_EXHAUSTED: Out of memory')

    monkeypatch.setattr(on_device, '_run', fails)
    assert on_device.throughput(None, 64, 3) == Rung(64, None)


def test_a_throughput_is_of_all_devices_and_a_ratio_above_1_says_that_more_was_used(monkeypatch):
    device = types.SimpleNamespace(memory_stats=lambda: {'peak_bytes_in_use': 3 * MB})
    parallel = types.SimpleNamespace(devices=[device, device])
    candidate = types.SimpleNamespace(parallel=parallel, num_devices=2)
    monkeypatch.setattr(on_device, '_run', lambda candidate, batch, steps: 0.5 * steps)
    assert on_device.throughput(candidate, 64, 3) == Rung(64, 2 * 64 / 0.5)
    verified = on_device.verify(candidate, 64, predicted=2 * MB)
    assert (verified['predicted_bytes'], verified['peak_bytes_in_use']) == (2 * MB, 3 * MB)
    assert verified['ratio'] == 1.5
