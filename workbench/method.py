"""What a method is: a file with a Config and a module that turns a Batch into a StepOutput.

Shape letters, used throughout: b studies, i images, t texts, l tokens, n patches, d features, k labels, c channels, z h w voxels.
"""

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, NotRequired, Protocol, TypedDict, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from workbench.config import Config
from workbench.dataset import Sample
from workbench.errors import UserError
from workbench.randomness import torch_stream
from workbench.words import Vocabulary

INITIAL_SEED: ContextVar[int] = ContextVar("INITIAL_SEED", default=0)
EMPTY: Mapping[str, Any] = MappingProxyType({})


class Batch(TypedDict):
    """Studies ready for a method; `image_index` and `text_index` give the study of each image and text."""

    key: list[str]
    patient: list[str]
    source: list[str]
    images: NotRequired[Tensor]  # (i c h w) | (i c z h w) | (i t c h w)
    image_index: NotRequired[Tensor]  # (i)
    view_index: NotRequired[Tensor]  # (i)
    input_ids: NotRequired[Tensor]  # (t l)
    attention_mask: NotRequired[Tensor]  # (t l)
    text_index: NotRequired[Tensor]  # (t)
    text_id: NotRequired[Tensor]  # (t): hash of the normalised text
    labels: NotRequired[Tensor]  # (b k): 1 present, 0 absent, NaN not stated
    extra: dict[str, Tensor]
    sources: NotRequired[dict[str, "Batch"]]


class Mean(NamedTuple):
    """A term as a mean over pixels, tokens or pairs: this rank's sum and its share of the divisor."""

    sum: Tensor
    count: Tensor | int  # type: ignore[assignment]


class StepOutput(NamedTuple):
    """A NamedTuple: Accelerate upcasts it to float32, which it would not do with a dataclass."""

    terms: Mapping[str, Mean]  # unweighted
    scalars: Mapping[str, Tensor] = EMPTY  # logged, detached
    tensors: Mapping[str, Tensor] = EMPTY  # drawn, detached


class Phase(NamedTuple):
    """One forward of a step. Phases that share an optimizer accumulate, then one step."""

    name: str
    optimizer: str = "main"
    every: int = 1


class ParameterGroup(NamedTuple):
    """Parameters by name pattern; the first group whose pattern matches takes a parameter."""

    pattern: str
    optimizer: str = "main"
    lr_scale: float = 1.0
    weight_decay: float | None = None  # None: the optimizer's


class Progress(NamedTuple):
    """Where a run is, for `after_step`."""

    step: int
    steps: int
    stage: str


class MethodConfig(Config):
    """Base of a method's configuration. A field `weights` holds one Live number per loss term."""


class Method(nn.Module):
    """The only base class: a module built from its config whose forward turns a Batch into a StepOutput."""

    Config: ClassVar[type[MethodConfig]]
    equation: ClassVar[str] = ""  # the objective in one line, as on the method's card
    left_open: ClassVar[tuple[str, ...]] = ()  # what its publication does not say
    needs: ClassVar[frozenset[str]] = frozenset()  # "image", "text", "labels", "source:sentences", …
    phases: tuple[Phase, ...] = (Phase("train"),)
    terms: Mapping[str, tuple[str, ...]] = EMPTY  # phase -> term names
    features: Mapping[str, str] = EMPTY  # {"image.backbone": "b d", …}
    gradient_free: Mapping[str, str] = EMPTY  # parameter pattern -> why the mathematics gives it no gradient
    lacks: Mapping[str, str] = EMPTY  # capability -> why this configuration has it not though its class does
    unused_parameters: bool = False  # a head that some forwards leave out; DDP must then look for it

    def __init__(self, config: MethodConfig) -> None:
        super().__init__()
        self.config = config
        self.weight = nn.Module()  # 0-d buffers: a Python float would recompile when it changes
        given = getattr(config, "weights", None)
        for names in self.terms.values():
            for name in names:
                value = getattr(given, name, 1.0) if given is not None else 1.0
                self.weight.register_buffer(name, torch.tensor(float(value)), persistent=False)

    @staticmethod
    def transform(config: Any, sample: Sample, rng: np.random.Generator) -> dict[str, Any]:
        """Study -> {"images": [(c h w)], "texts": [{"input_ids", "text_id"}], "labels", own tensors}; runs in data workers."""
        raise TypeError("a method defines its own transform: views and crops belong to it")

    @staticmethod
    def published() -> Mapping[str, tuple[nn.Module, bool]]:
        """The parts at the published sizes, built on the caller's device, and whether they train; empty where they are not told."""
        return {}

    def counts(self, batch: Batch, phase: str) -> Mapping[str, int] | None:
        """Term counts known before the forward; needed when accumulating terms whose counts vary."""
        return None

    def features_of(self, batch: Batch, names: Sequence[str]) -> dict[str, Tensor]:
        """The named features of a batch; the caller has set eval mode and turned autocast off."""
        raise TypeError(f"{type(self).__name__} declares features {list(self.features)} but does not define features_of")

    def parameter_groups(self) -> Sequence[ParameterGroup]:
        """Default: one optimizer, no decay on biases, norms and tokens."""
        return default_groups(self)

    def after_step(self, progress: Progress) -> None:
        """Moving-average teachers and schedules: the only hook."""

    def mechanism_report(self, batch: Batch) -> dict[str, float]:
        """The few numbers that show the method's distinctive part at work."""
        return {}


