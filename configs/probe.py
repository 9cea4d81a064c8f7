"""How large a batch a GPU can hold, for each size and feature pack, before anything is trained.

    python main.py --mode=probe --config=configs/probe.py --workdir=runs/probe
    python main.py --mode=probe --config=configs/probe.py --workdir=runs/probe_h200 \
        --config.probe.device=h200

Expected: a table of 9 rows and capacity_report.json in the directory; docs/capacity.md explains
both. The second command needs no GPU, only the cuda12 or cuda13 extra. Any other configuration can
be probed the same way; its own model and data are then what is compiled.
"""

from ml_collections import ConfigDict

from configs import default


def get_config():
    c = default.get_config()
    c.name = 'probe'
    c.model.name = 'video_swin'
    c.train.capacity_report = ''
    c.train.micro_batches = 1
    c.probe = probe_section()
    return c


def probe_section() -> ConfigDict:
    p = ConfigDict()
    # local, or a GPU that is not here, by its name in posevid_jax/capacity/devices.py
    p.device = 'local'
    p.num_devices = 1  # of a GPU that is not here; local: as `parallel` says
    p.sizes = ('tiny', 'small', 'base')  # of video_swin; stat_pool has one
    p.packs = ('off', 'light', 'full')
    p.multiple_of = 8  # batches per device that come into question: what tensor cores like
    p.first_batch = 64  # the first one compiled; only the number of compiles depends on it
    p.max_batch = 65_536  # the largest to ask for
    p.prove = True  # compile the next multiple too and see it fail
    p.bracket = 0.02  # share to which a batch is bracketed where the compiler recomputes
    # Share of the memory that JAX takes: XLA_PYTHON_CLIENT_MEM_FRACTION of the training.
    p.memory_fraction = 0.75
    # Kept free of it: batches on their way to the device, metrics, and gaps, because most of a
    # step is one block that must be in one piece.
    p.reserve_bytes = 512 * 1024**2
    p.memory_bytes = 0  # of a device, instead of what it or its description says; 0 = ask
    p.threads = 2  # rows compiled side by side
    # Only where the device is here:
    p.ladder = 5  # batches timed: the answer, its half, its quarter, ...
    p.timed_steps = 5  # steps for a throughput, after one to warm up
    p.verify = True  # real steps at the answer, and their bytes beside the prediction
    return p
