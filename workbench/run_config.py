"""What decides a run: sources, optimizers, stages, looks, snapshots.  (no torch)"""

from typing import Annotated, Any, Literal

from pydantic import Field

from workbench.config import Config, Live


class Source(Config):
    """One data set of a run."""

    config: dict[str, Any]
    """The data set's own configuration with its `name`, for example {name: phantoms, level: teaching}."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Share of the batch rows when several sources are mixed."""
    texts: Literal["own", "shuffled"] = "own"
    """`shuffled` gives every training study the texts of another one: the control that must read chance."""


class Optimizer(Config):
    """One optimizer and its learning-rate schedule."""

    kind: Literal["adamw", "sgd"] = "adamw"
    """Update rule."""
    lr: Live[Annotated[float, Field(ge=0, le=10)]] = 1e-3
    """Peak learning rate."""
    betas: tuple[float, float] = (0.9, 0.999)
    """AdamW's decay rates; the first is the momentum of sgd."""
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Decoupled weight decay; none on biases, norms and tokens."""
    clip: Annotated[float, Field(gt=0)] | None = None
    """Largest gradient norm, or none."""
    schedule: Literal["constant", "cosine", "linear", "warm_restarts"] = "cosine"
    """How the rate moves after warm-up, within one stage."""
    warmup: Annotated[int, Field(ge=0)] = 0
    """Steps of linear warm-up from 0."""
    restart: Annotated[int, Field(ge=1)] | None = None
    """Steps of one cycle of `warm_restarts`."""
    floor: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Lowest rate, as a share of the peak."""


class Stage(Config):
    """A part of the run with its own trainable parts, data weights, loss weights and optimizers."""

    name: str = "train"
    """Name shown on the time axis."""
    steps: Annotated[int, Field(ge=1)] = 1000
    """Optimizer steps."""
    trainable: tuple[str, ...] = ("*",)
    """Parameter name patterns that train in this stage; the rest is frozen, its batch statistics too."""
    top_layers: dict[str, Annotated[int, Field(ge=0)]] = {}
    """Of the parts named here only so many layers train, counted from the top: `{text: 2}` with `method.text_trainable: true`; 0 freezes the part. A part left out trains as `trainable` says."""
    data: dict[str, float] = {}
    """Weights of the sources in this stage; absent = those of `data`. 0 leaves a source out."""
    weights: dict[str, float] = {}
    """Weights of loss terms in this stage; absent = the method's."""
    method: dict[str, float] = {}
    """Live fields of the method in this stage, such as `mask_ratio: 0`; absent = the method's. Validation keeps the method's."""
    optimizers: dict[str, dict[str, Any]] = {}
    """Fields of the optimizers that differ in this stage."""


class Validation(Config):
    """When and on what a run is validated."""

    every: Annotated[int, Field(ge=1)] = 100
    """Steps between validations."""
    batches: Annotated[int, Field(ge=1)] = 2
    """Fixed validation batches, with fixed masks."""
    best: str = "loss"
    """Metric of the validation record that chooses the best checkpoint."""
    mode: Literal["min", "max"] = "min"
    """Whether the best is the smallest or the largest."""


class Monitors(Config):
    """Looks at the latent space while it trains, on a fixed probe set in eval mode."""

    studies: Annotated[int, Field(ge=0)] = 512
    """Validation studies of the probe set (all, if fewer); 0 turns the monitors off."""
    probe_train: Annotated[int, Field(ge=0)] = 1024
    """Training studies on which the ridge probe is fitted; 0 turns the probe off."""
    features: tuple[str, ...] = ()
    """Features looked at; empty = every feature vector the method declares."""
    every: Annotated[int, Field(ge=1)] | None = None
    """Steps between the later looks, after the log-spaced first ones; absent = an eighth of the run."""
    keep_embeddings: bool = True
    """Store the probe set's features with each look."""


class Snapshots(Config):
    """Weights kept for the time machine: steps 0, 1, 2, 4, … then every k, within the budget."""

    every: Annotated[int, Field(ge=1)] | None = None
    """Steps between the later snapshots; absent = an eighth of the run."""
    budget_gb: Annotated[float, Field(gt=0)] = 2.0
    """Disk for all snapshots of the run; the schedule is thinned beforehand to fit."""


class RunConfig(Config):
    """Everything that decides what a run does."""

    method: dict[str, Any]
    """The method's own configuration with its `name`, for example {name: mflag}."""
    data: dict[str, Source]
    """Sources by a name of your choice."""
    name: str | None = None
    """Shown in tables instead of the identifier."""
    tags: tuple[str, ...] = ()
    """Free words to filter runs by."""
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] = (Stage(),)
    """Parts of the run, one after the other."""
    init_from: dict[str, str] = {}
    """Part of the model (`vision`; `*` for all) -> where its start weights come from: `RUN` or `RUN:STEP`, a .safetensors file, a folder that transformers or timm saved, or `timm:NAME`, fetched from the hub."""
    batch: Annotated[int, Field(ge=1)] = 128
    """Studies of one micro-batch on one process."""
    accumulate: Annotated[int, Field(ge=1)] = 1
    """Micro-batches per step. Does not enlarge the negatives of a contrastive loss."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Data worker processes per training process."""
    optimizers: dict[str, Optimizer] = {"main": Optimizer()}
    """Optimizers by the names the method's phases use."""
    precision: Literal["float32", "bf16", "float64"] | None = None
    """Arithmetic; absent = bf16 on a GPU, float32 on a CPU."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the run trains."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """CPU threads of the process; absent = the physical cores."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Addresses every draw of the run."""
    log_every: Annotated[int, Field(ge=1)] = 1
    """Steps between metric records."""
    checkpoint_every: Annotated[int, Field(ge=1)] = 200
    """Steps between resume checkpoints; the last 2 and the best are kept."""
    validation: Validation = Validation()
    """Validation."""
    monitors: Monitors = Monitors()
    """Looks at the latent space."""
    snapshots: Snapshots = Snapshots()
    """Weights kept for the time machine."""
    on_nan: Literal["stop", "skip"] = "stop"
    """After a loss that is not finite: end the run, or drop that step and go on."""
    trials: Annotated[int, Field(ge=1)] = 1
    """Settings tried before this one: part of the result."""

    @property
    def steps(self) -> int:
        return sum(stage.steps for stage in self.stages)
