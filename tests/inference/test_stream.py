"""Frames as they come, against clips of the same frames."""

import dataclasses
import io
import json

import numpy as np
import pytest

from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.data.synthetic import make_clips
from posevid_jax.errors import InputError
from posevid_jax.inference import recordings
from posevid_jax.inference.decoded_events import segments
from posevid_jax.inference.duration_model import DurationModel
from posevid_jax.inference.events import Rule, find_events
from posevid_jax.inference.min_risk import MinRiskModel
from posevid_jax.inference.single import SingleRun
from posevid_jax.inference.stream import Stream
from posevid_jax.inference.viterbi import decode_with_look_ahead
from posevid_jax.machine.parallel import Parallel
from posevid_jax.modes.bench_stream import bench_stream
from posevid_jax.modes.stream import serve
from posevid_jax.runs.files import write_json
from tests import toy
from tests.inference.test_duration_model import MODEL
from tests.untrained import write_run

FRAMES = 8  # of a clip
KINDS = {
    'per_video': dict(features__zscore='per_video', features__pack='light', features__smooth=3),
    'body': dict(features__source='body', features__context=3),
    'body per video': dict(features__source='body', features__zscore='per_video'),
}


def config(kind):
    return toy.config(
        parallel='jit',
        data__synthetic__num_frames=FRAMES,
        predict__stride=1,
        predict__high=0.5,
        **KINDS[kind],
    )


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('stream')
    for kind in KINDS:
        write_run(folder / kind, config(kind))
    return folder


@pytest.fixture(scope='module')
def runs(folder):
    return {kind: SingleRun.restore(config(kind), folder / kind, 'best') for kind in KINDS}


@pytest.fixture(scope='module')
def recording():
    """26 frames, some without a pose, some with joints missing."""
    made = make_clips(num_videos=1, clips_per_video=1, num_frames=26, seed=9)
    joints = np.where(made.skeleton_mask[0][..., None], made.skeleton[0], np.nan)
    joints[12:14] = np.nan
    joints[20, 3:20] = np.nan
    return Recording(
        name='a', joints=joints.astype(np.float32), joint_names=made.joint_names,
        fps=30.0, width=4, height=3, time=np.arange(26) / 30,
    )  # fmt: skip


# Of a body, the size is measured in each clip, so the running statistics are not quite those of a
# video that ends here.
@pytest.mark.parametrize('kind', [kind for kind in KINDS if kind != 'body per video'])
def test_a_stream_gives_what_clips_of_the_same_frames_give(kind, runs, recording):
    run = runs[kind]
    stream = Stream(run, fps=30, aspect=4 / 3, joint_names=recording.joint_names)
    updates = [stream.push(joints) for joints in recording.joints]
    predict = run.predictor(Parallel('jit'))
    for end in (FRAMES, 15, 20, 26):
        # A video that ends here: its statistics are those of the frames so far.
        so_far = dataclasses.replace(
            recording, joints=recording.joints[:end], time=recording.time[:end]
        )
        clips = recordings.cover(so_far, run.form, run.config, 'a')
        assert clips.start_frame[-1] == end - FRAMES
        np.testing.assert_allclose(updates[end - 1].probs, predict(clips)[-1], atol=1e-5)
    assert [update.frame for update in updates] == list(range(26))
    assert [update.frame for update in updates if update.uncertain][:2] == [12, 13]


def test_changes_are_the_events_of_the_probabilities(runs, recording):
    run = runs['per_video']

    def stream_all(run, frames):
        stream = Stream(run, fps=30, joint_names=recording.joint_names)
        updates = [stream.push(joints) for joints in frames]
        changes = [change for update in updates for change in update.changes]
        return [update.prob for update in updates], changes + stream.finish()

    frames = np.tile(recording.joints, (3, 1, 1))
    prob, _ = stream_all(run, frames)
    settings = run.config.copy_and_resolve_references()
    settings.predict.update(high=float(np.median(prob)), low=1.0, min_length=0.2, merge_gap=0.05)
    expected = find_events(prob, Rule.of(settings.predict, run.threshold, 30))
    assert len(expected) > 1
    # Until the last one, which is still open then.
    _, changes = stream_all(dataclasses.replace(run, config=settings), frames[: expected[-1].end])
    assert [event for kind, event in changes if kind == 'end'] == expected


def test_what_needs_whole_recordings_is_no_stream(runs, tmp_path):
    write_json(tmp_path / 'm.json', MinRiskModel(MODEL, 0.4))
    settings = runs['per_video'].config.copy_and_resolve_references()
    settings.predict.update(decoder='min_risk', durations=str(tmp_path / 'm.json'))
    run = dataclasses.replace(runs['per_video'], config=settings)
    with pytest.raises(InputError, match=r'predict\.decoder: found min_risk, which needs whole'):
        Stream(run, fps=30)


