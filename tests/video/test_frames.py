"""Frames of videos: times, turns, damage, and files that are none."""

import numpy as np
import pytest
from matplotlib.image import imsave

from posevid_jax.errors import InputError
from tests.video import made

frames = pytest.importorskip('posevid_jax.video.frames', exc_type=ImportError)


def read(path):
    with frames.VideoFile(path) as file:
        found = list(file.frames())
    return file, found


def white(picture):
    """Rows and columns that begin and end the white squares."""
    rows, columns = np.nonzero(picture.mean(-1) > 200)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def test_frames_of_a_constant_rate(tmp_path):
    file, found = read(made.video(tmp_path / 'a.mp4', [made.picture((x, 8)) for x in range(20)]))
    np.testing.assert_allclose([one.seconds for one in found], np.arange(20) / made.RATE)
    assert file.rate == pytest.approx(made.RATE, rel=0.1) and not file.not_decoded
    for x, one in enumerate(found):
        assert one.picture.shape == (made.HEIGHT, made.WIDTH, 3)
        np.testing.assert_allclose(white(one.picture), (8, 24, x, x + 16), atol=1)


@pytest.mark.parametrize('name', ['a.mp4', 'a.mkv'])
def test_times_are_those_of_the_frames(tmp_path, name):
    times = [0.0, 0.04, 0.1, 0.11, 0.5, 0.533]
    _, found = read(made.video(tmp_path / name, [made.picture()] * 6, times))
    np.testing.assert_allclose([one.seconds for one in found], times, atol=1e-6)


def test_times_count_from_the_start_of_the_file(tmp_path):
    # A transport stream begins anywhere; a player shows 0.
    times = np.arange(6) / made.RATE
    _, found = read(made.video(tmp_path / 'a.ts', [made.picture()] * 6, 1.4 + times))
    np.testing.assert_allclose([one.seconds for one in found], times, atol=1e-4)


@pytest.mark.parametrize(
    ('matrix', 'expected'),
    [
        ((1, 0, 0, 1), lambda p: p),
        ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),  # a telephone held upright
        ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
        ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
        ((-1, 0, 0, 1), np.fliplr),
        ((0, 1, 1, 0), lambda p: p.swapaxes(0, 1)),
    ],
)
def test_pictures_are_upright(tmp_path, matrix, expected):
    a, b, c, d = (number << 16 for number in matrix)

    def turn(stream):
        stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])

    plain = made.picture((4, 20))
    _, found = read(made.video(tmp_path / 'a.mp4', [plain] * 2, prepare=turn))
    assert found[1].picture.shape == expected(plain).shape
    np.testing.assert_allclose(white(found[1].picture), white(expected(plain)), atol=1)


def test_pixels_become_square(tmp_path):
    def widen(stream):
        stream.codec_context.sample_aspect_ratio = stream.sample_aspect_ratio = 2

    _, found = read(made.video(tmp_path / 'a.mkv', [made.picture((8, 8))] * 2, prepare=widen))
    assert found[0].picture.shape == (made.HEIGHT, 2 * made.WIDTH, 3)


def test_what_can_be_decoded_of_a_broken_file_is_kept(tmp_path):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (made.HEIGHT, made.WIDTH, 3)).astype(np.uint8) for _ in range(50)]
    whole = made.video(tmp_path / 'a.mp4', noise).read_bytes()
    third, half = len(whole) // 3, len(whole) // 2
    (tmp_path / 'b.mp4').write_bytes(whole[:half])
    file, found = read(tmp_path / 'b.mp4')
    assert 15 < len(found) < 30
    assert file.not_decoded.endswith(f'the frames end after {len(found) / 25:.1f} of 2.0 s')
    (tmp_path / 'c.mp4').write_bytes(whole[:third] + bytes(half - third) + whole[half:])
    file, found = read(tmp_path / 'c.mp4')
    assert 30 < len(found) < 50 and found[-1].seconds == pytest.approx(49 / made.RATE)
    assert file.not_decoded == f'{50 - len(found)} damaged packets'


def test_what_is_no_video_is_said(tmp_path):
    files = {
        'missing.mp4': 'not found, expected a file',
        'folder.mp4': 'found a folder, expected a file',
        'text.mp4': 'found no video',
        'empty.mp4': 'found no video',
        'text.txt': 'found no video',
        'picture.png': 'found a picture, expected a video',
        'sound.m4a': 'found audio alone, expected a video',
        'song.m4a': 'found audio alone, expected a video',
        'none.mp4': 'found no frame that can be decoded',
    }
    (tmp_path / 'folder.mp4').mkdir()
    for name in ('text.mp4', 'text.txt'):
        (tmp_path / name).write_text('start,end,label\n' * 20)
    (tmp_path / 'empty.mp4').touch()
    imsave(tmp_path / 'picture.png', made.picture())
    made.sound(tmp_path / 'sound.m4a', cover=False)
    made.sound(tmp_path / 'song.m4a', cover=True)
    whole = made.video(tmp_path / 'none.mp4', [made.picture()] * 5).read_bytes()
    (tmp_path / 'none.mp4').write_bytes(whole[: whole.index(b'mdat') + 4])
    for name, message in files.items():
        with pytest.raises(InputError, match=f'{name}: {message}'):
            read(tmp_path / name)
