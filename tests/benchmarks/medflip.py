"""What masking saves MedFLIP and what the Medical-SVD costs: `python -m tests.benchmarks.medflip [ROUNDS] [BATCH]`.

ViT-B/16 at 224 px, decoder 512 x 8, float32, the same weights and films, cached text; all variants take turns in one process, ratios are
medians over the rounds of CPU seconds (wall beside them). The encoder's ratio is against whole films; wanted 1.9 at half, 3.5 at three quarters
masked. The full step's (wanted 1.5 and 2.1) is against a step that paints the same patches after an encoder that saw all, and beside it
against one that has no decoder at all. The forms of the SVD are timed on 256 pairs of width 512, 98 patches and 32 words, forward
and backward, and told as shares of a masked step extrapolated to 256 films; wanted at most 3 % for all but svd_tokens. Peak memory: each
variant in a process of its own, less what building and data hold.
"""

import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.threads import set_threads

THREADS = set_threads()

import torch  # noqa: E402

from workbench.losses.geometry import svd_global, svd_masked, svd_spectrum, svd_tokens  # noqa: E402
from workbench.masking import random_mask  # noqa: E402
from workbench.models import build_method  # noqa: E402
from workbench.nn import masked  # noqa: E402
from workbench.nn.vit import Encoded, pick, split_mask  # noqa: E402
from workbench.randomness import rng  # noqa: E402

PATCHES, PAIRS, DIM, WORDS = 196, 256, 512, 32
VALUES = {"name": "medflip", "image_size": 224, "patch_size": 16, "channels": 3, "width": 768, "depth": 12, "heads": 12, "dim": DIM}
VALUES |= {"decoder_width": 512, "decoder_depth": 8, "decoder_heads": 16}
STEPS = ("step .5", "step .75", "step whole, decoder", "step whole")
ENCODERS = ("encoder .5", "encoder .75", "encoder whole")


class CachedText(torch.nn.Module):
    """A frozen tower whose vectors are at hand."""

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return ids.float()


def batch(size: int, ratio: float) -> dict[str, Any]:
    """Films, masks, labels and text vectors of a step."""
    generator = torch.Generator().manual_seed(0)
    index = torch.arange(size)
    mask = torch.stack([torch.from_numpy(random_mask(PATCHES, ratio, rng(0, "benchmark", 0, each))) for each in range(size)])
    vectors = torch.randn(size, 384, generator=generator)
    found = {
        "key": ["x"] * size,
        "images": torch.randn(size, 1, 224, 224, generator=generator),
        "image_index": index,
        "extra": {"mask": mask},
    }
    labels = (torch.rand(size, 14, generator=generator) < 0.2).float()
    return found | {"view_index": index * 0, "labels": labels, "text_id": index + 1, "input_ids": vectors, "attention_mask": vectors}


def variants(size: int) -> dict[str, Callable[[], None]]:
    """Forward, backward and update of every variant, all on one model."""
    method = build_method(VALUES, 0)
    method.text = CachedText()
    optimizer = torch.optim.AdamW([value for value in method.parameters() if value.requires_grad], 1e-6, fused=True)
    batches = {name: batch(size, ratio) for name, ratio in ((".5", 0.5), (".75", 0.75), ("whole", 0.0))}

    def update(loss: torch.Tensor) -> None:
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def encode(name: str) -> None:
        kept, removed = split_mask(batches[name]["extra"]["mask"])
        method.vision(method.shown(batches[name]), kept if removed.shape[1] else None).patches.square().mean().backward()
        optimizer.zero_grad(set_to_none=True)

    def step(name: str) -> None:
        terms = method(batches[name]).terms.values()
        update(sum((term.sum / max(term.count, 1) for term in terms), torch.zeros(())))

    def painting() -> None:
        given, whole = batches["whole"], batches[".5"]
        kept, removed = split_mask(whole["extra"]["mask"])
        seen: list[Encoded] = []
        hook = method.vision.register_forward_hook(lambda module, args, found: seen.append(found))
        terms = method(given).terms
        hook.remove()
        encoded = Encoded(seen[0].token, pick(seen[0].patches, kept))
        pixels, _ = masked.hidden_error(method.decoder, method.shown(given), encoded, kept, removed, method.config)
        update(terms["contrastive"].sum + terms["svd"].sum + pixels)

    found: dict[str, Callable[[], None]] = {f"encoder {name}": lambda name=name: encode(name) for name in batches}
    found |= {f"step {name}": lambda name=name: step(name) for name in batches}
    return found | {"step whole, decoder": painting}


