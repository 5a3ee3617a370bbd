"""Grad-CAM and integrated gradients of a score, through captum. Needs torch."""

from collections.abc import Callable
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from workbench.analysis.attribution import Attribution
from workbench.attending import film_of, image_of
from workbench.dataset import Sample
from workbench.errors import UserError
from workbench.method import Batch, Method, Projects
from workbench.models import load_method
from workbench.nn.vision import ResNetSmall
from workbench.prompts import project
from workbench.run import Run
from workbench.single import batch_of
from workbench.transforms import MEAN, STD

STEPS = 64  # on the path of integrated gradients
AT_ONCE = 16  # films of one pass
BLACK = -MEAN / STD  # a film without any light, in the units of the tower
LOGITS = "image.logits"

Score = Callable[[Tensor], Tensor]


def films(images: Tensor) -> Batch:
    """Images (i c h w) as studies of one image each."""
    names = [str(place) for place in range(len(images))]
    index = torch.arange(len(images))
    found = {"key": names, "patient": names, "source": names, "images": images, "image_index": index, "view_index": torch.zeros_like(index)}
    return cast(Batch, found | {"extra": {}})


def cosine_score(method: Method, prompt: str) -> Score:
    """Images (i c h w) -> cosine (i) to a prompt. Raises UserError where the method has no shared space, or for an empty prompt."""
    if not isinstance(method, Projects):
        raise UserError(f"{type(method).__name__} compares no image with a text; choose a run whose method does, such as clip or mflag")
    direction = torch.from_numpy(project(method, [prompt]))[0]
    return lambda images: method.project_image(films(images)) @ direction


def logit_score(method: Method, label: int) -> Score:
    """Images (i c h w) -> logit (i) of a label. Raises UserError where the method has none."""
    if LOGITS not in method.features:
        raise UserError(f"{type(method).__name__} has no logits; type a prompt, or choose a run of method supervised")
    count = cast(Any, method.config).labels
    if not 0 <= label < count:
        raise UserError(f"label number {label + 1}: this run has {count}; choose another")
    return lambda images: method.features_of(films(images), [LOGITS])[LOGITS][:, label]


def last_map(method: Method) -> tuple[nn.Module, bool] | None:
    """The module that makes or takes the last feature map of a CNN tower, and whether it takes it; None where there is no such map."""
    tower: Any = getattr(method, "vision", None)
    if isinstance(tower, ResNetSmall):
        return tower.blocks, False
    pools = [module for module in tower.modules() if type(module).__name__ == "SelectAdaptivePool2d"] if tower is not None else []
    if not pools or getattr(tower.model, "output_fmt", "NCHW") == "NHWC":
        return None
    return pools[-1], True


def attribute(
    method: Method, score: Score, target: str, kind: str, sample: Sample, run: str = "", step: int = 0, steps: int = STEPS
) -> Attribution:
    """Grad-CAM (Selvaraju et al., ICCV 2017) and integrated gradients (Sundararajan et al., ICML 2017) from a black film."""
    from captum.attr import IntegratedGradients, LayerGradCam

    images = batch_of(method, [sample])["images"]
    black = torch.full_like(images, BLACK)
    at, cam = last_map(method), None
    if at:
        layer, takes = at
        cam = LayerGradCam(score, layer).attribute(images, attribute_to_layer_input=takes, relu_attributions=True)[0, 0].detach().numpy()
    gradients, delta = IntegratedGradients(score).attribute(
        images, baselines=black, n_steps=steps, internal_batch_size=AT_ONCE, return_convergence_delta=True
    )
    with torch.no_grad():
        here, there = float(score(images)[0]), float(score(black)[0])
    return Attribution(
        *(sample["key"], run, step, target, kind, film_of(method, sample), cam),
        *(gradients[0].sum(0).detach().numpy(), here, there, float(delta[0]), steps),
    )


def of_run(
    run: Run, study: str | None, target: str, step: int | Literal["last"] = "last", image: np.ndarray | None = None, film: int = 0
) -> Attribution:
    """What a prompt's cosine, or the logit of a label of that name, rests on in one image at one snapshot of a run."""
    at = run.snapshot_step(step)
    method, names = load_method(run, at), list(run.status.get("label_names") or [])
    if isinstance(method, Projects):
        kind, score = "cosine", cosine_score(method, target)
    elif target in names:
        kind, score = "logit", logit_score(method, names.index(target))
    else:
        raise UserError(f"{run.id}: no label {target!r}; the labels are {', '.join(names) or 'not known'}")
    return attribute(method, score, target, kind, image_of(run, study, image, film), run.id, at)
