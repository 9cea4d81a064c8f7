"""Video Swin over the features packed into a grid, in three sizes.

python main.py --config=configs/video_swin.py:tiny --config.data.train=TRAIN.npz
"""

from configs import default


def get_config(size: str = 'tiny'):
    c = default.get_config()
    c.name = f'video_swin_{size}'
    c.model.name = 'video_swin'
    c.model.size = size
    c.features.pack = 'light'
    c.train.batch_size = 16
    c.train.num_epochs = 30
    c.train.learning_rate = 1e-4
    c.eval.batch_size = 32
    return c