def forms() -> dict[str, Callable[[], None]]:
    """Every form of the SVD on a full batch, forward and backward."""
    generator = torch.Generator().manual_seed(1)
    x, y = (torch.nn.functional.normalize(torch.randn(PAIRS, DIM, generator=generator), dim=1) for _ in range(2))
    labels = (torch.rand(PAIRS, 14, generator=generator) < 0.2).float()
    alike = labels @ labels.T
    patches, words = torch.randn(PAIRS, 98, DIM, generator=generator), torch.randn(PAIRS, WORDS, DIM, generator=generator)
    every = torch.ones(PAIRS, WORDS, dtype=torch.bool)
    cosines = (x @ y.T).requires_grad_()
    patches.requires_grad_()
    return {
        "svd_masked": lambda: svd_masked(cosines, alike > 0).backward(),
        "svd_global": lambda: svd_global(cosines).backward(),
        "svd_spectrum": lambda: svd_spectrum(cosines, alike.softmax(1), 0.1).backward(),
        "svd_tokens": lambda: svd_tokens(patches, words, every, 0.1).backward(),
    }


def timed(action: Callable[[], None]) -> tuple[float, float]:
    """CPU and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    action()
    return time.process_time() - cpu, time.perf_counter() - wall


def megabytes() -> float:
    """Peak of this process; not ru_maxrss, which a child takes over from its parent."""
    told = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in told.splitlines() if line.startswith("VmHWM"))) / 1024


def peak(name: str, size: int, answer: Any) -> None:
    """What one step adds to the memory of a process of its own."""
    action, before = variants(size)[name], megabytes()
    action()
    answer.put(round(megabytes() - before))


def peaks(size: int) -> dict[str, int]:
    context, found = multiprocessing.get_context("spawn"), {}
    for name in (*ENCODERS, *STEPS):
        answer = context.Queue()
        child = context.Process(target=peak, args=(name, size, answer))
        child.start()
        found[name] = answer.get()
        child.join()
    return found


def main(rounds: int, size: int) -> None:
    actions = variants(size)
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in actions}
    for number in range(rounds + 1):
        for name in list(actions) if number % 2 else list(actions)[::-1]:
            took = timed(actions[name])
            if number:  # the first round warms up
                spent[name].append(took)
    del actions
    svd = {name: min(timed(action) for _ in range(3)) for name, action in forms().items()}

    def ratio(of: str, against: str, kind: int) -> float:
        return round(statistics.median(b[kind] / a[kind] for a, b in zip(spent[of], spent[against])), 2)

    pairs = [("encoder .5", "encoder whole"), ("encoder .75", "encoder whole")]
    pairs += [(step, whole) for whole in ("step whole, decoder", "step whole") for step in ("step .5", "step .75")]
    seconds = {name: [round(statistics.median(each[kind] for each in took), 2) for kind in (0, 1)] for name, took in spent.items()}
    large = seconds["step .5"][0] / size * PAIRS
    print(
        json.dumps(
            {
                "rounds": rounds,
                "batch": size,
                "threads": THREADS,
                "times as fast (CPU, wall)": {f"{a} against {b}": [ratio(a, b, kind) for kind in (0, 1)] for a, b in pairs},
                "seconds (CPU, wall)": seconds,
                f"CPU seconds of the SVD on {PAIRS} pairs": {name: round(took[0], 4) for name, took in svd.items()},
                f"share of a step of {PAIRS}, extrapolated from {size}": {name: round(took[0] / large, 5) for name, took in svd.items()},
                "peak memory of a step in MB, with gradients and moments": peaks(size),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(given[0] if given else 5, given[1] if len(given) > 1 else 32)
