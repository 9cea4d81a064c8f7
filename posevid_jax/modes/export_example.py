"""Runs the exported classifier beside this file: needs jax and flatbuffers, nothing else."""

import json
import pathlib

import numpy as np
from jax import export

here = pathlib.Path(__file__).parent
about = json.loads((here / 'metadata.json').read_text())
model = export.deserialize(bytearray((here / 'model.jax').read_bytes()))
# Two random clips: put yours here, with NaN for what is missing.
clips = {
    name: np.random.default_rng(0).random([2, *of['shape'][1:]], of['dtype'])
    for name, of in about['inputs'].items()
}
print(about['class_names'], np.asarray(model.call(clips)))
