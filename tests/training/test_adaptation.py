"""What clips cannot have is switched off, in a line each, and every shipped configuration fits."""

import importlib

import jax
import numpy as np
import pytest

from posevid_jax.data.clips import from_arrays
from posevid_jax.data.joints import COCO_17
from posevid_jax.data.npz import write_clips
from posevid_jax.errors import InputError
from posevid_jax.features import on_host
from posevid_jax.training import adaptation, optim
from posevid_jax.training import experiment as experiments
from tests import toy

FRAMES, AROUND = 40, 3


def made(joints=COCO_17, classes=2, unequal=False, starts=True, **columns):
    """Clips of two videos, one after the other, of bodies that stand around at random."""
    rng = np.random.default_rng(0)
    n = 12 * classes
    skeleton = rng.random((n, FRAMES, len(joints), 4)).astype(np.float32)
    skeleton[..., 2] = 0
    features = rng.normal(size=(n, FRAMES, 4)).astype(np.float32)
    if unequal:
        for clip, length in enumerate(rng.integers(FRAMES // 2, FRAMES, n)):
            skeleton[clip, length:] = features[clip, length:] = np.nan
    columns = {
        'label': np.arange(n) % classes,
        'video_id': [str(k % 6) for k in range(n)],
        'features': features,
        'skeleton': skeleton if joints else None,
        'joint_names': joints or None,
        'start_frame': np.arange(n) * FRAMES if starts else None,
        'frame_label': np.repeat(np.arange(n)[:, None] % classes, FRAMES, 1) if starts else None,
        'class_names': [f'class {k}' for k in range(classes)],
    } | columns
    return from_arrays(source='toy', **columns)


def adapted(clips, **changes):
    """What changed, and the lines that say so."""
    before = toy.config(**changes)
    after, lines = adaptation.adapted(before, clips)
    old, new = (dict(flat(config)) for config in (before, after))
    return {key: new[key] for key in new if new[key] != old[key]}, lines


def flat(config, prefix=''):
    for key, value in config.items():
        if hasattr(value, 'items'):
            yield from flat(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}', value


BODY = {'features__source': 'body', 'features__context': AROUND, 'features__summary__on': True}
STORED = np.zeros((24, 4, 17, 4), np.float32)
RULES = {
    'no nose': (
        made(COCO_17[1:]),
        BODY | {'features__leave_out': ('*elbow*',)},
        {
            'features.source': 'pose',
            'features.leave_out': (),
            'features.context': 0,
            'features.summary.on': False,
            'features.depth': 'off',
        },
        "the clips lack the joints that are read: features.source='pose'",
    ),
    'no skeleton': (
        made(()),
        BODY,
        {'features.source': 'archive', 'features.context': 0, 'features.summary.on': False},
        "the clips lack the joints that are read: features.source='archive'",
    ),
    'no features': (
        made(features=np.zeros((24, FRAMES, 0))),
        {},
        {'features.source': 'pose', 'features.depth': 'off'},
        "the clips have a skeleton and no features: features.source='pose'",
    ),
    'no starts': (
        made(starts=False),
        {'features__source': 'body', 'features__context': AROUND},
        {'features.context': 0},
        'the clips have no start frames, and so no frames around them: features.context=0',
    ),
    'less context': (
        made(context_skeleton=STORED),
        {'features__source': 'body', 'features__context': AROUND},
        {'features.context': 2},
        'the clips have fewer frames around them: features.context=2',
    ),
    'unequal': (
        made(unequal=True),
        {'features__subclip': 10},
        {'features.subclip': 0},
        'the clips are of unequal length, and each is judged as one: features.subclip=0',
    ),
    'short': (
        made(),
        {'features__subclip': FRAMES + 1},
        {'features.subclip': 0},
        'the clips are shorter than a sub-clip: features.subclip=0',
    ),
    'no shoulders': (
        made(('nose', 'left_wrist', 'right_wrist')),
        {'features__source': 'pose', 'features__depth': 'on', 'augment__jitter': 0.1},
        {'augment.jitter': 0.0},
        'the clips lack the shoulders by which augmentation finds a body',
    ),
    'no rows of joints': (
        made(()),
        {'features__source': 'pose', 'features__layout': 'joints'},
        {'features.source': 'archive', 'features.layout': 'grid'},
        "the clips lack the joints that are read: features.source='archive'",
    ),
    'a video each': (
        made(video_id=None),
        {'features__zscore': 'per_video'},
        {'features.zscore': 'global'},
        "would leave nothing of its place: features.zscore='global'",
    ),
    'classes': (
        made(classes=4),
        {'train__loss': 'focal'},
        {'train.loss': 'ce'},
        "the clips have more than two classes: train.loss='ce'",
    ),
    'no labels of frames': (
        made(frame_label=None),
        {'train__frame_loss': 1.0},
        {'train.frame_loss': 0.0},
        'the clips have no labels of frames: train.frame_loss=0.0',
    ),
    'labels of frames of classes': (
        made(classes=4),
        {'train__frame_loss': 1.0, 'train__loss': 'ce'},
        {'train.frame_loss': 0.0},
        'frames are told apart by two only: train.frame_loss=0.0',
    ),
    'nothing to smooth': (
        made(),
        {'train__smooth_loss': 0.15},
        {'train.smooth_loss': 0.0},
        'nothing can be smooth: train.smooth_loss=0.0',
    ),
}


@pytest.mark.parametrize('rule', RULES)
def test_what_the_clips_lack_is_switched_off_in_one_line(rule):
    clips, options, changes, line = RULES[rule]
    found, lines = adapted(clips, **options)
    assert found == changes
    assert len(lines) == 1 and line in lines[0] and '\n' not in lines[0]


def test_clips_that_have_everything_change_nothing():
    options = {
        'features__source': 'body',
        'features__leave_out': ('*elbow*',),
        'features__context': AROUND,
        'features__subclip': FRAMES,
        'features__zscore': 'per_video',
        'train__loss': 'focal',
        'train__frame_loss': 1.0,
        'train__smooth_loss': 0.15,
    }
    assert adapted(made(), **options) == ({}, [])
    stored = np.zeros((24, 2 * AROUND, 17, 4), np.float32)
    assert adapted(made(context_skeleton=stored, start_frame=None), **options) == ({}, [])


def test_a_pattern_that_fits_nothing_stays_a_mistake():
    options = {'features__source': 'body', 'features__leave_out': ('*tail',)}
    assert adapted(made(), **options) == ({}, [])
    with pytest.raises(InputError, match=r'leave_out: found \*tail, which fits none'):
        check_joints = experiments.fitting.columns.scaled_names
        check_joints(made(), experiments.families.input_spec(toy.config(**options)))


def test_depth_is_judged_where_it_is_read_and_said_by_nobody():
    clips = made()
    assert adapted(clips, features__source='pose') == ({'features.depth': 'off'}, [])
    for source in ('body', 'archive'):  # which read none: an older run goes on as it was
        assert adapted(clips, features__source=source) == ({}, [])
    rows = {'model__name': 'video_swin', 'features__layout': 'joints'}
    assert adapted(clips, **rows) == ({'features.depth': 'off'}, [])
    for depth in ('on', 'off'):
        assert adapted(clips, features__source='pose', features__depth=depth) == ({}, [])
    # A body that keeps its shape in space and turns.
    rng = np.random.default_rng(1)
    body, angle = rng.normal(size=(17, 3)), np.linspace(0, 6, FRAMES)
    x = np.cos(angle)[:, None] * body[:, 0] + np.sin(angle)[:, None] * body[:, 2]
    z = np.cos(angle)[:, None] * body[:, 2] - np.sin(angle)[:, None] * body[:, 0]
    turning = np.stack([x, np.broadcast_to(body[:, 1], x.shape), z, np.ones_like(x)], -1)
    turning = made(skeleton=np.broadcast_to(turning.astype(np.float32), (24, *turning.shape)))
    assert adapted(turning, features__source='pose') == ({'features.depth': 'on'}, [])


def test_nothing_turns_without_depth():
    options = {'features__source': 'pose', 'augment__turn': 20.0}
    changes = {'features.depth': 'off', 'augment.turn': 0.0}
    assert adapted(made(), **options) == (changes, [])
    assert adapted(made(), features__depth='on', **options) == ({}, [])


@pytest.mark.parametrize('same', [True, False])
def test_clips_are_mirrored_where_their_mirror_images_teach_the_gesture(same, monkeypatch):
    monkeypatch.setattr(adaptation.mirroring, 'is_same_gesture', lambda *_: same)
    pose = {'features__source': 'pose', 'features__depth': 'off'}
    found, lines = adapted(made(), features__mirror='auto', **pose)
    both = {'features.mirror': 'on', 'augment.mirror': 0.5}
    assert found == (both if same else {'features.mirror': 'off'})
    assert len(lines) == same and all('mirror images teach' in line for line in lines)
    assert adapted(made(), features__mirror='on', **pose)[0] == {'augment.mirror': 0.5}
    assert adapted(made(), features__mirror='auto')[0] == {'features.mirror': 'off'}  # of archive


def test_the_configuration_that_was_given_is_left_alone():
    clips, options, *_ = RULES['no nose']
    config = toy.config(**options)
    before = config.to_json()
    adaptation.adapted(config, clips)
    assert config.to_json() == before


def without(*joints):
    return tuple(joint for joint in COCO_17 if joint not in joints)


ARCHIVES = {
    'unequal clips of four classes': dict(classes=4, unequal=True, starts=False),
    'features alone': dict(joints=()),
    'no nose and wrists': dict(joints=without('nose', 'left_wrist', 'right_wrist')),
    'skeletons alone': dict(video_id=None, starts=False, features=np.zeros((24, FRAMES, 0))),
}
SHIPPED = (
    'stat_pool:context', 'stat_pool:clip', 'stat_pool:features', 'video_swin:mini',
    'gesture', 'gesture:video_swin',
)  # fmt: skip


@pytest.fixture(scope='module')
def archives(tmp_path_factory):
    folder = tmp_path_factory.mktemp('archives')
    for name, options in ARCHIVES.items():
        write_clips(folder / f'{name}.npz', made(**options), 'long')
    return folder


def by_shape(compute, arrays, rows):
    """`on_host.by_block` without a program: ones of the right shape."""
    batch = {
        name: jax.ShapeDtypeStruct((len(rows), *array.shape[1:]), array.dtype)
        for name, array in arrays.items()
    }
    return jax.tree.map(lambda x: np.ones(x.shape, x.dtype), jax.eval_shape(compute, batch))


@pytest.mark.parametrize('archive', ARCHIVES)
@pytest.mark.parametrize('shipped', SHIPPED)
def test_every_shipped_configuration_fits_any_archive(
    shipped, archive, archives, capsys, monkeypatch
):
    monkeypatch.setattr(on_host, 'by_block', by_shape)  # what is fitted needs no numbers
    name, *variant = shipped.split(':')
    config = importlib.import_module(f'configs.{name}').get_config(*variant)
    config.data.train = str(archives / f'{archive}.npz')
    config.features.kernels = min(config.features.kernels, 84)
    experiment = experiments.build(config.lock())
    state = experiment.abstract_state()
    assert state.params
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(set(lines))
    if archive == 'unequal clips of four classes':
        assert experiment.config.train.loss == 'ce' and experiment.config.features.subclip == 0


@pytest.mark.parametrize(
    ('num_steps', 'steps_per_epoch', 'epochs', 'length'),
    [
        (0, 7, 3, 7),  # given in epochs
        (1000, 100, 10, 100),
        (1000, 300, 3, 300),  # about so many steps
        (1000, 7, 20, 50),  # a small set: 20 epochs of more than all clips
        (1000, 50, 20, 50),
        (10, 7, 1, 7),
        (3, 7, 1, 7),  # at least one
        (3, 1, 3, 1),
    ],
)
def test_a_length_in_steps_is_a_number_of_epochs(num_steps, steps_per_epoch, epochs, length):
    config = toy.config(train__num_epochs=3, train__num_steps=num_steps)
    found, steps = optim.in_epochs(config, steps_per_epoch)
    assert (found.train.num_epochs, steps) == (epochs, length)
    assert config.train.num_epochs == 3


def test_a_run_of_so_many_steps_takes_as_many(archives):
    config = toy.config(
        data__train=str(archives / 'features alone.npz'), train__num_steps=50, train__batch_size=4
    )
    experiment = experiments.build(config)
    assert experiment.total_steps == pytest.approx(50, abs=experiment.steps_per_epoch)
    assert sum(1 for _ in experiment.data()) == experiment.total_steps
    assert experiment.schedule(experiment.total_steps) == pytest.approx(0, abs=1e-8)
