"""What masking saves MedFLIP and what the Medical-SVD costs: `python -m tests.benchmarks.medflip [--rounds 2] [--batch 32] [--only CASE …]`.

ViT-B/16 at 224 px, decoder 512 x 8, float32, the same weights and films in every case (see `turns`). The encoder (forward and backward) is set
against whole films; wanted 1.9 at half, 3.5 at three quarters masked. The full step with cached text (wanted 1.5 and 2.1) is set against a
step that paints the same patches after an encoder that saw all, and against one that has no decoder at all; the step with a BERT-base that trains on
reports of 77 tokens is reported. The forms of the SVD are timed on 256 pairs of width 512, 98 patches and 32 words, forward and backward, and told
as shares of a masked step extrapolated to 256 films; wanted at most 3 % for all but svd_tokens.
"""

import json
from collections.abc import Callable

from training.threads import set_threads

THREADS = set_threads()

import torch  # noqa: E402

from tests.benchmarks import turns  # noqa: E402
from tests.benchmarks.turns import Action, Updating, spent  # noqa: E402
from workbench.losses.geometry import svd_global, svd_masked, svd_spectrum, svd_tokens  # noqa: E402
from workbench.models import build_method  # noqa: E402
from workbench.nn import masked, projectors  # noqa: E402
from workbench.nn.vit import Encoded, pick, split_mask  # noqa: E402

PAIRS, DIM, WORDS, TOKENS = 256, 512, 32, 77
VALUES = {"name": "medflip", "image_size": 224, "patch_size": 16, "channels": 3, "width": 768, "depth": 12, "heads": 12, "dim": DIM}
VALUES |= {"decoder_width": 512, "decoder_depth": 8, "decoder_heads": 16}
RATIOS = {".5": 0.5, ".75": 0.75, "whole": 0.0, "whole, decoder": 0.5}
KINDS = ("encoder", "step", "trained text")
ENCODERS = ("encoder .5", "encoder .75", "encoder whole")
STEPS = ("step .5", "step .75", "step whole, decoder", "step whole")
TRAINED = ("trained text .5", "trained text .75", "trained text whole, decoder")
PAIRED = [(f"{kind} whole", f"{kind} {ratio}") for kind in ("encoder", "step") for ratio in (".5", ".75")]
PAIRED += [(f"{kind} whole, decoder", f"{kind} {ratio}") for kind in ("step", "trained text") for ratio in (".5", ".75")]


def case(name: str) -> Callable[[int], Action]:
    """Encoder or step at a ratio; `whole, decoder` encodes everything and paints the half that .5 hides."""
    kind = next(each for each in KINDS if name.startswith(each))
    ratio = name.removeprefix(f"{kind} ")
    method = build_method(VALUES, 0)
    trains = kind == "trained text"
    method.text = turns.WholeBert(trains) if trains else turns.CachedText()
    method.text_projector = projectors.linear(method.text.width, DIM)
    method.to(turns.device())
    updating = Updating(method)

    def ready(rows: int) -> Action:
        batch = turns.films(rows, {"mask": turns.masks(rows, RATIOS[ratio])}) | turns.texts(rows, TOKENS if trains else 0)
        labels = torch.rand(rows, 14, generator=torch.Generator().manual_seed(2)) < 0.2
        batch["labels"] = labels.float().to(turns.device())
        return lambda: act(batch)

    def encode(batch: dict) -> None:
        kept, removed = split_mask(batch["extra"]["mask"])
        method.vision(method.shown(batch), kept if removed.shape[1] else None).patches.square().mean().backward()
        updating.optimizer.zero_grad(set_to_none=True)

    def step(batch: dict) -> None:
        terms = method(batch).terms.values()
        sum((term.sum / max(term.count, 1) for term in terms), torch.zeros((), device=turns.device())).backward()
        updating.step()

    def painting(batch: dict) -> None:
        kept, removed = split_mask(batch["extra"]["mask"])
        seen: list[Encoded] = []
        hook = method.vision.register_forward_hook(lambda module, args, found: seen.append(found))
        terms = method({**batch, "extra": {"mask": torch.zeros_like(batch["extra"]["mask"])}}).terms
        hook.remove()
        encoded = Encoded(seen[0].token, pick(seen[0].patches, kept))
        pixels, _ = masked.hidden_error(method.decoder, method.shown(batch), encoded, kept, removed, method.config)
        (terms["contrastive"].sum + terms["svd"].sum + pixels).backward()
        updating.step()

    act = encode if kind == "encoder" else painting if ratio == "whole, decoder" else step
    return ready


def forms() -> dict[str, Action]:
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


def main() -> None:
    rounds, rows, chosen = turns.asked((*ENCODERS, *STEPS, *TRAINED))
    found = turns.in_turns(turns.named(case, chosen), rounds, rows)
    document = {"rounds": rounds, "batch": rows, "threads": THREADS, **turns.compared(found, PAIRED)}
    if "step .5" in found:
        svd = {name: min(spent(action).cpu for _ in range(3)) for name, action in forms().items()}
        large = turns.told(found)["step .5"]["CPU seconds"] / rows * PAIRS
        document[f"CPU seconds of the SVD on {PAIRS} pairs"] = {name: round(took, 4) for name, took in svd.items()}
        document[f"share of a step of {PAIRS}, extrapolated from {rows}"] = {name: round(took / large, 5) for name, took in svd.items()}
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
