"""How large a batch a GPU can hold, for each size and feature pack, before anything is trained.

    python main.py --mode=probe --config=configs/probe.py --workdir=runs/probe
    python main.py --mode=probe --config=configs/probe.py --workdir=runs/probe_h200 \
        --config.probe.device=h200

Expected: a table of 9 rows and capacity_report.json in the directory; docs/capacity.md explains
both. The second command needs no GPU, only the cuda12 or cuda13 extra. Any other configuration can
be probed the same way; its own model and data are then what is compiled.
"""

from posevid_jax import config


def get_config():
    c = config.get_config()
    c.name = 'probe'
    c.model.name = 'video_swin'
    return c
