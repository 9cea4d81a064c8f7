import concurrent.futures
import json
import pathlib
import shutil

import pytest

from posevid_jax.data.joints import MEDIAPIPE_33
from posevid_jax.errors import InputError
from posevid_jax.evaluation.decision import Origin
from posevid_jax.features import body
from posevid_jax.runs.config import as_json, check_config, read_config
from posevid_jax.runs.directory import locked, new_run_directory
from posevid_jax.runs.files import JsonLines, read_json, write_json
from posevid_jax.runs.records import Records
from tests import toy
from tests.evaluation import made


def test_run_directories_are_numbered_and_never_shared(tmp_path):
    root = tmp_path / 'runs' / 'demo'
    names = [new_run_directory(root).name for _ in range(2)]
    (root / '07').mkdir()
    (root / 'notes').mkdir()
    names.append(new_run_directory(root).name)
    assert names == ['01', '02', '08']


def test_starts_at_once_get_directories_of_their_own(tmp_path):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: new_run_directory(tmp_path).name, range(40)))
    assert sorted(names) == [f'{number:02d}' for number in range(1, 41)]


def test_a_directory_is_one_start_at_a_time(tmp_path):
    with (
        locked(tmp_path / 'run'),
        pytest.raises(InputError, match='run: another process trains'),
        locked(tmp_path / 'run'),
    ):
        pass
    with locked(tmp_path / 'run'):
        assert not list((tmp_path / 'run').iterdir())


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(InputError, match='file'):
        new_run_directory(tmp_path / 'file' / 'runs')


def test_a_failed_write_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / 'record.json'
    write_json(path, {'a': 1})
    with pytest.raises(TypeError):
        write_json(path, {'a': object()})
    assert json.loads(path.read_text()) == {'a': 1}
    assert [file.name for file in tmp_path.iterdir()] == ['record.json']


def test_broken_json_is_named(tmp_path):
    (tmp_path / 'best.json').write_text('{"step": ')
    with pytest.raises(InputError, match=r'best\.json: not JSON'):
        read_json(tmp_path / 'best.json')


def test_metrics_are_cut_back_to_the_step_that_a_run_resumes_from(tmp_path):
    path = tmp_path / 'metrics.jsonl'
    lines = JsonLines(path, 0)
    for step in range(1, 6):
        lines.write({'step': step, 'loss': step / 10})
    lines.close()
    with path.open('a') as file:
        file.write('{"step": 6, "lo')  # what a killed process leaves
    JsonLines(path, 3).close()
    assert [json.loads(line)['step'] for line in path.open()] == [1, 2, 3]


def test_validation_files_may_be_exchanged_but_not_for_a_split(tmp_path):
    def check(before, now):
        write_json(tmp_path / 'config.json', as_json(toy.config(data__val=before)))
        check_config(tmp_path, toy.config(data__val=now))

    check('a.npz', 'b.npz')
    for before, now in (('', 'b.npz'), ('a.npz', '')):
        with pytest.raises(InputError, match=r'data\.val was'):
            check(before, now)


ORIGIN = Origin(chosen_on='val', clips=8, val='abc')


def entry(step, auc, loss=1.0):
    return made.epoch(step, auc, step=step, loss=loss)


def test_best_follows_the_metric_and_a_tie_goes_to_the_later_epoch(tmp_path):
    records = Records(tmp_path, 'roc_auc', 0, ORIGIN)
    for step, auc in enumerate([0.6, None, 0.8, 0.8, 0.7], start=1):
        records.epoch(entry(step, auc), made.choice(step / 10))
    records.close()
    best = read_json(tmp_path / 'best.json')
    assert best == {'step': 4, 'epoch': 4, 'metric': 'roc_auc', 'value': 0.8}
    chosen = {'rule': 'highest F1', 'threshold': 0.4}
    about = {'chosen_on': 'val', 'clips': 8, 'val': 'abc', 'step': 4}
    written = chosen | {'rules': {'f1': chosen}} | about
    assert read_json(tmp_path / 'thresholds.json') == written
    assert read_json(tmp_path / 'calibration.json') == about


def test_the_best_loss_is_the_lowest(tmp_path):
    records = Records(tmp_path, 'loss', 0, ORIGIN)
    for step, loss in enumerate([0.5, 0.2, 0.3], start=1):
        records.epoch(entry(step, 0.5, loss), made.choice(0.5))
    records.close()
    assert read_json(tmp_path / 'best.json')['value'] == 0.2


def test_a_resumed_record_forgets_the_epochs_it_will_repeat(tmp_path):
    records = Records(tmp_path, 'roc_auc', 0, ORIGIN)
    for step in (1, 2, 3):
        records.epoch(entry(step, 0.5 + step / 10), made.choice(0.5))
    records.close()
    written = read_json(tmp_path / 'history.json')
    again = Records(tmp_path, 'roc_auc', 2, ORIGIN)
    again.close()
    assert again.history == [entry(1, 0.6), entry(2, 0.7)]
    assert read_json(tmp_path / 'history.json') == written[:2]


def test_epochs_of_an_older_version_stay_as_they_were_written(tmp_path):
    old = pathlib.Path(__file__).parents[1] / 'data/old_run/history.json'
    shutil.copy(old, tmp_path)
    records = Records(tmp_path, 'roc_auc', 99, ORIGIN)
    assert (tmp_path / 'history.json').read_text() == old.read_text()
    records.epoch(entry(99, 0.99), made.choice(0.5))
    records.close()
    assert read_json(tmp_path / 'history.json')[:-1] == read_json(old)
    assert read_json(tmp_path / 'best.json')['epoch'] == 99


def test_a_run_does_not_read_features_that_came_after_it(tmp_path):
    config = toy.config(features__source='body', features__leave_out=('*_x',))
    then = [n for n in body.names(MEDIAPIPE_33, ('*_x',)) if not n.startswith('visit_')]
    write_json(tmp_path / 'config.json', as_json(config))
    for scaled, read in ((then, then), (body.names(MEDIAPIPE_33, ('*_x',)),) * 2):
        known = {'joint_names': list(MEDIAPIPE_33), 'scaled_names': list(scaled)}
        write_json(tmp_path / 'scaler.json', known)
        found = read_config(tmp_path)
        assert body.names(MEDIAPIPE_33, found.features.leave_out) == tuple(read)


def test_keys_that_a_run_was_given_and_ignored_are_forgotten(tmp_path):
    given = {'features__layout': 'skeleton', 'features__pack': 'light', 'features__smooth': 5}
    write_json(tmp_path / 'config.json', as_json(toy.config('video_swin', **given)))
    write_json(tmp_path / 'scaler.json', {})
    check_config(tmp_path, toy.config('video_swin', features__layout='skeleton'))
    with pytest.raises(InputError, match=r"features\.pack was 'off', now 'light'"):
        check_config(tmp_path, toy.config('video_swin', **given))
