"""A training step of MAE against transformers' ViTMAE: `python -m tests.benchmarks.mae [PAIRS]`.

ViT-S/16 at 224 px, 75 % masked, batch 32, float32, the same weights, images and masks, fused AdamW on both sides; the two take turns in
one process. Wanted: at least 1.05 times as fast, median of at least nine pairs. CPU seconds are told beside the wall's.
"""

import json
import statistics
import sys
import time

from training.threads import set_threads

THREADS = set_threads()

import torch  # noqa: E402
from transformers import ViTMAEConfig, ViTMAEForPreTraining  # noqa: E402

from workbench.interop.mae import from_transformers  # noqa: E402
from workbench.models import build_method  # noqa: E402

BATCH, PATCHES, HIDDEN, WARM = 32, 196, 147, 2
OURS = {"name": "mae", "image_size": 224, "patch_size": 16, "channels": 3, "width": 384, "depth": 12, "heads": 6}
OURS |= {"decoder_width": 512, "decoder_depth": 8, "decoder_heads": 16, "norm_pix": True, "mask_ratio": 0.75}


def pair() -> tuple[torch.nn.Module, torch.nn.Module]:
    """transformers' model, its position tables filled, and ours with its weights."""
    sizes = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "intermediate_size": 1536}
    theirs = ViTMAEForPreTraining(
        ViTMAEConfig(**sizes, norm_pix_loss=True, mask_ratio=0.75, layer_norm_eps=1e-6, attn_implementation="sdpa")
    )
    ours = build_method(OURS, 0)
    with torch.no_grad():
        theirs.vit.embeddings.position_embeddings.copy_(ours.vision.pos_embed)
        theirs.decoder.decoder_pos_embed.copy_(ours.decoder.pos_embed)
    ours.load_state_dict(from_transformers(theirs.state_dict()))
    return theirs.train(), ours.train()


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(BATCH, 1, 224, 224, generator=generator)
    return images, torch.rand(BATCH, PATCHES, generator=generator).argsort(1) < HIDDEN


def main(pairs: int) -> None:
    theirs, ours = pair()
    images, mask = batch()
    index = torch.arange(BATCH)
    own = {"key": ["x"] * BATCH, "images": images, "image_index": index, "view_index": index * 0, "extra": {"mask": mask}}
    colour, noise = images.expand(-1, 3, -1, -1), mask.float()

    def loss_of_theirs() -> torch.Tensor:
        return theirs(colour, noise=noise).loss

    def loss_of_ours() -> torch.Tensor:
        term = ours(own).terms["pixels"]
        return term.sum / term.count

    sides = {}
    for name, model, loss in (("theirs", theirs, loss_of_theirs), ("ours", ours, loss_of_ours)):
        trained = [value for value in model.parameters() if value.requires_grad]
        sides[name] = (loss, torch.optim.AdamW(trained, 1.5e-4, betas=(0.9, 0.95), weight_decay=0.05, fused=True))
    wall: dict[str, list[float]] = {name: [] for name in sides}
    spent: dict[str, list[float]] = {name: [] for name in sides}
    losses: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(WARM + pairs):
        for name in list(sides) if number % 2 else list(sides)[::-1]:
            loss, optimizer = sides[name]
            start, cpu = time.perf_counter(), time.process_time()
            value = loss()
            value.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses[name].append(float(value.detach()))
            if number >= WARM:
                wall[name].append(time.perf_counter() - start)
                spent[name].append(time.process_time() - cpu)
    ratio = {kind: [theirs / ours for theirs, ours in zip(each["theirs"], each["ours"])] for kind, each in (("wall", wall), ("cpu", spent))}
    apart = max(abs(a - b) / a for a, b in zip(losses["theirs"], losses["ours"]))
    print(
        json.dumps(
            {
                "pairs": pairs,
                "threads": THREADS,
                "median of theirs / ours": {kind: round(statistics.median(values), 3) for kind, values in ratio.items()},
                "range": {kind: [round(min(values), 3), round(max(values), 3)] for kind, values in ratio.items()},
                "seconds a step": {name: round(statistics.median(values), 2) for name, values in wall.items()},
                "CPU seconds a step": {name: round(statistics.median(values), 2) for name, values in spent.items()},
                "largest relative difference of the losses": apart,
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
