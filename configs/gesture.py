"""Any gesture, any skeleton with named joints: features of the whole body.

    python main.py --config=configs/gesture.py --config.data.train=TRAIN.npz

Clips may have any length, rate and number of classes, be cut from videos or be recordings of their
own. After a colon: `stat_pool`, the default, which reads convolution statistics; `video_swin`,
attention over the same features.
"""

from ml_collections import ConfigDict

from posevid_jax import config
from posevid_jax.errors import InputError


def get_config(family: str = 'stat_pool'):
    if family not in _FAMILIES:
        raise InputError(f'configs/gesture.py: found {family!r}, expected {", ".join(_FAMILIES)}')
    c = config.get_config()
    c.name = f'gesture_{family}'
    c.features.source = 'pose'
    # Kernels see motion in places, and what a turned body shows they learn from the clips.
    c.features.leave_out = ('turned_*', 'velocity_*', 'acceleration_*')
    c.features.zscore = 'none'  # sizes of bodies are a unit that all places share
    c.features.frames = 64
    c.features.smooth = 5
    c.train.best_metric = 'last'
    c.train.label_smoothing = 0.1
    c.train.batch_size = 32
    c.model.name = family
    _FAMILIES[family](c)
    return c


def _stat_pool(c: ConfigDict) -> None:
    c.features.kernels = 10_000
    c.features.statistics = ()
    c.features.pooled_scaler = 'standard'
    c.model.stat_pool.hidden_sizes = ()
    c.train.num_steps = 1500
    c.train.learning_rate = 3e-4


def _video_swin(c: ConfigDict) -> None:
    c.model.size = 'mini'
    c.model.dropout = 0.3
    swin = c.model.video_swin
    swin.patch_size = (4, 32, 32)  # larger than the grid of most skeletons: a token per 4 frames
    swin.window_size = (16, 1, 1)
    swin.merge = (2, 2, 2)
    swin.remat = (False, False)


_FAMILIES = {'stat_pool': _stat_pool, 'video_swin': _video_swin}
