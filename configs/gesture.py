"""Any gesture, any skeleton with named joints: features of the whole body.

    python main.py --config=configs/gesture.py --config.data.train=TRAIN.npz

Clips may have any length, rate and number of classes, be cut from videos or be recordings of their
own. StatPool reads convolution statistics of places, distances, bones and angles.
"""

from posevid_jax import config


def get_config():
    c = config.get_config()
    c.name = 'gesture'
    c.features.source = 'pose'
    # Kernels see motion in places, and what a turned body shows they learn from the clips.
    c.features.leave_out = ('turned_*', 'velocity_*', 'acceleration_*')
    c.features.zscore = 'none'  # sizes of bodies are a unit that all places share
    c.features.frames = 64
    c.features.smooth = 5
    c.features.kernels = 10_000
    c.features.statistics = ()
    c.features.pooled_scaler = 'standard'
    c.model.stat_pool.hidden_sizes = ()
    c.train.num_steps = 1500
    c.train.batch_size = 32
    c.train.learning_rate = 3e-4
    c.train.label_smoothing = 0.1
    c.train.best_metric = 'last'
    return c
