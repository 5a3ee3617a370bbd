"""Two processes with unequal shares of a batch must give the value and the gradient of one process with all of it."""

import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist

from workbench.losses.classification import answer_bce
from workbench.losses.contrastive import info_nce
from workbench.losses.geometry import mflag_alignment, orthogonality
from workbench.losses.matching import image_text_matching, own_text
from workbench.losses.reconstruction import masked_pixel
from workbench.losses.words import masked_word
from workbench.nn.gather import gather_batch

ROOT = Path(__file__).parents[2]
ROWS, WIDTH, DIM = 8, 6, 5
WEIGHTS = {
    "contrastive": 0.7,
    "alignment": 0.3,
    "orthogonality": 0.2,
    "words": 0.5,
    "match": 0.4,
    "pixels": 0.6,
    "answers": 0.1,
    "ranking": 0.9,
}
SHARES = ((0, 3, 8), (0, 0, 8))  # the second leaves one process without a row
IDS = torch.tensor([1, 2, 3, 2, 5, 6, 2, 8])


def step(world, rank, start, stop):
    """One step by the loop's convention: loss = sum over terms of weight * sum * world / count, gradients averaged over processes."""
    draw = np.random.default_rng(0)
    inputs, texts = torch.from_numpy(draw.normal(size=(ROWS, WIDTH))), torch.from_numpy(draw.normal(size=(ROWS, DIM)))
    matrix = torch.from_numpy(draw.normal(size=(WIDTH, DIM))).requires_grad_()
    log_scale = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    x, y = inputs[start:stop] @ matrix, (texts[start:stop] * log_scale.sin())
    contrast = info_nce(gather_batch(x), gather_batch(y), (-log_scale).exp(), gather_batch(IDS[start:stop]), "soft_targets")
    terms = {
        "contrastive": (contrast, 1),
        "alignment": (mflag_alignment(x, y) * len(x) if len(x) else x.sum() * 0, len(x)),
        "orthogonality": (orthogonality(gather_batch(x), "official"), 1),
        "words": (masked_word(x, IDS[start:stop] % DIM), len(x)),
        "match": (image_text_matching(x[:, :2], IDS[start:stop] % 2), len(x)),
        "pixels": (
            masked_pixel(x[:, None], texts[start:stop, None], torch.ones(len(x), 1), True) * len(x) if len(x) else x.sum() * 0,
            len(x),
        ),
        "answers": (answer_bce(x, torch.sigmoid(texts[start:stop])), len(x)),
        "ranking": (own_text(x, texts[start:stop] > 0.5), len(x)),
    }
    counts = torch.tensor([float(count) for _, count in terms.values()])
    if world > 1:
        dist.all_reduce(counts)
    parts = [WEIGHTS[name] * value / count for (name, (value, _)), count in zip(terms.items(), counts, strict=True)]
    (sum(parts) * world).backward()
    found = torch.cat([torch.stack(parts).detach(), matrix.grad.flatten(), log_scale.grad[None]])
    if world > 1:
        dist.all_reduce(found)  # sums of values; gradients: the average of DDP follows
        found[len(parts) :] /= world
    return found


def join(rank, port):
    dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", timeout=timedelta(seconds=60), world_size=2, rank=rank)
    try:
        return [step(2, rank, *share[rank : rank + 2]) for share in SHARES]
    finally:
        dist.destroy_process_group()


@pytest.fixture(scope="module")
def of_two():
    """What rank 0 finds when a second process holds the rest of the batch."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    other = subprocess.Popen([sys.executable, "-c", f"from tests.unit.test_gather import join; join(1, {port})"], cwd=ROOT)
    found = join(0, port)
    assert other.wait(30) == 0
    return found


@pytest.mark.parametrize("place", [0, 1], ids=["3 and 5 rows", "0 and 8 rows"])
def test_two_processes_equal_one(of_two, place):
    torch.testing.assert_close(of_two[place], step(1, 0, 0, ROWS), rtol=1e-6, atol=1e-9)


def test_one_process_gets_its_own_tensor_back():
    rows = torch.ones(3, 2, requires_grad=True)
    assert gather_batch(rows) is rows
