"""A method looks at one image: its attention, its patch tokens, and what random weights would have done. Needs torch."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np
import torch

from workbench import transforms
from workbench.analysis.attention import STATISTICS, Attention, Colouring, attention_distance, colouring, head_entropy
from workbench.dataset import Sample
from workbench.errors import UserError
from workbench.features import dataset_of
from workbench.method import Batch, Method, capabilities
from workbench.models import build_method, load_method
from workbench.run import Run
from workbench.single import batch_of, one_image, study_of, upload_sample

MOST = 160_000_000  # weights of one image (a ViT-L/16 at 384 px has 128 million): 640 MB
PATCHES = "image.patches"


def film_of(method: Method, sample: Sample) -> np.ndarray:
    """The image (h w) uint8 as the method cuts and resizes it."""
    config = cast(Any, method.config)
    grey = transforms.resized(transforms.square(transforms.grey(sample["images"][0], sample["key"]), config.fit), config.image_size)
    return np.rint(transforms.unit_range(grey) * 255).astype(np.uint8)


def patch_mm(method: Method, sample: Sample, side: int) -> float | None:
    """Edge of a patch in mm; None where the film has no spacing, or not the same in both directions."""
    image, fit = sample["images"][0], cast(Any, method.config).fit
    spacing = image.spacing_mm
    if not spacing or fit == "stretch" or len(set(spacing)) > 1:
        return None
    edges = image.array.shape[:2]
    return float(spacing[0]) * (max(edges) if fit == "pad" else min(edges)) / side


@torch.no_grad()
def maps_of(method: Method, batch: Batch) -> np.ndarray:
    """Attention (l h t t) float32 of the first image of a batch. Raises UserError where the method has none, or too much."""
    if "Attends" not in capabilities(method):
        why = method.lacks.get("Attends", "its method has no attention")
        raise UserError(
            f"{type(method).__name__}: {why}; choose a run with a vision transformer, such as vision: timm:vit_tiny_patch16_224"
        )
    found = cast(Any, method).attention(batch)["image"]
    if found.numel() > MOST:
        raise UserError(f"attention: {found.numel():,} weights for one image, at most {MOST:,} are kept; use a smaller image_size")
    return found[:, 0].float().numpy()


@torch.no_grad()
def tokens_of(method: Method, batch: Batch) -> np.ndarray:
    """Patch tokens (b n d) float32 of the last layer. Raises UserError where the method declares none."""
    if PATCHES not in method.features:
        raise UserError(f"{type(method).__name__}: declares no {PATCHES}; choose another method")
    return method.features_of(batch, [PATCHES])[PATCHES].float().numpy()


def statistics(maps: np.ndarray) -> dict[str, np.ndarray]:
    """Entropy and distance (l h), by name."""
    return dict(zip(STATISTICS, (head_entropy(maps), attention_distance(maps))))


def attend(method: Method, untrained: Method, sample: Sample, run: str = "", step: int = 0) -> Attention:
    """What a method looks at in a study of one image, beside the same network with random weights."""
    batch = batch_of(method, [sample])
    with ThreadPoolExecutor(1) as aside:  # the worker has one thread a network and two cores
        random = aside.submit(lambda: statistics(maps_of(untrained, batch)))
        maps = maps_of(method, batch)
    found = Attention(sample["key"], run, step, film_of(method, sample), maps, None, random.result())
    return replace(found, patch_mm=patch_mm(method, sample, found.side))


def colouring_of(method: Method, samples: Sequence[Sample]) -> Colouring:
    """Colours of patches shared by several studies of one image each."""
    tokens = tokens_of(method, batch_of(method, samples))
    return colouring(tokens.reshape(-1, tokens.shape[-1]), len(samples))


def image_of(run: Run, study: str | None, image: np.ndarray | None = None, film: int = 0) -> Sample:
    """A study of the run's data with one of its films (the first for validation where none is named), or pixels (h w) as one."""
    return one_image(study_of(dataset_of(run), study, run.id), film) if image is None else upload_sample(np.asarray(image))


def of_run(
    run: Run, study: str | None = None, step: int | Literal["last"] = "last", image: np.ndarray | None = None, film: int = 0
) -> Attention:
    """What a run's method looks at in one image at one snapshot."""
    at = run.snapshot_step(step)
    untrained = build_method(run.config["method"], int(run.config.get("seed", 0)), run.id).eval()
    return attend(load_method(run, at), untrained, image_of(run, study, image, film), run.id, at)
