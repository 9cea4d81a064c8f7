"""What a classifier expects of clips: their length, joints, features and classes."""

import dataclasses
from typing import Any

from posevid_jax.data import source, typical
from posevid_jax.data.clips import Clips


@dataclasses.dataclass(frozen=True)
class ClipForm:
    """The form that clips must have.

    Attributes:
      whose: the run directory, or the training clips, for messages.
      num_frames: T of a clip.
      subclip: frames of the sub-clips that are judged instead of clips, and from one to the next;
        None where clips are.
      context: frames that are read before a clip, and as many after it.
      joint_names: J joints; () where the skeleton is not read.
      feature_names: F features that are read; () where they are computed from the joints.
      class_names: K names.
      typical: `typical.describe` of the training clips; None for a run of an earlier version.
    """

    whose: str
    num_frames: int
    subclip: tuple[int, int] | None
    context: int
    joint_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    typical: dict[str, Any] | None

    @classmethod
    def of(
        cls,
        inputs: dict[str, Any],
        *,
        whose: str,
        num_frames: int,
        context: int,
        reads_features: bool,
        subclip: tuple[int, int] | None = None,
    ) -> 'ClipForm':
        """The form by what scaler.json says.

        Args:
          inputs: names of features, joints and classes.
          whose, num_frames, context, subclip: as of the form.
          reads_features: runs from before listed those of the archive where they read none.
        """
        return cls(
            whose=whose,
            num_frames=num_frames,
            subclip=subclip,
            context=context,
            joint_names=tuple(inputs['joint_names']),
            feature_names=tuple(inputs['feature_names']) if reads_features else (),
            class_names=tuple(inputs['class_names']),
            typical=inputs.get('typical'),
        )

    def steps(self, stride: int) -> tuple[int, int]:
        """How clips cover a recording: the frames that are judged of each, and frames from one to
        the next, with which sub-clips go on at their stride.

        Args:
          stride: from clip to clip where there are no sub-clips.
        """
        if self.subclip is None:
            return self.num_frames, stride
        length, stride = self.subclip
        last = (self.num_frames - length) // stride * stride  # the start of the last sub-clip
        return last + length, last + stride

    def rate_for(self, fps: float) -> float | None:
        """The rate of the training clips where `fps` differs much from it, else None."""
        return typical.typical_rate(self.typical, fps) if self.typical else None

    def conform(self, clips: Clips, name: str) -> Clips:
        """Clips with these features, joints and classes.

        Clips of another length are fine for statistics over time, and for a network that attends
        within windows; features do not matter to a network that reads joints.

        Args:
          clips: any set.
          name: where it comes from, for the message.

        Returns:
          the clips, labelled with these classes, found by name.

        Raises:
          InputError: other features or joints, or another class.
        """
        names = {key: getattr(self, key) for key in ('feature_names', 'joint_names', 'class_names')}
        return source.conform(clips, names, name, like=self.whose)
