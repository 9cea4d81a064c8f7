"""SLEAP's files, written by sleap-io itself."""

import numpy as np
import pytest

from tests.data.landmark_reading import KNOWN, SIZE, in_shares, pixels, read, refused

sio = pytest.importorskip('sleap_io', reason='sleap-io is not installed')

NAMES = ('nose', 'left_shoulder', 'right_shoulder', 'left_wrist')
SEEN = (2, 3, 5, 7)  # of 8 frames


@pytest.fixture(params=['a.slp', 'a.h5'])
def file(request, tmp_path):
    """The predictions of one animal, in a file of either layout; and what they are."""
    skeleton, track = sio.Skeleton(nodes=list(NAMES)), sio.Track('one')
    video = sio.Video(filename='a.mp4', open_backend=False)
    video.backend_metadata['shape'] = (8, SIZE[1], SIZE[0], 3)
    person = pixels(8, len(NAMES)).astype(np.float64)
    frames = [
        sio.LabeledFrame(
            video=video,
            frame_idx=t,
            instances=[
                sio.PredictedInstance.from_numpy(
                    person[t, :, :2], skeleton, person[t, :, 3], score=1.0, track=track
                )
            ],
        )
        for t in SEEN
    ]
    labels = sio.Labels(frames, videos=[video], skeletons=[skeleton], tracks=[track])
    path = tmp_path / request.param
    if path.suffix == '.slp':
        labels.save(str(path))
    else:
        sio.save_file(labels, str(path), format='analysis_h5')
    return path, person


def test_joints_are_at_their_frames_in_shares_of_the_picture(file):
    path, person = file
    found = read(path, prepare__fps=25.0)
    assert found.joint_names == NAMES
    assert found.aspect == pytest.approx(SIZE[0] / SIZE[1])
    frames = np.rint(found.time * 25).astype(int)
    seen = np.isfinite(found.joints).all(axis=(1, 2))
    assert frames[seen].tolist() == list(SEEN)
    expected = in_shares(person[list(SEEN)])
    np.testing.assert_allclose(found.joints[seen][..., [0, 1, 3]], expected[..., [0, 1, 3]], 1e-4)


def test_a_damaged_file_is_one_line(file):
    path, _ = file
    path.write_bytes(path.read_bytes()[:700])
    assert 'sleap-io cannot read it' in refused(path, **KNOWN)