def part(name: str) -> AbstractContextManager[None]:
    """Initialise one named part from its own stream, so that equal parts of different methods start equal."""
    return torch_stream(INITIAL_SEED.get(), "init", 0, name)


@contextmanager
def initial_seed(seed: int) -> Iterator[None]:
    """Methods built inside draw their start weights from `seed`."""
    token = INITIAL_SEED.set(seed)
    try:
        with torch_stream(seed, "init", 0, "rest"):
            yield
    finally:
        INITIAL_SEED.reset(token)


def default_groups(method: nn.Module, optimizer: str = "main", scales: Mapping[str, float] = EMPTY) -> list[ParameterGroup]:
    """Vectors and scalars (biases, norms, tokens, temperatures) undecayed, matrices decayed.

    `scales`: learning-rate factors by name pattern, the first that matches; 1 for all else.
    """
    rates = [ParameterGroup(pattern, optimizer, scale) for pattern, scale in scales.items()] + [ParameterGroup("*", optimizer)]
    undecayed = [name for name, parameter in method.named_parameters() if parameter.ndim < 2 or "token" in name.rsplit(".", 1)[-1]]
    return [*(ParameterGroup(name, optimizer, group_of(name, rates).lr_scale, 0.0) for name in undecayed), *rates]


def group_of(name: str, groups: Sequence[ParameterGroup]) -> ParameterGroup:
    """The first group whose pattern matches a parameter's name; raises UserError where none does."""
    for group in groups:
        if group.pattern == name or fnmatch.fnmatchcase(name, group.pattern):
            return group
    raise UserError(f"parameter {name} matches no parameter group ({[group.pattern for group in groups]}); end the list with '*'")


# ---- capabilities: asked for by pages and evaluations, never a class ---------------------------------------------------


@runtime_checkable
class Embeds(Protocol):
    """Image features of one named vector: what is transferred."""

    embeds: str


@runtime_checkable
class Projects(Protocol):
    """The shared space, rows of unit length."""

    def project_image(self, batch: Batch) -> Tensor: ...
    def project_text(self, batch: Batch) -> Tensor: ...


@runtime_checkable
class Scores(Protocol):
    """Similarity of every image to every text."""

    def score(self, image: Tensor, text: Tensor) -> Tensor: ...


@runtime_checkable
class Attends(Protocol):
    """Attention per layer and head, self and cross."""

    def attention(self, batch: Batch) -> dict[str, Tensor]: ...


@runtime_checkable
class Reconstructs(Protocol):
    """Pixels (i c h w) of all patches and their mean squared error (i n) in the space of the loss, under masks (b n), 1 removed.

    `shown` is what is to be reconstructed, in the same units; `grey` brings either to grey values (i h w), 0 black, 1 white.
    """

    patch_size: int
    norm_pix: bool

    def reconstruct(self, batch: Batch, masking: Tensor) -> tuple[Tensor, Tensor]: ...
    def shown(self, batch: Batch) -> Tensor: ...
    def grey(self, pixels: Tensor) -> Tensor: ...


@runtime_checkable
class FillsWords(Protocol):
    """Logits (t l v) of every token of the texts with those of `text_mask` (t l; 1 hidden) hidden; a text's study lends its image.

    `known` names the v tokens.
    """

    known: Vocabulary

    def fill(self, batch: Batch, text_mask: Tensor) -> Tensor: ...


@runtime_checkable
class Crosses(Protocol):
    """Attention between report and image by layer and head: "words" (l b h w t) on class token and patches, "patches" (l b h t w) back.

    `known` names the tokens.
    """

    known: Vocabulary

    def crossing(self, batch: Batch) -> dict[str, Tensor]: ...


@runtime_checkable
class Compares(Protocol):
    """What a contrast sees in a batch: "cosines" of images (rows) and reports, "targets" whose rows sum to 1, "positives"; each (t t).

    `told` (b) marks the t studies that have a report; the others are left out.
    """

    def compared(self, batch: Batch) -> dict[str, Tensor]: ...


@runtime_checkable
class Answers(Protocol):
    """Logits (t k) of the known answers to the texts, which are questions."""

    def answer(self, batch: Batch) -> Tensor: ...


@runtime_checkable
class Staged(Protocol):
    """Not of a method but of its image tower: blocks in the order an image passes them, and one vector (i d) of what such a block gives."""

    def stages(self) -> Sequence[nn.Module]: ...
    def stage_vector(self, x: Tensor) -> Tensor: ...


CAPABILITIES: Mapping[str, type] = MappingProxyType(
    {
        "Embeds": Embeds,
        "Projects": Projects,
        "Scores": Scores,
        "Attends": Attends,
        "Reconstructs": Reconstructs,
        "FillsWords": FillsWords,
        "Crosses": Crosses,
        "Compares": Compares,
        "Answers": Answers,
    }
)


def capabilities(method: Method) -> list[str]:
    """Names of the capabilities a method has."""
    return [name for name, protocol in CAPABILITIES.items() if isinstance(method, protocol) and name not in method.lacks]
