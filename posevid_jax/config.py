"""Every configuration key that exists, with its default and its meaning.

The files in `configs/` start from `get_config()` here and override values; none adds a key. On the
command line: `--config=configs/stat_pool.py --config.train.learning_rate=3e-4`.
"""

from ml_collections import ConfigDict

TRAINING_SECTIONS = ('seed', 'parallel', 'data', 'features', 'augment', 'model', 'train')
"""What decides the numbers of a training; each other section belongs to one mode or to a stage that
comes after, and may differ when a run goes on."""

TRAINING_KEYS_THAT_MAY_CHANGE = (
    'data.manifest',
    'data.max_bytes',
    'data.test',
    'train.log_every_steps',
    'train.num_epochs',
    'train.on_nonfinite',
    'train.patience',
    'train.patience_smoothing',
    'train.tensorboard',
    'train.topk_every_epochs',
    'train.topk_loss',
)
"""Keys in these sections that leave the steps done as they are."""


def get_config() -> ConfigDict:
    c = ConfigDict()
    c.name = 'default'  # names the numbered run directories: runs/<name>/01, 02, ...
    c.seed = 0  # initialisation, order of clips, dropout, augmentation
    # Where compiled programs are kept for the next start; '' = nowhere.
    c.compilation_cache = '~/.cache/posevid_jax'
    c.parallel = 'auto'  # auto: pmap when there are several local devices | jit | pmap

    c.data = ConfigDict()
    # An npz archive, a folder of npz clips, a folder of shards (larger than memory) or `synthetic`.
    c.data.train = 'synthetic'
    c.data.val = ''  # the same; empty: whole videos are split off from train
    # What --mode=eval and --mode=predict read; for eval, empty: the run's validation clips.
    c.data.test = ''
    c.data.prefix = 'long'  # archives name their arrays <prefix>_raw, <prefix>_label, ...
    c.data.on_error = 'raise'  # a bad file of a folder, a bad clip of an archive: raise | skip
    # Bytes that npz files may expand to; 0: 100 times their size, at least 1 GiB, at most the
    # memory of the machine.
    c.data.max_bytes = 0
    # SHA-256 sums beside the data, <name>.npz.sha256 or manifest.sha256 in a folder: auto (checked
    # where there are some) | require | off
    c.data.manifest = 'auto'
    c.data.val_fraction = 0.2  # share of the clips split off when data.val is empty
    c.data.balance = True  # draw every class equally often in training
    # Draw a clip in proportion to its weight (within its class when balanced). The training loss
    # then leaves the weight out, so that it counts once.
    c.data.sample_by_weight = False
    # Most draws of a video's clips an epoch (from each class, in a pass over it, when balanced),
    # its clips taking turns; the epoch gets shorter. 0: no limit.
    c.data.max_clips_per_video = 0
    # CSV with columns row (number of the training clip) and prob or loss: predictions for the
    # training clips, or their largest losses. Negative clips are drawn up to hard_negative_boost
    # times as often, in proportion to how sure the model was of the gesture. Empty: none.
    c.data.hard_negatives = ''
    c.data.hard_negative_boost = 4.0
    c.data.synthetic = ConfigDict()
    c.data.synthetic.num_videos = 120  # simulated recordings, each with its own person and camera
    c.data.synthetic.clips_per_video = 16
    c.data.synthetic.num_frames = 75  # frames a clip
    c.data.synthetic.classes = ('smoke',)  # gestures with a class each, data/synthetic.py; rest: 0
    c.data.synthetic.seed = 0

    c.prepare = ConfigDict()  # --mode=prepare: landmark files and labels to clips
    c.prepare.landmarks = ''  # folder with a file (or an OpenPose folder) a video; or one such file
    c.prepare.labels = ''  # folder with a CSV a video: start, end (seconds), label; '' = no labels
    c.prepare.output = ''  # what to write: PATH.npz, an archive | PATH, a folder of shards
    # Names of files without extensions; * is the video, by which landmarks and labels are paired. A
    # name that does not fit is the video's name as it is.
    c.prepare.landmarks_name = '*_pose'
    c.prepare.labels_name = '*_full'
    c.prepare.on_error = 'raise'  # a file that cannot be used: raise | skip (reported, left out)
    c.prepare.max_file_mb = 512  # MiB of a file, decompressed; a larger one is refused
    # What a landmark file may not say itself; where it does, the file is right.
    c.prepare.fps = 0.0  # frames per second; 0 = must be in the file
    c.prepare.video_size = (0, 0)  # width, height in pixels; 0 = must be in the file
    c.prepare.joint_map = ''  # '' = the format's own | mediapipe_33 | coco_17 | body_25
    c.prepare.joint_names = ()  # or your own map: a name for each joint, in the order of the file
    c.prepare.array_axes = ''  # last axis of npy and npz: '' = xy or xyzv by its size | xyz | xyv
    # Names of a CSV's columns where they are your own, with {joint} and {axis}: 'kp_{joint}_{axis}'
    c.prepare.columns = ''
    # Seconds of the longest gap that is interpolated over, when times are uneven or resampled.
    c.prepare.max_gap = 0.2
    c.prepare.person = 'largest'  # whom to keep of several: largest | confident | first
    c.prepare.joints = ()  # joints to keep, by name; () = all
    c.prepare.resample_fps = 0.0  # common frame rate of the clips; 0 = that of each video
    c.prepare.unit = 'frames'  # of the next three: frames | seconds
    c.prepare.clip_length = 75.0
    c.prepare.stride = 40.0  # from the start of a clip to the start of the next
    c.prepare.context = 0.0  # before and after each clip, stored beside it; 0 = none
    c.prepare.min_coverage = 0.0  # share of a clip's frames that must show a pose
    # Names of the labels, the one without the gesture first; () = as in the label files, sorted.
    c.prepare.classes = ()
    c.prepare.outside = 'unknown'  # label of frames in no interval; unknown = they have none
    # share: the class with the most frames, if it has at least positive_share of them, else the
    # first class | centre: the label of the frame in the middle
    c.prepare.label_rule = 'share'
    c.prepare.positive_share = 0.5

    c.features = ConfigDict()
    # The numbers of a frame. archive: the features of the clips | body: computed from the skeleton
    # in the body's own frame, see features/body.py.
    c.features.source = 'archive'
    c.features.leave_out = ()  # patterns of names of body features not to read: '*elbow*'
    # The body's size is the median over so many frames around each, odd; what is longer than twice
    # a clip takes the whole of it.
    c.features.scale_frames = 149
    c.features.zscore = 'global'  # none | per_clip | per_video | global (fitted on train)
    # Of global: standard (mean, std) | robust (median, (p90 - p10) / 2.56) | rank (the share of the
    # training values below, from 0 to 1, less its mean and over its deviation).
    c.features.scaler = 'standard'
    c.features.clip_at = 10.0  # z-scores are clipped to +- this: a tracker's jump is not evidence
    c.features.smooth = 1  # frames of the centred moving average; 1 = none
    # Channels per feature. off: its value | light: + velocity, acceleration, energy | full: + its
    # mean distance to the other features. Their unit of time is a thirtieth of a second.
    c.features.pack = 'off'
    # What video_swin reads. grid: the packed features row by row | skeleton: a row a joint; then
    # zscore, scaler, clip_at, smooth and pack say nothing and stay as they are here, except with
    # model.video_swin.statistics.
    c.features.layout = 'grid'
    # What stat_pool takes of every channel over the observed frames.
    c.features.statistics = ('mean', 'std', 'median', 'max', 'min')
    c.features.quantiles = ()  # from 0 to 1
    c.features.thresholds = ()  # the share of frames below each; z-scores, unless zscore is none
    c.features.parts = 1  # above 1: also the mean of each of so many equal parts of the clip
    # All whole windows of a clip, of so many frames and so many apart, are judged and trained as
    # clips of their own, with the label of most of their frames (stat_pool also with means of the
    # clip's frames before and after, as with context); its logits are the medians of theirs. 0: a
    # clip is judged as one.
    c.features.subclip = 0
    c.features.subclip_stride = 5
    # What stat_pool measures all of these against before the MLP: the kinds of `scaler`, fitted on
    # the statistics of the training clips | none.
    c.features.pooled_scaler = 'none'
    # body: so many frames before each clip and after it are known as well; stat_pool is also told
    # the means of so many before each clip (or window) and after. They are the archive's context,
    # or frames that other clips of the video hold; so not for a live stream.
    c.features.context = 0
    # A few numbers about the hand nearer to the mouth, for stat_pool: features/summary.py.
    c.features.summary = ConfigDict()
    c.features.summary.on = False
    c.features.summary.joints = ('wrist', 'index')  # of a side: the hand is their weighted mean
    c.features.summary.weights = (0.3, 0.7)
    c.features.summary.near = (0.4, 0.7, 1.0)  # shoulder widths to the mouth that count as near

    # Changes of training clips, drawn anew at every step. A clip keeps its label, so an amount must
    # not take the gesture out of it. 0 = off. Those of joints alone need features.source=body or
    # features.layout=skeleton; mirror, hand_swap and warp of features need names like
    # dist_leftHand_mouth, l15_vx.
    c.augment = ConfigDict()
    c.augment.mirror = 0.0  # probability; x -> 1 - x, left and right exchange joints and features
    c.augment.hand_swap = 0.0  # probability; the arms exchange names and stay where they are
    c.augment.warp = 0.0  # tempo between 1 - this and 1 + this, smoothly changing in the clip
    c.augment.shift = 0.0  # up to this share of the clip earlier or later, the rest missing
    c.augment.crop = 0.0  # up to this share of the clip missing, at its start and end
    c.augment.frame_drop = 0.0  # probability of each frame to be missing
    c.augment.joint_drop = 0.0  # of each joint, for the whole clip; joints alone, not the shoulders
    c.augment.scale = 0.0  # body up to 1 + this times larger or smaller; joints alone
    c.augment.rotate = 0.0  # degrees, either way, in the picture; joints alone
    c.augment.jitter = 0.0  # deviation of each joint and frame, in shoulder widths; joints alone
    # Beta(this, this) gives the shares of two clips of a device that are mixed; their labels too.
    c.augment.mixup = 0.0

    c.model = ConfigDict()
    # stat_pool | video_swin; a directory of --mode=ensemble says ensemble, which is not trained
    c.model.name = 'stat_pool'
    c.model.dtype = 'float32'  # of the computation: float32 | bfloat16; parameters stay float32
    c.model.dropout = 0.0  # in the MLP (stat_pool), after projections (video_swin)

    c.model.stat_pool = ConfigDict()
    c.model.stat_pool.hidden_sizes = (256, 64)
    c.model.stat_pool.batch_norm = False  # after each hidden layer, statistics over all devices

    c.model.size = 'tiny'  # video_swin: mini | tiny | small | base
    c.model.video_swin = ConfigDict()
    c.model.video_swin.layout = 'official'  # official | legacy, see models/video_swin.py
    c.model.video_swin.patch_size = (2, 2, 2)  # T, H, W of a token, in cells
    c.model.video_swin.patch_norm = True  # a norm after the patch embedding
    c.model.video_swin.window_size = (8, 7, 7)  # T, H, W of an attention window, in tokens
    c.model.video_swin.merge = (1, 2, 2)  # neighbours joined between stages; or (2, 2, 2)
    c.model.video_swin.mask_padding = True  # padding and missing tokens take no part in attention
    c.model.video_swin.drop_path = 0.1  # stochastic depth of the last block; linear from 0
    # Also what stat_pool reads and computes; its logits are added to those of the head.
    c.model.video_swin.statistics = False
    c.model.video_swin.statistics_dropout = 0.6
    c.model.video_swin.remat = (False, False, False, False)  # recompute activations, by stage

    c.model.pretrained = ''  # video_swin: weights to start from, .safetensors, .npz or .pth
    c.model.pretrained_window = (8, 7, 7)  # T, H, W of the window that they were trained with
    # Patterns (Python's) of tensors that may be missing, left over or differ: r'stage3_', r'.*'.
    c.model.pretrained_allow = ()

    c.train = ConfigDict()
    c.train.batch_size = 64  # clips a step over all devices; 0: from train.capacity_report
    c.train.capacity_report = ''  # capacity_report.json of a probe, see docs/capacity.md
    # Parts of a device's batch worked through one after the other within a step; a report sets it
    # for a batch that does not fit.
    c.train.micro_batches = 1
    # One epoch = as many draws as there are training clips, or data.max_clips_per_video leaves.
    c.train.num_epochs = 20
    # Independent members trained side by side in one program, with seeds seed, seed + 1, ...: each
    # has its own initialisation and dropout; batches and their augmentation are common to all, so
    # that they are prepared once. The run is then the ensemble, the mean of the members' logits.
    c.train.num_seeds = 1
    c.train.learning_rate = 1e-3  # peak, after warm-up
    c.train.warmup_epochs = 1.0  # linear from 0
    c.train.schedule = 'cosine'  # after it: cosine to 0 | linear to 0 | constant
    c.train.weight_decay = 0.05  # AdamW; matrices and kernels only
    c.train.grad_clip = 1.0  # global norm of the gradient; 0 = off
    # (pattern of whole names such as stage0_block1/attn/qkv/kernel, factor of the learning rate,
    # factor of the weight decay), ...: every parameter must be in one group and no more.
    c.train.groups = (('.*', 1.0, 1.0),)
    c.train.layer_decay = 1.0  # factor of the learning rate from each layer to the one below
    c.train.freeze = ()  # patterns of parameters that stay as they are at first; () = none
    c.train.freeze_epochs = 1.0  # for so long
    c.train.ema_decay = 0.0  # evaluate a moving average of the parameters; 0 = off, or e.g. 0.999
    # A loss or gradient that is NaN or infinite. stop: leave that step out, save the state before
    # it, end with an error | skip: leave it out, warn, go on | raise: end with a traceback.
    c.train.on_nonfinite = 'stop'
    # Same numbers on every run on a GPU too, which is slower; a CPU always gives them.
    c.train.deterministic = False
    # End when best_metric, smoothed, has not got better for so many epochs; 0 = never.
    c.train.patience = 0
    c.train.patience_smoothing = 0.5  # share of the past in the smoothed metric; 0 = as it is
    c.train.loss = 'bce'  # bce | focal (one logit) | ce (one logit a class)
    c.train.focal_gamma = 2.0  # weight (1 - p)^gamma of the true class
    c.train.focal_alpha = 0.5  # weight of the positive class; the negative one has 1 - alpha
    c.train.class_weights = ()  # of each class in the loss, e.g. (1.0, 3.0); () = all alike
    c.train.label_smoothing = 0.0  # share of a label that is spread over all classes evenly
    # Weight of the loss per frame, mean over the frames with a label; above 0 gives video_swin a
    # logit per frame.
    c.train.frame_loss = 0.0
    # What picks the best checkpoint: roc_auc | average_precision | loss of the validation clips |
    # last: no choice, so that a run is what --mode=cv judges.
    c.train.best_metric = 'roc_auc'
    c.train.topk_loss = 0  # list so many training clips with the largest losses; 0 = off
    c.train.topk_every_epochs = 1  # every so many epochs
    c.train.tensorboard = True  # event files beside the JSON records
    c.train.log_every_steps = 10  # a line of metrics.jsonl every so many steps

    c.checkpoint = ConfigDict()  # written at the end of every epoch, and when a signal stops a run
    c.checkpoint.every_steps = 0  # also every so many steps; 0 = not within an epoch
    c.checkpoint.keep_last = 2  # newest ones that stay, beside the best; one of them may be damaged
    c.checkpoint.keep_every_epochs = 0  # stay for good, every so many epochs; 0 = none

    c.eval = ConfigDict()
    c.eval.batch_size = 256  # clips a step over all devices
    c.eval.report = True  # a page with pictures beside each record; takes some seconds
    c.eval.bootstrap = 1000  # draws of videos for the 95 % intervals; 0: none
    # What validation clips, or a cross-validation, choose for later decisions. The threshold of the
    # best f1 | recall: the highest with this recall | precision: the lowest with this precision |
    # cost: where false alarms and misses cost least.
    c.eval.threshold = 'f1'
    c.eval.recall = 0.8
    c.eval.precision = 0.75
    c.eval.false_alarm_cost = 1.0
    c.eval.miss_cost = 1.0
    # Which of the calibrations fitted to them corrects probabilities: none | temperature, a factor
    # of the logits | platt, a factor and an offset, for one logit: data.balance shifts it | auto:
    # platt for one logit, temperature for several.
    c.eval.calibration = 'auto'

    # --mode=predict of recordings, of any length: those of prepare.landmarks, compared with
    # prepare.labels where given; prepare says how the files are read.
    c.predict = ConfigDict()
    # Frames from the start of a clip to the start of the next; a frame gets the mean probability of
    # the clips that cover it, most of those whose middle it is.
    c.predict.stride = 5
    c.predict.smooth = 0.5  # seconds of the centred moving average of these; 0 = none
    c.predict.high = 0.0  # an event must reach this probability; 0 = the run's stored threshold
    c.predict.low = 0.9  # and lasts while the probability is at least this share of `high`
    c.predict.min_length = 0.3  # seconds of the shortest event
    c.predict.merge_gap = 0.3  # seconds below `low` that do not end an event
    # A frame is uncertain where the mouth or both wrists are less visible than this.
    c.predict.min_visibility = 0.5
    c.predict.overlaps = (0.1, 0.3, 0.5)  # intersection over union that counts as found

    c.cv = ConfigDict()  # --mode=cv: data.train by videos, each judged by what never saw it
    c.cv.folds = 5
    # The clips that are judged, of the videos of data.train; '' = those of data.train. So training
    # on denser clips is compared with training on these.
    c.cv.judge = ''
    # Members a fold, as train.num_seeds, which plays no part here: their mean is judged, and how
    # far they lie apart. A threshold for a run is best fitted to as many as the run has.
    c.cv.seeds = 3

    c.ensemble = ConfigDict()  # --mode=ensemble: runs of any kind joined into one, --workdir
    c.ensemble.runs = ()  # run directories, each with a --mode=cv of the same clips and folds

    c.bench = ConfigDict()
    # step: the training step | loader: batches from clips in memory | stream: frames one by one
    # through the run in --workdir
    c.bench.what = 'step'
    c.bench.loader_clips = 20_000  # loader: random clips of 75 frames with 36 features
    c.bench.stream_frames = 2000  # stream: random frames of 33 joints, or those of the run
    c.bench.sizes = ('tiny',)  # of video_swin; stat_pool has one
    c.bench.dtypes = ('float32',)
    c.bench.batch_sizes = (16,)
    c.bench.clip_shape = (75, 6, 6, 4)  # T, H, W, C for video_swin; T, F, C for stat_pool
    c.bench.steps = 5  # timed steps, after one to warm up

    c.probe = ConfigDict()
    c.probe.device = 'local'  # or a GPU that is not here, a name in posevid_jax/capacity/devices.py
    c.probe.num_devices = 1  # of a GPU that is not here; local: as `parallel` says
    c.probe.sizes = ('tiny', 'small', 'base')  # of video_swin; stat_pool has one
    c.probe.packs = ('off', 'light', 'full')  # off alone where no features are packed
    c.probe.multiple_of = 8  # batches per device that come into question: what tensor cores like
    c.probe.first_batch = 64  # the first one compiled; only the number of compiles depends on it
    c.probe.max_batch = 65_536  # the largest to ask for
    c.probe.prove = True  # compile the next multiple too and see it fail
    # Where the compiler recomputes no line helps: max_batch is bracketed to this share of itself.
    c.probe.bracket = 0.02
    # Share of the memory that JAX takes: XLA_PYTHON_CLIENT_MEM_FRACTION.
    c.probe.memory_fraction = 0.75
    # Kept free of it: batches on their way to the device, metrics, and gaps, because most of a
    # step is one block that must be in one piece.
    c.probe.reserve_bytes = 512 * 1024**2
    c.probe.memory_bytes = 0  # of a device, instead of what it or its description says; 0 = ask
    c.probe.threads = 2  # rows compiled side by side
    c.probe.ladder = 5  # batches timed where the device is here: the answer, its half, ...
    c.probe.timed_steps = 5  # steps for a throughput, after one to warm up
    # Where the device is here: real steps at the answer, their bytes beside the prediction.
    c.probe.verify = True

    return c
