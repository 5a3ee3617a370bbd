"""M3AE's three passes a step against words and patches hidden together: `python -m tests.benchmarks.m3ae [--rounds 2] [--batch 32] [--only CASE …]`.

ViT-B/16 of 11 blocks at 224 px, a text tower of RoBERTa-base's size (12 x 768) on 64 tokens of the packaged vocabulary, fusion 6 x 768, decoder
4 x 384, float32, the same weights, films and texts in both cases (see `turns`). `passes: official` hides words with the image whole, patches with the
report whole, and tells pairs with both whole; `joint` hides words and patches in one pass and tells pairs in a second. Reported, nothing wanted.
"""

import json
from collections.abc import Callable

from training.threads import set_threads

THREADS = set_threads()

import torch  # noqa: E402

from tests.benchmarks import turns  # noqa: E402
from tests.benchmarks.turns import Action, Updating  # noqa: E402
from workbench.models import build_method  # noqa: E402

TOKENS = 64
VALUES = {"name": "m3ae", "image_size": 224, "patch_size": 16, "channels": 3, "width": 768, "depth": 11, "heads": 12}
VALUES |= {"text_width": 768, "text_depth": 12, "text_heads": 12, "text_tokens": TOKENS}
VALUES |= {"fusion_width": 768, "fusion_depth": 6, "fusion_heads": 12, "pixel_layer": 3}
VALUES |= {"decoder_width": 384, "decoder_depth": 4, "decoder_heads": 6}
CASES = {"three passes": "official", "joint": "joint"}


def case(name: str) -> Callable[[int], Action]:
    """A whole step: every phase forward and backward, then one update."""
    method = build_method({**VALUES, "passes": CASES[name]}, 0).to(turns.device()).train()
    updating = Updating(method)

    def ready(rows: int) -> Action:
        draw = torch.Generator().manual_seed(1)
        ids = torch.randint(10, method.known.size, (rows, TOKENS), generator=draw)
        hidden = torch.rand(rows, TOKENS, generator=draw) < method.config.word_ratio
        told = {"mask": turns.masks(rows, method.config.mask_ratio), "hidden_words": hidden}
        batch = turns.films(rows, told | {"shown_words": ids.masked_fill(hidden, method.known.mark)})
        batch |= turns.to_device({"input_ids": ids, "attention_mask": torch.ones_like(ids)})

        def step() -> None:
            for phase in method.phases:
                terms = method(batch, phase.name).terms.values()
                sum((term.sum / max(term.count, 1) for term in terms), torch.zeros((), device=turns.device())).backward()
            updating.step()

        return step

    return ready


def main() -> None:
    rounds, rows, chosen = turns.asked(list(CASES))
    found = turns.in_turns(turns.named(case, chosen), rounds, rows)
    told = turns.compared(found, [("three passes", "joint")])
    print(json.dumps({"rounds": rounds, "batch": rows, "threads": THREADS, **told}, indent=1))


if __name__ == "__main__":
    main()