@pytest.mark.parametrize('seconds', [0.0, 0.2])
def test_changes_of_a_duration_model_are_told_after_its_look_ahead(
    seconds, runs, recording, tmp_path
):
    run, frames = runs['per_video'], np.tile(recording.joints, (2, 1, 1))
    plain = Stream(run, fps=30, joint_names=recording.joint_names)
    probs = np.stack([plain.push(joints).probs for joints in frames])
    often = float(np.median(probs[:, 1]))
    model = DurationModel(
        min_seconds=[0.1, 0.1], leave_per_second=[30.0, 30.0],
        transition=[[0, 1], [1, 0]], prior=[1 - often, often], weight=50.0,
    )  # fmt: skip
    write_json(tmp_path / 'd.json', model)
    settings = run.config.copy_and_resolve_references()
    settings.predict.update(
        decoder='durations', durations=str(tmp_path / 'd.json'), look_ahead=seconds
    )
    run = dataclasses.replace(run, config=settings)
    stream = Stream(run, fps=30, joint_names=recording.joint_names)
    told = [stream.push(joints).changes for joints in frames] + [stream.finish()]
    labels = decode_with_look_ahead(np.log(probs), model, 30, round(30 * seconds))
    changes = [(frame, *change) for frame, of in enumerate(told) for change in of]
    ended = [event for _, kind, event in changes if kind == 'end']
    expected = segments(labels, probs)
    assert len(expected) > 1
    assert ended == [
        dataclasses.replace(event, confidence=pytest.approx(event.confidence)) for event in expected
    ]
    assert all(
        frame == event.start + round(30 * seconds)
        for frame, kind, event in changes
        if kind == 'start' and frame < len(frames)
    )
    joints = [[None if np.isnan(j).any() else j.tolist() for j in frame] for frame in frames]
    known = {'fps': 30, 'video_size': [1, 1], 'joint_names': recording.joint_names}
    lines = [known] + [{'joints': frame} for frame in joints]
    sink = io.StringIO()
    serve(run, io.StringIO('\n'.join(map(json.dumps, lines))), sink)
    written = [
        change for line in sink.getvalue().splitlines() for change in json.loads(line)['changes']
    ]
    assert [change['label'] for change in written] == ['smoke'] * 2 * len(expected)


def test_a_stream_at_another_rate_is_that_of_the_run(runs, recording, capsys):
    """Every third frame of 24, at a third of the rate, with lines between them."""
    run, joints = runs['body'], recording.joints[:10]
    slow = Stream(run, fps=10, aspect=4 / 3, joint_names=recording.joint_names)
    found = [slow.push(frame).prob for frame in joints[::3]]
    between = (np.arange(10) % 3 / 3)[:, None, None]
    ends = np.concatenate([joints[::3], joints[-1:]])
    made = ends[np.arange(10) // 3] * (1 - between) + ends[np.arange(10) // 3 + 1] * between
    stream = Stream(run, fps=30, aspect=4 / 3, joint_names=recording.joint_names)
    expected = [stream.push(frame).prob for frame in made]
    np.testing.assert_allclose(found, expected[::3], atol=1e-5)
    assert slow.run_fps == 30
    known = {'fps': 10, 'video_size': [4, 3]}
    sink = io.StringIO()
    serve(run, io.StringIO(json.dumps(known)), sink)
    assert '10 frames a second' in capsys.readouterr().err


@pytest.mark.parametrize('kind', ['per_video', 'body per video'])
def test_a_stream_without_anybody_goes_on(folder, kind):
    stream = Stream(folder / kind, fps=25)
    for _ in range(2 * FRAMES):
        update = stream.push(np.full((33, 4), np.nan))
        assert 0 < update.prob < 1 and update.uncertain


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (dict(fps=0), 'fps, aspect: found 0'),
        (dict(fps=30, joint_names=('nose',)), 'joint_names: left_eye_inner not found'),
    ],
)
def test_a_stream_that_cannot_be_is_refused(runs, given, message):
    with pytest.raises(InputError, match=message):
        Stream(runs['body'], **given)


def test_lines_in_and_lines_out(runs, recording):
    run = runs['per_video']
    stream = Stream(run, fps=30, aspect=4 / 3, joint_names=recording.joint_names)
    known = {'fps': 30, 'video_size': [4, 3], 'joint_names': list(recording.joint_names)}
    lines = [known]
    for joints in recording.joints:
        seen = np.isfinite(joints).all(-1)
        row = [j.tolist() if ok else None for j, ok in zip(joints, seen, strict=True)]
        lines.append({'joints': row})
    sink = io.StringIO()
    serve(run, io.StringIO('\n'.join(map(json.dumps, lines))), sink)
    answers = [json.loads(line) for line in sink.getvalue().splitlines()]
    for joints, answer in zip(recording.joints, answers, strict=False):
        assert answer['prob'] == pytest.approx(stream.push(joints).prob, abs=1e-5)


@pytest.mark.parametrize(
    ('lines', 'message'),
    [
        ('', 'line 1: found {}, expected'),
        ('{"fps": 30}', 'line 1: found .*video_size'),
        ('{"fps": -3, "video_size": [4, 3]}', 'line 1: found'),
        ('{"fps": 30, "video_size": [4, 3]}\nnonsense', 'line 2: not JSON'),
        ('{"fps": 30, "video_size": [4, 3]}\n[]', 'line 2: found'),
        ('{"fps": 30, "video_size": [4, 3]}\n{"joints": [[1, 2]]}', 'line 2: joints: '),
        ('{"fps": 30, "video_size": [4, 3]}\n{"joints": [null]}', r'found shape \(1, 4\)'),
        ('{"fps": 30, "video_size": [4, 3]}\n{"joints": [["a", 1, 1, 1]]}', 'line 2: joints'),
    ],
)
def test_a_line_that_is_not_as_expected_is_named(runs, lines, message):
    run = runs['per_video']
    with pytest.raises(InputError, match=message):
        serve(run, io.StringIO(lines), io.StringIO())


def test_the_bench_counts_frames(folder, capsys):
    settings = toy.config(bench__stream_frames=5, **KINDS['per_video'])
    (record,) = bench_stream(settings, folder / 'per_video')
    assert record['frames'] == 5
    assert 0 < record['time']['p50_ms'] <= record['time']['p99_ms'] <= record['time']['max_ms']
    with pytest.raises(InputError, match='--workdir: not given'):
        bench_stream(settings, None)
