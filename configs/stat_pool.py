"""StatPool on a clip archive: statistics over time, then an MLP.

    python main.py --config=configs/stat_pool.py \\
        --config.data.train=TRAIN.npz --config.data.val=VAL.npz
"""

from configs import default


def get_config():
    c = default.get_config()
    c.name = 'stat_pool'
    # Videos differ more than gestures do: each is measured against itself.
    c.features.zscore = 'per_video'
    # A thousand clips do not feed a wider layer.
    c.model.stat_pool.hidden_sizes = (64,)
    c.model.dropout = 0.5
    c.train.num_epochs = 30
    c.train.learning_rate = 3e-4
    return c
