"""The columns, a row a clip, that batches are gathered from."""

from posevid_jax.data.clips import Clips
from posevid_jax.data.context import context
from posevid_jax.data.mapped import Column
from posevid_jax.data.video_stats import per_video_stats
from posevid_jax.features import on_host, sources
from posevid_jax.features.inputs import InputSpec

CONTEXT = {'skeleton': 'context_skeleton', 'skeleton_mask': 'context_mask'}
"""Arrays of a batch, and those of the frames around its clips."""


def host_arrays(clips: Clips, spec: InputSpec) -> dict[str, Column]:
    """Everything that a batch of these clips holds, for a network that reads `spec`."""
    arrays = clips.arrays(skeleton=spec.reads_joints)
    if spec.features.zscore == 'per_video' and spec.reads_numbers:
        read = on_host.computed_features(clips, spec.features) if spec.computes else None
        arrays['video_mean'], arrays['video_std'] = per_video_stats(clips, read)
    if spec.features.context:
        arrays |= zip(CONTEXT.values(), context(clips, spec.features.context), strict=True)
    return arrays


def scaled_names(clips: Clips, spec: InputSpec) -> tuple[str, ...]:
    """Names of the features that are z-scored: the archive's, or those computed.

    Raises:
      InputError: the clips have not the joints that computed features need.
    """
    if spec.computes:
        return sources.COMPUTED[spec.features.source].names(clips.joint_names, spec.features)
    return clips.feature_names
