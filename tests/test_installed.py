"""The package as a wheel installs it: outside any checkout, with the shipped configurations."""

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig

import pytest

ROOT = pathlib.Path(__file__).parents[1]
TOY = [
    '--config.data.synthetic.num_videos=6',
    '--config.data.synthetic.clips_per_video=8',
    '--config.data.synthetic.num_frames=16',
    '--config.train.batch_size=16',
    '--config.train.num_epochs=1',
    '--config.eval.batch_size=16',
    '--config.eval.bootstrap=20',
    '--config.eval.report=False',
]


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    """The folder of scripts of an environment that holds the wheel and sees the dependencies."""
    folder = tmp_path_factory.mktemp('installed')
    source = folder / 'source'
    for name in ('posevid_jax', 'configs'):
        shutil.copytree(ROOT / name, source / name, symlinks=True)
    for name in ('pyproject.toml', 'README.md', 'LICENSE'):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, '-m', 'pip', '--quiet', '--disable-pip-version-check']
    build = [*pip, 'wheel', '--no-deps', '--no-build-isolation', '-w', folder, source]
    subprocess.run(build, check=True, capture_output=True, text=True)
    shutil.rmtree(source)
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', folder / 'venv'], check=True)
    (wheel,) = folder.glob('*.whl')
    python = folder / 'venv/bin/python'
    subprocess.run([*pip, '--python', python, 'install', '--no-deps', wheel], check=True)
    (packages,) = (folder / 'venv/lib').glob('python*/site-packages')
    (packages / 'dependencies.pth').write_text(sysconfig.get_path('purelib'))
    return folder / 'venv/bin'


def run(installed, program, *arguments, cwd):
    variables = {key: value for key, value in os.environ.items() if key != 'PYTHONPATH'}
    return subprocess.run(
        [installed / program, *arguments], cwd=cwd, env=variables, capture_output=True, text=True
    )


def test_a_wheel_trains_the_demo_loads_a_run_and_predicts(installed, tmp_path):
    done = run(installed, 'posevid', '--config=demo', '--workdir=run', *TOY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = (tmp_path / 'run/reproduce.md').read_text()
    assert 'posevid --config=run:run --workdir=NEW' in again
    old = shutil.copytree(ROOT / 'tests/data/old_run', tmp_path / 'old_run')
    clips = ROOT / 'tests/data/old_clips.npz'
    flags = ['--mode=predict', f'--workdir={old}', f'--config.data.test={clips}']
    done = run(installed, 'posevid', *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len((old / 'predictions/old_clips.csv').read_text().splitlines()) > 2
    code = (
        'import sys, posevid_jax; print(posevid_jax.__file__)\n'
        'print(posevid_jax.load(sys.argv[1]).predict_proba(sys.argv[2]).shape[1])'
    )
    done = run(installed, 'python', '-c', code, old, clips, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    place, classes = done.stdout.split()
    assert pathlib.Path(place).is_relative_to(installed.parent) and classes == '2'
    assert pathlib.Path(place).with_name('evaluation').joinpath('review.js').exists()


def test_a_mistake_is_one_line_there_too(installed, tmp_path):
    for arguments, message in (
        (['--config=demo', '--config.train.bath_size=4'], 'nearest is config.train.batch_size'),
        (['--config=none'], 'a shipped one (default, demo, gesture, probe, stat_pool, video_swin)'),
    ):
        done = run(installed, 'posevid', *arguments, cwd=tmp_path)
        assert done.returncode == 2 and message in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())
