"""Video Swin over the features packed into a grid.

    python main.py --config=configs/video_swin.py:tiny --config.data.train=TRAIN.npz

After the colon: tiny, small, base, or legacy, the earlier pose system's variant in size tiny.
"""

from configs import default


def get_config(size: str = 'tiny'):
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
