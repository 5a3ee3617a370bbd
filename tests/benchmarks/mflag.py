"""What cached text saves M-FLAG: `python -m tests.benchmarks.mflag [--rounds 2] [--batch 32] [--only CASE …]`.

The published sizes (ResNet-50 at 224 px, projectors 2048 and 1024, BERT-base frozen on reports padded to 512 tokens), and the same with a ViT-B/16
as image tower; float32, whole steps, the same weights and films in every case (see `turns`). Cached, a report's vector is at hand; uncached, the
frozen BERT-base reads every padded report anew, as the published code does. Wanted: cached at least 3 times as fast as uncached.
"""

import json
from collections.abc import Callable

from training.threads import set_threads

THREADS = set_threads()

from tests.benchmarks import turns  # noqa: E402
from tests.benchmarks.turns import Action, Updating  # noqa: E402
from workbench.models import build_method  # noqa: E402
from workbench.nn import projectors  # noqa: E402

TOKENS = 512
VALUES = {"name": "mflag", "image_size": 224, "hidden": 2048, "dim": 1024, "orthogonality": "official"}
TOWERS = {"ResNet-50": "timm:resnet50", "ViT-B/16": "timm:vit_base_patch16_224"}
CASES = [f"{tower}, {text}" for tower in TOWERS for text in ("cached", "uncached")]
PAIRED = [(f"{tower}, uncached", f"{tower}, cached") for tower in TOWERS]


def case(name: str) -> Callable[[int], Action]:
    """A whole step."""
    tower, text = name.split(", ")
    method = build_method({**VALUES, "vision": TOWERS[tower]}, 0)
    method.text = turns.CachedText() if text == "cached" else turns.WholeBert(trains=False)
    method.text_projector = projectors.mflag(method.text.width, method.config.hidden, method.config.dim)
    method.to(turns.device()).train()
    updating = Updating(method)

    def ready(rows: int) -> Action:
        batch = turns.films(rows, {}) | turns.texts(rows, 0 if text == "cached" else TOKENS)

        def step() -> None:
            terms = method(batch).terms
            (terms["alignment"].sum / terms["alignment"].count + terms["orthogonality"].sum).backward()
            updating.step()

        return step

    return ready


def main() -> None:
    rounds, rows, chosen = turns.asked(CASES)
    found = turns.in_turns(turns.named(case, chosen), rounds, rows)
    print(json.dumps({"rounds": rounds, "batch": rows, "threads": THREADS, **turns.compared(found, PAIRED)}, indent=1))


if __name__ == "__main__":
    main()
