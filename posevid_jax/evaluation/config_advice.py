"""Which of the shipped configurations suits a set of clips, and why."""

from typing import NamedTuple

from posevid_jax.data.clips import Clips
from posevid_jax.data.contract import UNKNOWN_FRAME
from posevid_jax.data.joints import HANDS_AND_MOUTH


class Suggestion(NamedTuple):
    """A configuration by its name, such as `gesture`, and what about the clips speaks for it."""

    config: str
    why: str


def suggest(clips: Clips) -> list[Suggestion]:
    """The shipped configurations that suit clips, the best one first.

    Args:
      clips: those to train on.
    """
    if not clips.joint_names:
        return [Suggestion('stat_pool:features', 'the clips have features and no skeleton')]
    general = Suggestion('gesture', f'any gesture, by all {len(clips.joint_names)} joints')
    beside = Suggestion('gesture:video_swin', 'the same by attention; slower, and joined better')
    if clips.num_classes > 2 or not set(HANDS_AND_MOUTH) <= set(clips.joint_names):
        return [general, beside]
    around = clips.context_skeleton is not None or bool((clips.start_frame != UNKNOWN_FRAME).all())
    name = 'stat_pool:context' if around else 'stat_pool:clip'
    frames = ' and the frames around each clip' if around else ''
    return [
        Suggestion(name, f'for a gesture of hand and mouth: two classes, the joints{frames}'),
        general,
        beside,
    ]


def line(name: str, clips: Clips) -> str:
    """What a person reads: `clips: --config=configs/gesture.py (any gesture, ...)`."""
    ways = [f'--config=configs/{_file(s.config)} ({s.why})' for s in suggest(clips)]
    return f'{name}: train with {", or ".join(ways)}'


def _file(config: str) -> str:
    name, _, form = config.partition(':')
    return f'{name}.py:{form}' if form else f'{name}.py'
