"""The defaults, as they are; every key with its meaning is in posevid_jax/config.py."""

from posevid_jax.config import get_config

__all__ = ['get_config']
