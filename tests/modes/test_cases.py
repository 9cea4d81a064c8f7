"""Small inputs that were once read wrongly, kept beside the repository: a folder each, with the
command and the right outcome in `case.txt`. Skipped where they are not there."""

import json
import pathlib
import re
import runpy
import shlex
import subprocess
import sys

import numpy as np
import pytest
from absl import flags
from ml_collections import config_flags

from posevid_jax.errors import InputError
from posevid_jax.modes.table import MODES, Call

ROOT = pathlib.Path(__file__).parents[2]
CASES = ROOT.parent / 'shared' / 'cases'

# What is slow to compile is left out.
SMALL = (
    '--config.features.leave_out=("*_before", "*_after", "visit_*")',
    '--config.features.quantiles=()',
    '--config.features.scaler=standard',
    '--config.features.pooled_scaler=none',
    '--config.features.subclip=0',
    '--config.parallel=jit',
)

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason='needs ../shared/cases')


class Case:
    """A folder of `CASES`, whose commands write below `out`."""

    def __init__(self, name, out, monkeypatch):
        self.out, self._folder, self._monkeypatch = out, CASES / name, monkeypatch
        (command,) = re.findall(r'^python .*|^rm .*', (self._folder / 'case.txt').read_text(), re.M)
        command = command.replace('CASE', str(self._folder)).replace('$OUT', str(out))
        found = re.findall(r'python (\S+\.py) (.+?)(?= *(?:&&|[|;]|\d?>|$))', command)
        self.commands = [[program, *shlex.split(rest)] for program, rest in found]

    def run(self, number=0, *more, **replaced):
        """Runs one of its commands in this process, with more flags."""
        program, *arguments = self.commands[number]
        for name, value in replaced.items():
            arguments = [argument.replace(f'${name}', value) for argument in arguments]
        arguments += more
        if program != 'main.py':
            self._monkeypatch.setattr(sys, 'argv', [program, *arguments])
            runpy.run_path(program, run_name='__main__')
        else:
            self._call(arguments)

    def _call(self, arguments):
        """`python main.py ...`, without what it does to the process."""
        known = flags.FlagValues()
        config_flags.DEFINE_config_file('config', flag_values=known)
        flags.DEFINE_string('mode', 'train', '', flag_values=known)
        flags.DEFINE_string('workdir', None, '', flag_values=known)
        workdir = [a.partition('=')[2] for a in arguments if a.startswith('--workdir=')]
        if not any(a.startswith('--config=') for a in arguments):
            arguments = [f'--config={ROOT}/configs/run.py:{workdir[0]}', *arguments]
        self._monkeypatch.chdir(ROOT)
        self._monkeypatch.setattr(sys, 'argv', ['main.py', *arguments])
        known(sys.argv)
        place = pathlib.Path(known.workdir) if known.workdir else None
        MODES[known.mode](Call(known.config, place, 'best', ()))

    def clips(self):
        """The archive that --mode=prepare wrote."""
        with np.load(self.out / 'o.npz') as file:
            return dict(file)

    def missing(self):
        """Share of joints that are missing in it, and the number of clips."""
        joints = self.clips()['long_skeleton']
        return np.isnan(joints).any(-1).mean(), len(joints)


@pytest.fixture
def case(request, tmp_path, monkeypatch):
    return Case(request.param, tmp_path, monkeypatch)


def of(name):
    return pytest.mark.parametrize('case', [name], ids=[name], indirect=True)


def test_none_is_left_out():
    names = set(re.findall(r"@of\('(\w+)'\)", pathlib.Path(__file__).read_text()))
    assert names == {folder.name for folder in CASES.iterdir() if folder.is_dir()}


@of('csv_hole_in_time')
def test_nobody_is_seen_in_a_hole_in_time(case):
    case.run()
    missing, clips = case.missing()
    assert clips == 14 and missing == pytest.approx(0.86, abs=0.005)


@of('csv_pixels')
def test_pixels_in_a_csv_become_shares(case):
    case.run()
    np.testing.assert_allclose(case.clips()['long_skeleton'][0, 0, 0, :2], [0.5, 0.2], atol=1e-6)


@of('csv_time_in_ms')
def test_milliseconds_under_a_name_of_seconds_are_milliseconds(case):
    case.run()
    assert np.bincount(case.clips()['long_label']).tolist() == [4, 6]


@of('csv_zero_points')
def test_zeros_are_no_pose(case):
    case.run()
    assert case.missing()[0] == 0.5


@of('labels_overlap_message')
def test_an_overlap_of_a_rounding_is_taken(case):
    case.run()
    assert case.missing()[1] > 0


@of('missing_as_minus_one')
def test_minus_one_is_no_place(case):
    case.run()
    assert case.missing()[0] == 0.5


@of('mmpose_late_first_frame')
def test_poses_keep_their_time_where_the_first_ones_are_missing(case):
    case.run()
    label = case.clips()['long_label']
    assert len(label) == 18 and np.flatnonzero(label).tolist() == [7, 8, 9, 10]


@of('mmpose_names_in_the_file')
def test_the_names_in_a_file_of_mmpose_count(case):
    case.run()
    names = case.clips()['joint_names'][[0, 1, 11, 13]].tolist()
    assert names == ['root', 'right_hip', 'left_shoulder', 'left_wrist']


@of('openpose_other_names')
def test_frames_of_openpose_under_other_names_are_one_video(case):
    case.run()
    assert case.missing()[1] == 2


@of('predict_other_fps')
def test_recordings_at_another_rate_are_made_that_of_the_run(case, capsys):
    """With a smaller network, fewer clips and epochs than the command has: what is told of the rate
    depends on none of them."""
    case.run(0)
    case.run(1, '--config.prepare.stride=60')
    case.run(2, *SMALL, '--config.train.num_epochs=2', '--config.eval.bootstrap=0')
    capsys.readouterr()
    case.run(3, '--config.predict.stride=15', k='10')
    told = '10 frames a second were resampled to the rate'
    assert told in capsys.readouterr().out
    record = json.loads((case.out / 'pf/run/predictions/lm/events.json').read_text())
    assert [found['f1'] for found in record['metrics'] if found['overlap'] == 0.5] == [1.0]


@of('restore_mismatch_noise')
def test_another_network_is_one_line_and_code_2(case):
    (case.out / 'rm').mkdir()
    case.run(0)
    case.run(1)
    command = [sys.executable, *case.commands[2]]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith('error: --config.model.stat_pool.hidden_sizes: found [32]')


@of('resume_changed_data')
def test_a_run_whose_clips_have_changed_is_not_resumed(case):
    (case.out / 'rc').mkdir()
    make, train, _, more, _, resume = range(len(case.commands))
    case.run(make)
    case.run(train)
    case.run(more)
    with pytest.raises(InputError, match=r'data\.train: .* has changed since'):
        case.run(resume)
