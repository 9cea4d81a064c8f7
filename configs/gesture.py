"""Any gesture, any skeleton with named joints: features of the whole body.

    python main.py --config=configs/gesture.py --config.data.train=TRAIN.npz

Clips may have any length, rate and number of classes, be cut from videos or be recordings of their
own. After the colon: `stat_pool` (as without a colon), convolution statistics of places, distances,
bones and angles; `video_swin`, attention over joints and time, which takes longer and sees other
things, so that both joined are better than either.
"""

from ml_collections import ConfigDict

from posevid_jax import config
from posevid_jax.errors import InputError


def get_config(form: str = 'stat_pool'):
    if form not in _FORMS:
        raise InputError(f'config: found gesture:{form}, expected one of {", ".join(_FORMS)}')
    c = config.get_config()
    c.features.source = 'pose'
    c.features.frames = 64
    c.features.mirror = 'auto'
    c.train.num_steps = 1500
    c.train.batch_size = 32
    c.train.label_smoothing = 0.1
    c.train.best_metric = 'last'
    _FORMS[form](c)
    return c


def _stat_pool(c: ConfigDict) -> None:
    c.name = 'gesture'
    # Kernels see motion in places, and what a turned body shows they learn from the clips.
    c.features.leave_out = ('turned_*', 'velocity_*', 'acceleration_*')
    c.features.zscore = 'none'  # sizes of bodies are a unit that all places share
    c.features.smooth = 5
    c.features.kernels = 10_000
    c.features.statistics = ()
    c.features.pooled_scaler = 'standard'
    c.model.stat_pool.hidden_sizes = ()
    c.train.learning_rate = 3e-4


def _video_swin(c: ConfigDict) -> None:
    c.name = 'gesture_video_swin'
    c.features.layout = 'joints'
    c.features.smooth = 3
    c.model.name = 'video_swin'
    c.model.size = 'body'
    c.model.dropout = 0.1
    swin = c.model.video_swin
    swin.patch_size = (4, 0, 1)  # a joint in four frames; of very many, neighbours together
    swin.window_size = (4, 24, 1)  # all joints of most skeletons, in a quarter of the clip
    swin.merge = (2, 2, 1)
    swin.remat = (False, False)
    c.train.num_steps = 3000
    c.train.learning_rate = 1e-3
    c.train.ema_decay = 0.99
    c.augment.warp = 0.2
    c.augment.crop = 0.3
    c.augment.rotate = 10.0
    c.augment.turn = 25.0
    c.augment.stretch = 0.1
    c.augment.jitter = 0.03


_FORMS = {'stat_pool': _stat_pool, 'video_swin': _video_swin}
