"""Video Swin: attention over frames, with the statistics of StatPool joined to its head.

    python main.py --config=configs/video_swin.py --config.data.train=TRAIN.npz

After the colon: `mini` (as without a colon), for a thousand clips with a skeleton: one token for
all features of the body in five frames, windows along time, 125 frames on either side of the clip;
`tiny`, `small`, `base`, the published sizes over the archive's features packed into a grid;
`legacy`, the earlier pose system's variant in size tiny.
"""

from configs import default, stat_pool


def get_config(size: str = 'mini'):
    if size == 'mini':
        return _mini()
    c = default.get_config()
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
    c = stat_pool.get_config('context')  # reads much the same
    c.name = 'video_swin_mini'
    c.features.leave_out = ('*elbow*', '*forearm*', '*_x', '*_before', '*_after')
    c.model.name = 'video_swin'
    c.model.size = 'mini'
    c.model.dropout = 0.3
    swin = c.model.video_swin
    swin.patch_size = (5, 8, 8)  # more than the features' grid: a token a time
    swin.window_size = (15, 1, 1)
    swin.merge = (2, 2, 2)
    swin.remat = (False, False)
    swin.statistics = True
    swin.statistics_dropout = 0.6
    c.train.frame_loss = 1.0
    c.train.ema_decay = 0.99
    return c
