"""Every configuration key that exists, with its default and its meaning.

The files in `configs/` start from `get_config()` here and override values; none adds a key. On the
command line: `--config=configs/stat_pool.py --config.train.learning_rate=3e-4`.
"""

from ml_collections import ConfigDict

TRAINING_SECTIONS = ('seed', 'parallel', 'data', 'features', 'augment', 'model', 'train')
"""The sections that decide the numbers of a training. Every other section belongs to one mode or to
a later stage, and may differ when a run is resumed."""

TRAINING_KEYS_THAT_MAY_CHANGE = (
    'data.manifest',
    'data.max_bytes',
    'data.test',
    'train.log_every_steps',
    'train.num_epochs',
    'train.num_steps',
    'train.on_nonfinite',
    'train.patience',
    'train.patience_smoothing',
    'train.tensorboard',
    'train.topk_every_epochs',
    'train.topk_loss',
)
"""Keys of these sections that may differ when a run is resumed: they change no step already
taken."""


def get_config() -> ConfigDict:
    c = ConfigDict()
    c.name = 'default'  # names the numbered run directories: runs/<name>/01, 02, ...
    c.seed = 0  # of initialisation, order of clips, dropout and augmentation
    # The folder that keeps compiled programs for the next start; '' = none.
    c.compilation_cache = '~/.cache/posevid_jax'
    c.parallel = 'auto'  # auto: pmap when there are several local devices | jit | pmap

    c.data = ConfigDict()
    # An npz archive, a folder of npz clips, a folder of shards (larger than memory) or `synthetic`.
    c.data.train = 'synthetic'
    c.data.val = ''  # likewise; '' = whole videos are split off from data.train
    # The clips that --mode=eval, predict and baseline read; '' in eval = the run's validation
    # clips, in baseline = the folds alone.
    c.data.test = ''
    c.data.prefix = 'long'  # archives name their arrays <prefix>_raw, <prefix>_label, ...
    c.data.on_error = 'raise'  # on a bad file of a folder or bad clip of an archive: raise | skip
    # The most bytes that npz files may expand to. 0 = 100 times their size, but at least 1 GiB and
    # at most the memory of the machine.
    c.data.max_bytes = 0
    # SHA-256 sums beside the data, <name>.npz.sha256 or manifest.sha256 in a folder: auto (they are
    # checked where they exist) | require (they must exist) | off
    c.data.manifest = 'auto'
    c.data.val_fraction = 0.2  # share of the clips to split off when data.val is empty
    c.data.balance = True  # draw every class equally often in training
    # Draw each clip in proportion to its weight (within its class where data.balance is set). The
    # training loss then ignores the weight, so that it counts only once.
    c.data.sample_by_weight = False
    # The most clips that one video contributes to an epoch (with data.balance: to each class, in
    # each pass over that class). Its clips take turns, and the epoch gets shorter. 0 = no limit.
    c.data.max_clips_per_video = 0
    # A CSV of predictions for training clips, or of their largest losses: the columns are row (the
    # number of the clip) and prob or loss. Negative clips are drawn up to hard_negative_boost times
    # as often, in proportion to how sure the model was that they show the gesture. '' = none.
    c.data.hard_negatives = ''
    c.data.hard_negative_boost = 4.0
    c.data.synthetic = ConfigDict()
    c.data.synthetic.num_videos = 120  # simulated recordings, each with its own person and camera
    c.data.synthetic.clips_per_video = 16
    c.data.synthetic.num_frames = 75  # frames a clip
    c.data.synthetic.classes = ('smoke',)  # gestures of data/synthetic.py, each a class; others: 0
    c.data.synthetic.seed = 0

    c.prepare = ConfigDict()  # --mode=prepare: from landmark files or videos, and labels, to clips
    c.prepare.landmarks = ''  # a landmark file (or OpenPose folder), or a folder of them
    # A video, or a folder of them. Landmark files of them are written to the folder
    # prepare.landmarks, or VIDEOS_landmarks where none is named, and read. Needs the extra `video`.
    c.prepare.videos = ''
    c.prepare.pose_model = ''  # MediaPipe's pose_landmarker_full.task, or another bundle like it
    c.prepare.video_people = 2  # the most people to find in a frame
    c.prepare.video_processes = 1  # that work side by side, a video each
    # A folder with a label file per video, or one file with a column for the video; '' = no labels.
    c.prepare.labels = ''
    # Corrected labels, likewise: the first of these that has a video replaces its labels.
    c.prepare.corrections = ()
    c.prepare.label_unit = ''  # of label times: '' = as the file says | seconds | ms | frames
    c.prepare.output = ''  # PATH.npz writes an archive, any other PATH a folder of shards
    # Patterns of file names without extension. What * stands for is the name of the video, which
    # pairs landmarks with labels; a file name that does not fit is taken as the video's name.
    c.prepare.landmarks_name = '*_pose'
    c.prepare.labels_name = '*_full'
    c.prepare.on_error = 'raise'  # on a file that cannot be used: raise | skip (report it, go on)
    c.prepare.max_file_mb = 512  # MiB of a decompressed file; a larger one is refused
    # What some landmark files do not say. Where a file does say it, the file is believed.
    c.prepare.fps = 0.0  # frames per second; 0 = the file says it, or its times do
    # Width, height in pixels; 0 = the file says it, or the shape is estimated from the bodies.
    c.prepare.video_size = (0, 0)
    # CSV with a row per video: video, and any of fps, width, height, person; '' = none.
    c.prepare.video_table = ''
    c.prepare.joint_map = ''  # '' = the file's names, or those of the format | data/joints.py
    c.prepare.joint_names = ()  # or a map of your own: the joints' names in the order of the file
    c.prepare.array_axes = ''  # last axis of npy, npz: '' = xy or xyzv, by its length | xyz | xyv
    # Column names of your own CSV, with {joint} and {axis}: 'kp_{joint}_{axis}'; '' = known ones
    c.prepare.columns = ''
    # Which of several people to keep: largest | confident | first | a track id of the file | a CSV
    # of track ids, PATH.csv with the columns video and person; a video without a row: largest.
    c.prepare.person = 'largest'
    c.prepare.max_gap = 0.2  # seconds; nothing is interpolated over a longer gap
    c.prepare.joints = ()  # names of the joints to keep; () = all
    c.prepare.resample_fps = 0.0  # frame rate of all clips; 0 = that of each video
    c.prepare.unit = 'frames'  # of the next three keys: frames | seconds
    c.prepare.clip_length = 75.0
    c.prepare.stride = 40.0  # from the start of a clip to the start of the next
    c.prepare.context = 0.0  # stretch stored before and after each clip; 0 = none
    c.prepare.min_coverage = 0.0  # least share of a clip's frames with a pose
    # Names of the classes, the one without the gesture first; () = the labels of the files, sorted.
    c.prepare.classes = ()
    c.prepare.outside = 'unknown'  # label of frames outside all intervals; unknown = none
    # The label of a clip. share: the class with the most frames if it has at least positive_share
    # of them, else the first class | centre: the label of the middle frame
    c.prepare.label_rule = 'share'
    c.prepare.positive_share = 0.5

    c.features = ConfigDict()
    # What describes a frame. archive: the features stored with the clips. Computed of the skeleton:
    # body, about hands and mouth (features/body.py) | pose, about the whole body, for any gesture
    # (features/pose.py).
    c.features.source = 'archive'
    c.features.leave_out = ()  # patterns of computed features that are not read: '*elbow*'
    # Whether source=pose reads z. auto: where the training clips show that it carries information |
    # on | off
    c.features.depth = 'auto'
    # on: a gesture is the same in a mirror. Training sees every other clip so (augment.mirror), and
    # a clip is judged by the mean of itself and its mirror image | off | auto: where the training
    # clips show it
    c.features.mirror = 'off'
    # Body size is measured as a median over this many frames (odd) around each frame. A number
    # above twice the length of the clip means the whole clip.
    c.features.scale_frames = 149
    c.features.zscore = 'global'  # none | per_clip | per_video | global (fitted on data.train)
    # How zscore=global measures. standard: mean, deviation | robust: median, (p90 - p10) / 2.56 |
    # rank: the share of training values below, standardised by its own mean and deviation.
    c.features.scaler = 'standard'
    c.features.clip_at = 10.0  # z-scores are clipped to +- this: a tracker's jump is not evidence
    # Clips are resampled to so many frames, over the stretch in which anything was observed, so
    # that neither length nor rate nor padding matters; 0 = they stay as they are.
    c.features.frames = 0
    c.features.smooth = 1  # frames of a centred moving average; 1 = none
    # Channels of each feature. off: its value | light: also velocity, acceleration and energy |
    # full: also its mean distance to the other features. The unit of time is 1/30 of a second.
    c.features.pack = 'off'
    # What video_swin reads. grid: the packed features, filled in row by row | skeleton: one row per
    # joint, in shoulder widths from the shoulders | joints: the same in body sizes from its middle,
    # for any gesture. Unless model.video_swin.statistics is set, the latter two do not read zscore,
    # scaler, clip_at and pack, nor skeleton frames and smooth, which must then keep their defaults.
    c.features.layout = 'grid'
    # The statistics that stat_pool computes of every channel over the observed frames.
    c.features.statistics = ('mean', 'std', 'median', 'max', 'min')
    c.features.quantiles = ()  # also these quantiles, from 0 to 1
    c.features.thresholds = ()  # and the share of frames below each, a z-score unless zscore=none
    # About so many convolution statistics of the features, for stat_pool; see features/kernels.py.
    c.features.kernels = 0
    c.features.kernel_seed = 0  # which features are summed, and whose quantiles are taken
    c.features.parts = 1  # above 1: also the means of this many equal parts of the clip
    # Frames of a sub-clip, and frames from the start of one to the start of the next. Every whole
    # sub-clip is trained and judged like a clip of its own, with a label by its frames
    # (train.subclip_label); the clip's logits are the medians of theirs. As with context, stat_pool
    # also reads the means of the frames before and after each. 0 = a clip is judged as one.
    c.features.subclip = 0
    c.features.subclip_stride = 5
    # How stat_pool scales its statistics before the MLP: none, or a kind of `scaler`, fitted to the
    # statistics of the training clips.
    c.features.pooled_scaler = 'none'
    # With source=body: this many frames before each clip and after it are read as well; stat_pool
    # also reads their means before and after each clip (or sub-clip). They come from the archive's
    # context or from other clips of the video; a live stream has none after. 0 = none.
    c.features.context = 0
    # A few numbers about the hand nearer to the mouth, for stat_pool; see features/summary.py.
    c.features.summary = ConfigDict()
    c.features.summary.on = False
    c.features.summary.joints = ('wrist', 'index')  # the hand is their weighted mean
    c.features.summary.weights = (0.3, 0.7)
    c.features.summary.near = (0.4, 0.7, 1.0)  # distances that count as near, in shoulder widths

    # Changes to training clips, drawn anew at every step; 0 = off. A clip keeps its label, so keep
    # each amount small enough to leave the gesture in. Those marked `joints only` need
    # features.source=body or features.layout=skeleton; mirror, hand_swap and warp apply to archive
    # features whose names say what they measure, such as dist_leftHand_mouth or l15_vx.
    c.augment = ConfigDict()
    c.augment.mirror = 0.0  # probability of x -> 1 - x, with left and right exchanged
    c.augment.hand_swap = 0.0  # probability that the arms exchange names, staying where they are
    c.augment.warp = 0.0  # tempo between 1 - this and 1 + this, changing smoothly in the clip
    c.augment.shift = 0.0  # earlier or later by up to this share of the clip, the rest missing
    c.augment.crop = 0.0  # up to this share of the clip goes missing at its start and end
    c.augment.frame_drop = 0.0  # probability that a frame goes missing
    c.augment.joint_drop = 0.0  # of a joint, in the whole clip, shoulders excepted; joints only
    c.augment.scale = 0.0  # body up to 1 + this times larger or smaller; joints only
    c.augment.rotate = 0.0  # up to so many degrees, either way, in the picture; joints only
    c.augment.turn = 0.0  # up to so many degrees about the vertical; joints with depth only
    c.augment.stretch = 0.0  # up to 1 + this times wider, taller or deeper; joints only
    c.augment.shear = 0.0  # leaning by up to this share of the height, either way; joints only
    c.augment.jitter = 0.0  # deviation per joint and frame, in shoulder widths; joints only
    # Two clips on a device are mixed, labels too, in shares drawn from Beta(this, this).
    c.augment.mixup = 0.0

    c.model = ConfigDict()
    # stat_pool | video_swin. Directories written by --mode=ensemble say ensemble, which cannot be
    # trained.
    c.model.name = 'stat_pool'
    c.model.dtype = 'float32'  # of computation: float32 | bfloat16; parameters stay float32
    c.model.dropout = 0.0  # in the MLP (stat_pool), after projections (video_swin)

    c.model.stat_pool = ConfigDict()
    c.model.stat_pool.hidden_sizes = (256, 64)
    c.model.stat_pool.batch_norm = False  # after each hidden layer, statistics over all devices

    c.model.size = 'tiny'  # video_swin: mini | body | tiny | small | base
    c.model.video_swin = ConfigDict()
    c.model.video_swin.layout = 'official'  # official | legacy, see models/video_swin.py
    # T, H, W of a token, in cells. H = 0: one, or as many as leave at most 48 tokens of a frame
    # above each other, where rows are the joints of hands and faces too.
    c.model.video_swin.patch_size = (2, 2, 2)
    c.model.video_swin.patch_norm = True  # a norm after the patch embedding
    c.model.video_swin.window_size = (8, 7, 7)  # T, H, W of an attention window, in tokens
    # Tokens merged between stages: (1, 2, 2) | (2, 2, 2) | (2, 2, 1), where rows are joints.
    c.model.video_swin.merge = (1, 2, 2)
    # auto: on an NVIDIA GPU, from Ampere on, attention that never writes its scores, cuDNN's in
    # even windows of 64 tokens or more in bfloat16, our own in others of up to 128, and norms of
    # our own (docs/gpu.md) | plain: all by XLA | fused: cuDNN's in smaller windows too. Plain in
    # any case with train.deterministic or several seeds, and elsewhere.
    c.model.video_swin.attention = 'auto'
    c.model.video_swin.mask_padding = True  # keep padding and missing tokens out of attention
    c.model.video_swin.drop_path = 0.1  # stochastic depth of the last block, rising linearly from 0
    # Add the logits of a StatPool, as model.stat_pool and features describe it, to the head's.
    c.model.video_swin.statistics = False
    c.model.video_swin.statistics_dropout = 0.6
    c.model.video_swin.remat = (False, False, False, False)  # stages that recompute activations

    # Weights to start from: a run directory (docs/training.md), or for video_swin a .safetensors,
    # .npz or .pth file. '' = none.
    c.model.pretrained = ''
    c.model.pretrained_window = (8, 7, 7)  # T, H, W of the attention window they had
    # Regular expressions of tensors that may be missing, left over or of another shape, such as
    # r'stage3_'.
    c.model.pretrained_allow = ()

    c.train = ConfigDict()
    c.train.batch_size = 64  # clips per step over all devices; 0 = from train.capacity_report
    c.train.capacity_report = ''  # the capacity_report.json of a probe; see docs/capacity.md
    # Parts of a device's batch that a step works through one after the other. A capacity report
    # sets this for a batch that does not fit.
    c.train.micro_batches = 1
    # An epoch draws as many clips as there are, or as data.max_clips_per_video allows.
    c.train.num_epochs = 20
    # The length of training in steps, however many clips there are; sets num_epochs. 0 = num_epochs
    c.train.num_steps = 0
    # Members trained side by side in one program, with the seeds seed, seed + 1, ... Each has its
    # own initialisation and dropout; batches and their augmentation are shared, and prepared only
    # once. The run is then their ensemble: the mean of the members' logits.
    c.train.num_seeds = 1
    c.train.learning_rate = 1e-3  # the peak, reached after warm-up
    c.train.warmup_epochs = 1.0  # rising linearly from 0
    c.train.schedule = 'cosine'  # after warm-up: cosine to 0 | linear to 0 | constant
    c.train.weight_decay = 0.05  # AdamW's; of matrices and kernels only
    c.train.grad_clip = 1.0  # largest global norm of the gradient; 0 = off
    # Groups of parameters: (pattern of whole names such as stage0_block1/attn/qkv/kernel, factor of
    # the learning rate, factor of the weight decay), ... Every parameter must be in exactly one.
    c.train.groups = (('.*', 1.0, 1.0),)
    c.train.layer_decay = 1.0  # factor on the learning rate from each layer to the one below
    c.train.freeze = ()  # patterns of parameters that are not trained at first; () = none
    c.train.freeze_epochs = 1.0  # until then
    c.train.ema_decay = 0.0  # evaluate a moving average of the parameters; 0 = off; e.g. 0.999
    # On a loss or gradient that is NaN or infinite. stop: save the state before that step and end
    # with an error | skip: leave the step out, warn and go on | raise: end with a traceback.
    c.train.on_nonfinite = 'stop'
    # Get the same numbers from every run on a GPU too, at the price of speed; a CPU always does.
    c.train.deterministic = False
    # End when best_metric, smoothed, has not improved for this many epochs; 0 = never.
    c.train.patience = 0
    c.train.patience_smoothing = 0.5  # share of the past in the smoothed metric; 0 = no smoothing
    c.train.loss = 'bce'  # bce | focal (both with one logit) | ce (a logit per class)
    c.train.focal_gamma = 2.0  # weight (1 - p)^gamma of the true class
    c.train.focal_alpha = 0.5  # weight of the positive class; the negative one has 1 - alpha
    c.train.class_weights = ()  # of each class in the loss, e.g. (1.0, 3.0); () = all 1
    c.train.label_smoothing = 0.0  # share of a label that is spread evenly over all classes
    # What a sub-clip is taught to be. most: the class of most of its frames | share: each class by
    # the share of the frames that have it.
    c.train.subclip_label = 'most'
    # Weight of the loss per frame, a mean over the frames with a label. Above 0, video_swin has a
    # logit per frame as well.
    c.train.frame_loss = 0.0
    # Weight of the loss on jumps from one sub-clip or frame to the next; see training/losses.py.
    c.train.smooth_loss = 0.0
    # What picks the best checkpoint: roc_auc | average_precision | loss, all of the validation
    # clips | last (no choice, so that the run is what --mode=cv judges).
    c.train.best_metric = 'roc_auc'
    c.train.topk_loss = 0  # list this many training clips with the largest losses; 0 = off
    c.train.topk_every_epochs = 1  # how often they are listed
    c.train.tensorboard = True  # event files beside the JSON records
    c.train.log_every_steps = 10  # steps from one line of metrics.jsonl to the next

    c.checkpoint = ConfigDict()  # written at the end of every epoch, and when a signal stops a run
    c.checkpoint.every_steps = 0  # also after this many steps each; 0 = not within an epoch
    c.checkpoint.keep_last = 2  # newest ones to keep beside the best; two, as one may be damaged
    c.checkpoint.keep_every_epochs = 0  # also keep one every so many epochs, for good; 0 = none

    c.eval = ConfigDict()
    c.eval.batch_size = 256  # clips per step over all devices
    c.eval.report = True  # a page with pictures beside each record; takes some seconds
    c.eval.bootstrap = 1000  # draws of videos, or subjects, for the 95 % intervals; 0 = none
    # How the validation clips, or a cross-validation, choose the threshold of later decisions. f1:
    # the highest F1 | recall: the highest threshold with eval.recall | precision: the lowest with
    # eval.precision | cost: where false alarms and misses cost least.
    c.eval.threshold = 'f1'
    c.eval.recall = 0.8
    c.eval.precision = 0.75
    c.eval.false_alarm_cost = 1.0
    c.eval.miss_cost = 1.0
    # The calibration of probabilities, fitted to the same clips. none | temperature: a factor on
    # the logits | platt: a factor and an offset, for models with one logit, which data.balance
    # shifts | auto: platt for one logit, temperature for several.
    c.eval.calibration = 'auto'

    # --mode=predict on recordings of any length: those of prepare.landmarks, compared with
    # prepare.labels where given. The section prepare says how the files are read.
    c.predict = ConfigDict()
    # Frames from the start of a clip to the start of the next, but where sub-clips of them are
    # judged (features.subclip_stride). The logit of a frame is a mean over the clips or sub-clips
    # that cover it, with most weight on those whose middle it is nearest to.
    c.predict.stride = 5
    # What makes events of these probabilities: thresholds (smooth to merge_gap below) | durations
    # (the most probable stretches under a model of how long each class lasts) | min_risk (those
    # expected to overlap most true events for the false ones among them, under such a model).
    c.predict.decoder = 'thresholds'
    # JSON file of that model; '' = durations.json or min_risk.json in the run directory.
    c.predict.durations = ''
    # Confidence that an event of min_risk must have; more = fewer false ones; 0 = as its file says.
    c.predict.min_confidence = 0.0
    # Seconds that a stream waits before a frame is given its class by that model; 0 = none.
    c.predict.look_ahead = 0.0
    c.predict.smooth = 0.5  # seconds of a centred moving average of these; 0 = none
    c.predict.high = 0.0  # an event must reach this probability; 0 = the run's stored threshold
    c.predict.low = 0.9  # and lasts while the probability is at least this share of high
    c.predict.min_length = 0.3  # seconds of the shortest event
    c.predict.merge_gap = 0.3  # seconds below low that do not end an event
    # A frame is uncertain when the mouth, or both wrists, are less visible than this.
    c.predict.min_visibility = 0.5
    c.predict.review = True  # write a page for each recording, to look at it and correct its events
    c.predict.overlay = False  # write a film of each recording with body, events and probability
    c.predict.overlay_videos = ''  # a folder of the videos to draw over; '' = prepare.videos
    c.predict.overlaps = (0.1, 0.25, 0.3, 0.5, 0.75)  # intersections over union that count as found

    c.suggest = ConfigDict()  # --mode=suggest on the recordings of prepare.landmarks
    c.suggest.minutes = 10.0  # to be labelled
    c.suggest.stretch = 5.0  # seconds of what is labelled at a time

    c.cv = ConfigDict()  # --mode=cv and baseline: folds of the videos of data.train
    c.cv.folds = 5
    # Other clips of the same videos to judge instead of those of data.train, so that a training on
    # denser clips can be compared; '' = those of data.train.
    c.cv.judge = ''
    # Members per fold, in place of train.num_seeds: their mean is judged, and how far they lie
    # apart. A threshold meant for a run is best fitted to as many members as the run has.
    c.cv.seeds = 3

    c.ensemble = ConfigDict()  # --mode=ensemble: runs of any kind joined into one
    c.ensemble.runs = ()  # run directories
    # fitted: to out-of-fold predictions, so each run is cross-validated on the same clips and folds
    # | equal: the mean of the logits; calibration and threshold are by the validation clips
    c.ensemble.weights = 'fitted'

    c.bench = ConfigDict()
    # What --mode=bench times. step: the training step | loader: batches of clips in memory |
    # stream: frames one by one through the run in --workdir
    c.bench.what = 'step'
    # For step: local, which times it, or the name of a GPU in posevid_jax/capacity/devices.py, for
    # which it is compiled and its kernels counted.
    c.bench.device = 'local'
    c.bench.loader_clips = 20_000  # for loader: random clips of 75 frames with 36 features
    c.bench.stream_frames = 2000  # for stream: random frames of 33 joints, or those of the run
    c.bench.sizes = ('tiny',)  # of video_swin; stat_pool has only one
    c.bench.dtypes = ('float32',)
    c.bench.batch_sizes = (16,)
    c.bench.clip_shape = (75, 6, 6, 4)  # T, H, W, C for video_swin; T, F, C for stat_pool
    c.bench.steps = 5  # timed steps, after one to warm up

    c.probe = ConfigDict()
    c.probe.device = 'local'  # or the name of a GPU in posevid_jax/capacity/devices.py
    c.probe.num_devices = 1  # of a named GPU; local devices are as `parallel` says
    c.probe.sizes = ('tiny', 'small', 'base')  # of video_swin; stat_pool has only one
    c.probe.packs = ('off', 'light', 'full')  # only off where no features are packed
    c.probe.multiple_of = 8  # batches per device to consider: what suits tensor cores
    # The first one compiled of each size; affects only the number of compiles.
    c.probe.first_batch = 64
    c.probe.max_batch = 65_536  # the largest to consider
    c.probe.prove = True  # also compile the next multiple, to see it fail
    # Where the compiler recomputes, memory does not grow in a line: max_batch is then bracketed to
    # this share of itself.
    c.probe.bracket = 0.02
    # The share of the memory that JAX will take, XLA_PYTHON_CLIENT_MEM_FRACTION.
    c.probe.memory_fraction = 0.75
    # Bytes of it to keep free for batches on their way to the device, for metrics, and for gaps:
    # most of a step is one block that must lie in one piece.
    c.probe.reserve_bytes = 512 * 1024**2
    c.probe.memory_bytes = 0  # of a device, in place of what it says itself; 0 = ask it
    c.probe.threads = 2  # rows of the table compiled side by side
    c.probe.ladder = 5  # batches to time on a local device: the answer, its half, ...
    c.probe.timed_steps = 5  # steps per throughput, after one to warm up
    # On a local device: run real steps at the answer and compare their bytes with the prediction.
    c.probe.verify = True

    return c
