"""posevid_jax: find a gesture in clips of pose features, with JAX and Flax."""
