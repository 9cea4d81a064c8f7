"""One recording as a page to look at and to correct, that needs no other file."""

import dataclasses
import hashlib
import json
import pathlib
import re
from typing import Any

import numpy as np

from posevid_jax.data.landmarks.recording import Recording
from posevid_jax.evaluation import page, review_packing
from posevid_jax.evaluation.drawing import COLORS


@dataclasses.dataclass(frozen=True, eq=False)
class Review:
    """What is known of a recording of T frames; events are [E, 3]: first frame, end, class.

    Attributes:
      recording: of the T frames.
      seconds: [T + 1] when each frame begins, and the end of the last one.
      class_names: the one without an event first.
      prob: [T] probability of the gesture.
      limits: probabilities that events depend on.
      found: events in order.
      labelled: stretches with a label, of any class; None without labels.
      uncertain: [T] bool, where the gesture could not be seen.
      asked: [A, 2] first frame and end of the stretches that one is asked to label; None for all.
    """

    recording: Recording
    seconds: np.ndarray
    class_names: list[str]
    prob: np.ndarray
    limits: tuple[float, ...]
    found: np.ndarray
    labelled: np.ndarray | None
    uncertain: np.ndarray
    asked: np.ndarray | None = None


def make(review: Review) -> str:
    """The page."""
    name = review.recording.name
    parts = {
        'style': _file('review.css'),
        'data': safe_json(_data(review)),
        'script': _file('review.js'),
    }
    # In one pass, so that nothing is looked for in what was put in.
    body = re.sub(r'{{(\w+)}}', lambda match: parts[match[1]], _file('review.html'))
    return page.page(f'Review of {name}', [body])


def safe_json(value: Any) -> str:
    """JSON that no browser takes for the end of a script, or for a comment."""
    return json.dumps(value, separators=(',', ':')).replace('<', '\\u003c')


def _file(name: str) -> str:
    return pathlib.Path(__file__).with_name(name).read_text('utf-8')


def _data(review: Review) -> dict[str, Any]:
    recording = review.recording
    body = review_packing.pack_body(recording.joints, recording.joint_names)
    time = review_packing.pack_times(review.seconds)
    # Work on this recording is kept under this name, by whatever run it is judged.
    identity = hashlib.sha256(f'{body.positions} {body.sight} {time}'.encode()).hexdigest()[:16]
    return {
        'name': recording.name,
        'identity': identity,
        'fps': recording.fps,
        'aspect': recording.aspect,
        'classes': review.class_names,
        'colors': COLORS,
        'limits': review.limits,
        'found': review.found.tolist(),
        'labelled': None if review.labelled is None else review.labelled.tolist(),
        'asked': None if review.asked is None else [[*span, 0] for span in review.asked.tolist()],
        'step': review_packing.POSITION_STEP,
        'ticks': review_packing.TICKS,
        'time': time,
        'prob': review_packing.pack(np.round(255 * review.prob).astype('u1')),
        'uncertain': review_packing.pack(review.uncertain.astype('u1')),
        'body': body._asdict(),
    }
