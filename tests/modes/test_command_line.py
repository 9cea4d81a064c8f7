"""The program as a person meets it: `python main.py ...` in a process of its own."""

import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
TOY = [
    f'--config={ROOT}/configs/demo.py',
    '--config.data.synthetic.num_videos=6',
    '--config.data.synthetic.clips_per_video=8',
    '--config.data.synthetic.num_frames=16',
    '--config.model.stat_pool.hidden_sizes=(8,)',
    '--config.train.batch_size=16',
    '--config.train.num_epochs=2',
    '--config.eval.batch_size=16',
    '--config.eval.bootstrap=20',
    '--config.eval.report=False',
]


def start(arguments, cwd):
    return subprocess.Popen(
        [sys.executable, str(ROOT / 'main.py'), *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(arguments, cwd):
    process = start(arguments, cwd)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def refused(arguments, cwd):
    """The one line that a refused command prints."""
    code, out, err = run(arguments, cwd)
    lines = [line for line in err.splitlines() if line.startswith('error: ')]
    assert (code, len(lines)) == (2, 1), (code, out, err)
    assert 'Traceback' not in err
    return lines[0]


def left_to_programs():
    """Whether Linux leaves it to programs to ask for huge pages."""
    setting = pathlib.Path('/sys/kernel/mm/transparent_hugepage/enabled')
    return setting.exists() and '[madvise]' in setting.read_text()


def expected_tunables():
    return os.environ.get('GLIBC_TUNABLES', 'glibc.malloc.hugetlb=1' * left_to_programs())


@pytest.fixture(scope='module')
def demo(tmp_path_factory):
    """A folder in which somebody has run the demo; compiled as theirs is, not as tests are."""
    folder = tmp_path_factory.mktemp('demo')
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv('XLA_FLAGS')
        code, out, err = run([f'--config={ROOT}/configs/demo.py'], folder)
    assert code == 0, err
    assert 'ROC-AUC' in out
    return folder


def test_the_demo_finds_the_gesture_on_videos_it_has_not_seen(demo):
    result = json.loads((demo / 'runs/demo/01/eval/val.json').read_text())
    assert result['roc_auc'] >= 0.95
    assert result['at_threshold']['f1'] > result['always_positive']['f1'] + 0.2


def test_a_numbered_directory_is_all_that_an_evaluation_needs(demo):
    folder = demo / 'runs/demo/01'
    assert (folder / 'best.json').exists()
    variables = json.loads((folder / 'reproduce.json').read_text())['variables']
    assert variables.get('GLIBC_TUNABLES', '') == expected_tunables()
    evaluate = ['--mode=eval', '--workdir', 'runs/demo/01', '--config.eval.bootstrap=20']
    code, out, err = run(evaluate, demo)
    assert code == 0, err
    assert 'always positive' in out
    for page, pictures in (('report.html', 'report'), ('eval/val.html', 'eval/val')):
        assert (folder / page).exists()
        assert (folder / pictures / 'curves.png').exists()


def test_ctrl_c_saves_and_the_same_command_goes_on(tmp_path):
    arguments = [*TOY, '--workdir=run', '--config.train.num_epochs=100000']
    process = start(arguments, tmp_path)
    deadline = time.monotonic() + 200
    while not (tmp_path / 'run/best.json').exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert 'stopped and saved at step' in out
    steps_done = int(re.search(r'saved at step (\d+)', out)[1])
    more = f'--config.train.num_epochs={steps_done // 2 + 1}'  # two steps are an epoch
    code, out, err = run([*arguments[:-1], more], tmp_path)
    assert code == 0, err
    assert f'resuming at step {steps_done}' in out


def test_inspect_needs_no_configuration_and_takes_flags_after_paths(tmp_path):
    arguments = ['--mode=inspect', 'synthetic', '--workdir', 'out']
    arguments += ['--config.data.synthetic.num_videos=4', '--config.data.synthetic.num_frames=30']
    code, out, err = run(arguments, tmp_path)
    assert code == 0, err
    assert re.search(r'clips +64\n', out) and 'no_smoke' in out
    assert [path.name for path in tmp_path.iterdir()] == ['out']
    assert (tmp_path / 'out/inspect.html').exists()


def test_pictures_cost_the_other_modes_no_start_up():
    code = 'import main, sys; sys.exit("matplotlib" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code], cwd=ROOT).returncode == 0


def test_the_command_in_reproduce_json_makes_the_same_run_again(tmp_path, monkeypatch):
    monkeypatch.delenv('JAX_COMPILATION_CACHE_DIR')
    cache = tmp_path / 'cache'
    overrides = ['--config.model.dropout=0.3', '--config.train.loss=focal']
    first = [*TOY, *overrides, f'--config.compilation_cache={cache}', f'--workdir={tmp_path}/a']
    code, out, err = run(first, ROOT)
    assert code == 0, err
    assert 'compiled in' in out
    assert any(cache.iterdir())  # which the next start reads
    again = json.loads((tmp_path / 'a/reproduce.json').read_text())['again']
    assert again in (tmp_path / 'a/reproduce.md').read_text()
    python, program, *arguments = shlex.split(again.replace('NEW', f'{tmp_path}/b'))
    assert (python, program) == ('python', 'main.py')
    code, _, err = run(arguments, ROOT)
    assert code == 0, err
    for name in ('config.json', 'metrics.jsonl', 'eval/val.json', 'best.json', 'thresholds.json'):
        assert (tmp_path / 'a' / name).read_text() == (tmp_path / 'b' / name).read_text(), name


def test_another_network_than_the_run_has_is_one_line_and_nothing_else(tmp_path):
    """What reads checkpoints would go on complaining when the process ends."""
    shutil.copytree(ROOT / 'tests/data/old_run', tmp_path / 'run')
    clips = f'--config.data.test={ROOT}/tests/data/old_clips.npz'
    other = '--config.model.stat_pool.hidden_sizes=(9,)'
    code, out, err = run(['--mode=eval', '--workdir=run', clips, other], tmp_path)
    assert (code, out) == (2, '')
    (line,) = err.splitlines()
    assert line.startswith('error: --config.model.stat_pool.hidden_sizes: found [9]')


@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        ([], '--config: not given'),
        (['--config=configs/none.py'], 'configs/none.py not found'),
        (['--config.train.batch_size=4'], '--config: not given'),
        ([*TOY, '--config.train.bath_size=4'], 'nearest is config.train.batch_size'),
        ([*TOY, '--config.train.batch_size=four'], 'config.train.batch_size=four'),
        ([*TOY, '--config.train=4'], 'config.train'),
        ([*TOY, '--mode=fly'], 'train|eval'),
        ([*TOY, '--wrkdir=x'], 'wrkdir'),
        ([*TOY, 'extra'], "found 'extra'"),
        ([*TOY, '--config.data.train=none.npz'], 'none.npz'),
        (['--mode=eval', *TOY], 'expected --workdir'),
        (['--mode=eval', '--workdir=none'], 'none/config.json: not found'),
        (['--mode=inspect'], 'found no path'),
        (['--mode=compare', 'none'], 'expected two or more'),
        (['--mode=ensemble', '--config.ensemble.runs=("a", "b")'], 'expected --workdir'),
        (['--mode=ensemble', '--workdir=x', '--config.ensemble.runs=("a", "b")'], 'a: found no'),
        (['--mode=inspect', 'none.npz', '--workdir=x'], 'none.npz: not found'),
        (['--mode=inspect', 'none.npz', '--config.data.prefx=x'], 'nearest is config.data.prefix'),
    ],
)
def test_a_mistake_is_one_line_and_code_2_and_leaves_nothing_behind(tmp_path, arguments, expected):
    assert expected in refused(arguments, tmp_path)
    assert not list(tmp_path.iterdir())
