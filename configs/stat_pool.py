"""StatPool on a clip archive: statistics over time, then an MLP.

    python main.py --config=configs/stat_pool.py \\
        --config.data.train=TRAIN.npz --config.data.val=VAL.npz

A word after a colon says what is read. `context`, the default: the skeleton of the clip and of the
125 frames on either side of it. `clip`: the skeleton of the clip alone, as in a stream. `features`:
the features of the archive, which then needs no skeleton.
"""

from posevid_jax import config
from posevid_jax.errors import InputError


def get_config(reads: str = 'context'):
    if reads not in ('context', 'clip', 'features'):
        raise InputError(f'configs/stat_pool.py: found {reads!r}, expected context, clip, features')
    c = config.get_config()
    c.name = f'stat_pool_{reads}'
    # A thousand clips do not feed a wider layer.
    c.model.stat_pool.hidden_sizes = (64,)
    c.train.num_epochs = 30
    if reads == 'features':
        # Videos differ more than gestures do: each is measured against itself.
        c.features.zscore = 'per_video'
        c.model.dropout = 0.5
        c.train.learning_rate = 3e-4
        return c
    c.features.source = 'body'
    # Sideways and in angles, people differ more than their gestures do. Visits add nothing to how
    # near the hand came before and after.
    c.features.leave_out = ('*elbow*', '*forearm_y', '*off_mouth', '*_x', 'visit_*')
    c.features.scale_frames = 649  # one size for a clip with its context
    c.features.scaler = 'rank'
    c.features.quantiles = (0.05, 0.1, 0.25, 0.75, 0.9)
    c.features.pooled_scaler = 'rank'
    c.features.parts = 3  # the label of a sub-clip is mostly about its middle
    # Gestures begin and end within clips, and a short sub-clip lies on one side of most ends.
    c.features.subclip = 25
    c.model.dropout = 0.6
    c.train.batch_size = 16
    c.train.num_epochs = 8
    if reads == 'context':
        c.features.context = 125
    return c
