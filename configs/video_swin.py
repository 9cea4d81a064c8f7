"""Video Swin: attention over frames, with the statistics of StatPool joined to its head.

    python main.py --config=configs/video_swin.py --config.data.train=TRAIN.npz

After the colon: `mini` (as without a colon), for a thousand clips with a skeleton: one token for
all features of the body in five frames, windows along time, 125 frames on either side of the clip;
`tiny`, `small`, `base`, the published sizes over the archive's features packed into a grid;
`legacy`, the earlier pose system's variant in size tiny.
"""

from posevid_jax import config


def get_config(size: str = 'mini'):
    if size == 'mini':
        return _mini()
    c = config.get_config()
    c.name = f'video_swin_{size}'
    c.model.name = 'video_swin'
    c.features.pack = 'light'
    c.train.batch_size = 16
    c.train.num_epochs = 30
    c.train.learning_rate = 1e-4
    c.eval.batch_size = 32
    if size == 'legacy':
        swin = c.model.video_swin
        swin.layout = 'legacy'
        swin.patch_size = (2, 4, 4)
        swin.patch_norm = False
        swin.window_size = (2, 7, 7)
        swin.merge = (2, 2, 2)
        swin.mask_padding = False
    else:
        c.model.size = size
    return c


def _mini():
    c = config.get_config()
    c.name = 'video_swin_mini'
    # It reads much the same as configs/stat_pool.py, where the reasons are given.
    c.features.source = 'body'
    c.features.leave_out = ('*elbow*', '*forearm*', '*_x', '*_before', '*_after')
    c.features.scale_frames = 649
    c.features.scaler = 'rank'
    c.features.quantiles = (0.05, 0.1, 0.25, 0.75, 0.9)
    c.features.pooled_scaler = 'rank'
    c.features.parts = 3
    c.features.subclip = 25
    c.features.context = 125
    c.model.name = 'video_swin'
    c.model.size = 'mini'
    c.model.stat_pool.hidden_sizes = (64,)
    c.model.dropout = 0.3
    swin = c.model.video_swin
    swin.patch_size = (5, 8, 8)  # larger than the grid: one token per 5 frames
    swin.window_size = (15, 1, 1)
    swin.merge = (2, 2, 2)
    swin.remat = (False, False)
    swin.statistics = True
    swin.statistics_dropout = 0.6
    c.train.batch_size = 16
    c.train.num_epochs = 8
    c.train.frame_loss = 1.0
    c.train.ema_decay = 0.99
    return c
