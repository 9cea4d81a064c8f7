"""The arrays of a stored state, by their names, and from them the state of this version."""

from typing import Any

import jax
import jax.numpy as jnp


def filled(abstract: Any, restored: dict[str, Any]) -> Any:
    """A state of restored arrays, found by their names, and zeros for those that came later.

    By names, because a version may nest the same arrays in another way.
    """
    found = dict(named(restored))
    leaves = [
        found[name] if name in found else jnp.zeros(leaf.shape, leaf.dtype)
        for name, leaf in named(abstract)
    ]
    return jax.tree.unflatten(jax.tree.structure(abstract), leaves)


def named(tree: Any) -> list[tuple[str, Any]]:
    """The leaves of a tree, each with its name: `params/head/kernel`."""
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return [(jax.tree_util.keystr(path, simple=True, separator='/'), leaf) for path, leaf in leaves]


def on_first_device(tree: Any) -> Any:
    """Shapes and dtypes that are restored onto the first local device."""
    device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=device), tree
    )
