"""SLEAP and its kin (`.slp`, SLEAP's analysis `.h5`, NWB) through sleap-io, an extra of its own.

https://io.sleap.ai
"""

import pathlib

import numpy as np
from ml_collections import ConfigDict

from posevid_jax.data.landmarks import naming
from posevid_jax.data.landmarks.detections import Detections
from posevid_jax.errors import InputError

FORMAT = 'SLEAP file'
_HDF5 = b'\x89HDF\r\n\x1a\n'


def recognises(content: bytes) -> bool:
    return content.startswith(_HDF5)


def read(path: pathlib.Path, content: bytes, config: ConfigDict) -> Detections:
    """The tracks of a file of one video.

    Args:
      path: the file.
      content: not needed, because sleap-io opens the file itself.
      config: `config.prepare`.

    Raises:
      InputError: sleap-io is not installed, or the file is not one that it reads.
    """
    where = f'{path}: {FORMAT}'
    try:
        # An extra, which brings many packages of its own.
        import sleap_io  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise InputError(f'{where}: reading it takes sleap-io: pip install sleap-io') from None
    try:
        labels = sleap_io.load_file(str(path))
        if len(labels.videos) != 1:
            raise InputError(f'{where}: found {len(labels.videos)} videos, expected one')
        # Height and width, where the video was at hand when the file was made.
        fps, shape = labels.videos[0].fps, labels.videos[0].shape
        tracks = np.asarray(labels.numpy(untracked=not labels.tracks, return_confidence=True))
        own = [node.name for node in labels.skeletons[0].nodes]
        ids = [track.name for track in labels.tracks] or [str(k) for k in range(tracks.shape[1])]
    except InputError:
        raise
    except Exception as error:  # whatever a damaged file makes a foreign reader say
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(f'{where}: sleap-io cannot read it ({reason})') from None
    frames, people, joints = tracks.shape[:3]
    found = np.zeros((frames, people, joints, 4))
    found[..., [0, 1, 3]] = tracks
    names, names_from = naming.names_of(where, config, joints, own)
    return Detections(
        where=where,
        joints=found.reshape(-1, joints, 4),
        joint_names=names,
        names_from=names_from,
        frame=np.repeat(np.arange(frames), people),
        has_visibility=True,
        person=np.tile(ids, frames) if people > 1 else None,
        num_frames=frames,
        first_frame=0,
        fps=float(fps) if fps else None,
        size=(float(shape[2]), float(shape[1])) if shape else None,
    )
