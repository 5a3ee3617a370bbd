"""M3AE: hidden words from the image, hidden patches from the report, pairs told from non-pairs, over one fusion. Chen et al., MICCAI 2022.

`official` is what the published code does where that is not what the paper says or what one would want: see passes, word_masking,
negatives, norm_decay. Not taken over: a mean over no hidden word, which is not a number (here 0); false images from the whole data set
(here from the batch); the CLIP tower's own activation and first norm. Fine-tuning: m3ae_vqa, m3ae_classify, m3ae_retrieve.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from workbench import text, transforms, words
from workbench.batches import others_images, others_texts
from workbench.config import Config as BaseConfig
from workbench.config import Live
from workbench.dataset import Sample
from workbench.errors import UserError
from workbench.losses.matching import image_text_matching
from workbench.losses.reconstruction import masked_pixel
from workbench.losses.words import masked_word
from workbench.masking import random_mask
from workbench.method import Batch, Mean, Method, MethodConfig, ParameterGroup, Phase, StepOutput, default_groups, part
from workbench.nn.colours import to_grey
from workbench.nn.fusion import start
from workbench.nn.pair import Depth, Pair, PairFields, Size, check
from workbench.nn.vision import study_means
from workbench.nn.vit import Decoder, Encoded, painted, patchify, pick, split_mask

JOINT = (Phase("joint"), Phase("match"))


class Weights(BaseConfig):
    """Weights of the loss terms."""

    words: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Cross-entropy of the hidden words."""
    pixels: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Squared error of the removed patches."""
    match: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Cross-entropy of "image and report belong together"."""


class M3AEConfig(PairFields, MethodConfig):
    """Two towers, their fusion, three heads."""

    origins: ClassVar[Mapping[str, str]] = {
        "pixel_layer": "Chen et al., M3AE: half of the fusion, as published",
        "decoder_width": "ours: published 384",
        "decoder_depth": "ours: published 4",
        "decoder_heads": "ours: published 6",
        "mask_ratio": "Chen et al., M3AE",
        "word_ratio": "Chen et al., M3AE",
        "norm_pix": "Chen et al., M3AE: its code",
        "passes": "Chen et al., M3AE: its code, not its wording",
        "word_masking": "ours: the code hides nothing in short reports",
        "negatives": "ours: in the code a false pair may be true",
        "norm_decay": "ours: norms are not decayed",
        "fast": "Chen et al., M3AE: its code",
        "weights": "Chen et al., M3AE: 1 each",
    }

    pixel_layer: Annotated[int, Field(ge=-1, le=64)] = 1
    """Layers of fusion below the pixel decoder (published: 3 of 6); -1: all. The words are read from the last."""
    decoder_width: Size = 96
    """Width of the pixel decoder (published 384), a multiple of 4 and of `decoder_heads`."""
    decoder_depth: Depth = 2
    """Blocks of the pixel decoder (published 4)."""
    decoder_heads: Size = 4
    """Attention heads of the pixel decoder (published 6)."""
    mask_ratio: Live[Annotated[float, Field(ge=0.02, le=0.98)]] = 0.75
    """Share of the patches that is removed."""
    word_ratio: Live[Annotated[float, Field(ge=0.01, le=0.98)]] = 0.15
    """Share of a report's tokens that is hidden."""
    norm_pix: bool = True
    """Targets are patches standardised by their own mean and deviation, as published; off: pixels themselves."""
    passes: Literal["official", "joint"] = "official"
    """`official`: words hidden with the image whole, patches with the report whole, pairs with both whole: three passes a step. `joint`, the paper's wording: words and patches are hidden together, pairs in a second pass."""
    word_masking: words.Masking = "fixed"
    """`fixed`: whole words of any tokenizer, the share counted over the report's own tokens, at least one. `official`: padding is counted, too, and words go on only with ##: nothing is hidden in 41 % of reports of 5 tokens with RoBERTa's tokenizer."""
    negatives: Literal["official", "fixed"] = "fixed"
    """`fixed`: the false image belongs to another report. `official`: to any study, even the same or one with the same words."""
    norm_decay: Literal["official", "fixed"] = "fixed"
    """`official`: the image tower's norms are decayed as its matrices are, since the code does not know their names."""
    fast: Annotated[float, Field(ge=0)] = 5.0
    """Learning rate of fusion and heads, in multiples of the towers'."""
    weights: Weights = Weights()
    """Weights of the loss terms."""


class WordHead(nn.Module):
    """Linear, GELU, norm, a matrix of its own onto the vocabulary."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width, eps=1e-12))
        self.out = nn.Linear(width, size)
        self.apply(start)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.inner(x))


class M3AE(Method):
    """Images are pairs with the report of their study. A study without report trains the pixels only."""

    Config = M3AEConfig
    config: M3AEConfig
    equation = (
        "L = CE(hidden words) + mean over the removed patches of |prediction - standardised patch|^2 + CE(image and report belong together)"
    )
    left_open = (
        "whether words and patches are hidden together: the paper says so, the code does not",
        "the number of epochs",
        "what a mean over no hidden word is: here 0",
    )
    needs = frozenset({"image", "text"})
    phases: tuple[Phase, ...] = (Phase("words"), Phase("pixels"), Phase("match"))
    terms: Mapping[str, tuple[str, ...]] = {"words": ("words",), "pixels": ("pixels",), "match": ("match",)}
    features = {"image.backbone": "b d", "image.patches": "b n d", "text.backbone": "b d", "joint": "b d"}
    embeds = "image.backbone"

    def __init__(self, config: M3AEConfig) -> None:
        super().__init__(config)
        check(config, "m3ae", (config.decoder_width, config.decoder_heads))
        if config.pixel_layer > config.fusion_depth:
            raise UserError(f"method m3ae: pixel_layer {config.pixel_layer} is above the fusion's {config.fusion_depth} layers; lower it")
        if config.passes == "joint":
            self.phases, self.terms = JOINT, {"joint": ("words", "pixels"), "match": ("match",)}
        self.known = words.vocabulary(config.text)
        self.patch_size, self.norm_pix = config.patch_size, config.norm_pix
        self.pixel_depth = config.fusion_depth if config.pixel_layer < 0 else config.pixel_layer
        side, pixels = config.image_size // config.patch_size, config.patch_size**2 * config.channels
        self.pair = Pair(config, part, match=True)
        with part("decoder"):
            self.decoder = Decoder(side, pixels, config.fusion_width, config.decoder_width, config.decoder_depth, config.decoder_heads)
        with part("word_head"):
            self.word_head = WordHead(config.fusion_width, self.known.size)
        self.gradient_free = self.pair.gradient_free

    @staticmethod
    def transform(config: M3AEConfig, sample: Sample, rng: np.random.Generator) -> dict[str, Any]:
        """All images of a study, which share one mask, and its report with the words to be hidden."""
        mask = random_mask((config.image_size // config.patch_size) ** 2, config.mask_ratio, rng)
        row, known = words.row(text.report(sample), config.text, config.text_tokens), words.vocabulary(config.text)
        ids, length = row["input_ids"], config.text_tokens
        hidden = words.hidden_places(ids, known, config.word_ratio, length, config.word_masking, rng)
        shown = np.zeros(length, np.int64)
        shown[: len(ids)] = words.hide(ids, hidden[: len(ids)], known, rng)
        return {
            "images": transforms.images(sample, config, rng),
            "texts": [row],
            "labels": sample.get("labels"),
            "mask": mask,
            "hidden_words": hidden,
            "shown_words": shown,
        }

    def forward(self, batch: Batch, phase: str = "words") -> StepOutput:
        if phase == "match":
            return self.tell_pairs(batch)
        index = batch["image_index"]
        kept, removed = split_mask(batch["extra"]["mask"][index])
        hides_words, hides_patches = phase != "pixels", phase != "words"
        tokens = batch["extra"]["shown_words"][:, : batch["input_ids"].shape[1]] if hides_words else batch["input_ids"]
        seen = self.pair.see(batch["images"], kept if hides_patches else None)
        read, there = self.pair.read(tokens, batch["attention_mask"])[index], batch["attention_mask"][index]
        middle = self.pair.fuse(read, there, seen, self.pixel_depth)
        terms, scalars = {}, {}
        if hides_words:
            streams = middle
            for number in range(self.pixel_depth, self.config.fusion_depth):
                streams = self.pair.fusion.one_layer(streams, number)
            hidden = batch["extra"]["hidden_words"][index, : tokens.shape[1]]
            wanted, logits = batch["input_ids"][index][hidden], self.word_head(streams.text[hidden])
            terms["words"] = Mean(masked_word(logits, wanted), len(wanted))
            scalars["words right"] = (logits.detach().argmax(-1) == wanted).float().sum() / max(len(wanted), 1)
        if hides_patches:
            prediction = self.decoder(Encoded(middle.image[:, 0], middle.image[:, 1:]), kept, removed)
            target = pick(patchify(self.pair.shown(batch["images"]), self.patch_size), removed)
            loss = masked_pixel(prediction, target, torch.ones_like(removed), self.norm_pix)
            terms["pixels"] = Mean(loss * removed.numel(), removed.numel())
        z = study_means(seen[:, 1:].mean(1), index, len(batch["key"])).detach()
        return StepOutput(terms, scalars, {} if phase == "pixels" else {"image.backbone": z})

    def tell_pairs(self, batch: Batch) -> StepOutput:
        """Half of the pairs, drawn anew, with the image of another study; a study without report takes no part."""
        told = batch["text_id"][batch["image_index"]] != text.NO_TEXT
        index, images = batch["image_index"][told], batch["images"][told]
        if self.training and len(index) < 2:
            raise UserError(
                f"method m3ae: matching needs false images, and this batch has {len(index)} image with a report; set batch to 2 or more"
            )
        image, match = swapped(batch["text_id"][index], self.config.negatives)
        read = self.pair.read(batch["input_ids"], batch["attention_mask"])[index]
        streams = self.pair.fuse(read, batch["attention_mask"][index], self.pair.see(images)[image])
        logits = self.pair.match(self.pair.joint(streams))
        called = logits.detach().argmax(1)
        told = {"pairs right": called == match, "pairs called own": called == 1}
        scalars = {name: each.float().mean() if len(index) else torch.zeros(()) for name, each in told.items()}
        return StepOutput({"match": Mean(image_text_matching(logits, match), len(index))}, scalars)

    def counts(self, batch: Batch, phase: str) -> Mapping[str, int]:
        index, extra = batch["image_index"], batch["extra"]
        every = {
            "words": extra["hidden_words"][index].sum(),
            "pixels": extra["mask"][index].sum(),
            "match": (batch["text_id"][index] != text.NO_TEXT).sum(),
        }
        return {name: int(every[name]) for name in self.terms[phase]}

    def parameter_groups(self) -> Sequence[ParameterGroup]:
        groups = default_groups(self, scales={"pair.vision.*": 1.0, "pair.text.*": 1.0, "*": self.config.fast})
        norms = [ParameterGroup(f"pair.vision.*{norm}.weight") for norm in ("norm", "norm1", "norm2")]
        return [*norms, *groups] if self.config.norm_decay == "official" else groups

    def features_of(self, batch: Batch, names: Sequence[str]) -> dict[str, Tensor]:
        """Of whole images and reports: means over a study's images, the patches of its first; `joint` is what the heads on top read."""
        index, studies = batch["image_index"], len(batch["key"])
        seen = self.pair.see(batch["images"])
        found = {"image.backbone": study_means(seen[:, 1:].mean(1), index, studies), "image.patches": seen[batch["view_index"] == 0, 1:]}
        if {"text.backbone", "joint"} & set(names):
            read = self.pair.read(batch["input_ids"], batch["attention_mask"])
            found["text.backbone"] = read[:, 0]
            joint = self.pair.joint(self.pair.fuse(read[index], batch["attention_mask"][index], seen))
            found["joint"] = study_means(joint, index, studies)
        return {name: found[name] for name in names}

    def fill(self, batch: Batch, text_mask: Tensor) -> Tensor:
        """Logits (t l v) of reports with the tokens of `text_mask` (t l; 1 hidden) hidden behind the mark, beside each study's first image."""
        tokens = batch["input_ids"].masked_fill(text_mask.bool(), self.known.mark)
        seen = self.pair.see(batch["images"][batch["view_index"] == 0])
        mask = batch["attention_mask"]
        return self.word_head(self.pair.fuse(self.pair.read(tokens, mask), mask, seen).text)

    def shown(self, batch: Batch) -> Tensor:
        """The images in the units of the loss, (i c h w)."""
        return self.pair.shown(batch["images"])

    def grey(self, pixels: Tensor) -> Tensor:
        """Grey values (i h w)."""
        return to_grey(pixels, self.config.normalise)

    def reconstruct(self, batch: Batch, masking: Tensor) -> tuple[Tensor, Tensor]:
        """All patches painted beside the whole report, in the units of `shown`, and their error (i n) in the space of the loss; with
        `norm_pix` the true mean and deviation of each patch turn the prediction into pixels, which no reader of hidden patches has."""
        index = batch["image_index"]
        kept, removed = split_mask(masking[index])
        read = self.pair.read(batch["input_ids"], batch["attention_mask"])[index]
        image = self.pair.fuse(read, batch["attention_mask"][index], self.pair.see(batch["images"], kept), self.pixel_depth).image
        prediction = self.decoder(Encoded(image[:, 0], image[:, 1:]), kept, removed, everywhere=True)
        return painted(prediction, self.shown(batch), self.patch_size, self.norm_pix)

    def attention(self, batch: Batch) -> dict[str, Tensor]:
        """Of a study's first image: the image tower's (l b h t t), class token first, and what `crossing` gives."""
        first = batch["images"][batch["view_index"] == 0]
        return {"image": self.pair.vision.attention(self.pair.shown(first)), **self.crossing(batch)}

    def crossing(self, batch: Batch) -> dict[str, Tensor]:
        """Between the report and a study's first image, layer of fusion by layer: every token of the report on the image (l b h words t)
        and every token of the image on the report (l b h t words); the image's class token comes first."""
        seen, mask = self.pair.see(batch["images"][batch["view_index"] == 0]), batch["attention_mask"]
        streams, fusion = self.pair.fuse(self.pair.read(batch["input_ids"], mask), mask, seen, 0), self.pair.fusion
        return {"words": fusion.word_to_patch(streams), "patches": fusion.patch_to_word(streams)}

    def levels(self, batch_size: int) -> dict[str, dict[str, Any]]:
        """What knows nothing: any word, a coin, zero in every standardised patch."""
        pixels, size = self.patch_size**2 * self.config.channels, self.known.size
        found = {
            "terms.words": {"value": math.log(size), "why": f"every word as likely as any of {size}: ln {size}"},
            "terms.match": {"value": math.log(2), "why": "every pair as likely as not: ln 2"},
        }
        if self.norm_pix:
            found["terms.pixels"] = {"value": 1 - 1 / pixels, "why": f"zero in every removed patch of {pixels} standardised pixels"}
        return found

    @torch.no_grad()
    def mechanism_report(self, batch: Batch) -> dict[str, float]:
        """What each side adds to the other: hidden words beside their own image and another's, hidden patches beside their own report and another's.

        Beside these how much is hidden, what the commonest of the hidden words alone would get right, and whether all pairs are called the same.
        """
        hidden = batch["extra"]["hidden_words"][:, : batch["input_ids"].shape[1]]
        wanted, masking, reports = batch["input_ids"][hidden], batch["extra"]["mask"], batch["text_id"] != text.NO_TEXT
        commonest = wanted == wanted.mode().values if len(wanted) else hidden
        found = {
            "patches hidden": float(masking.float().mean()),
            "reports with a hidden word": float(hidden[reports].any(1).float().mean()) if reports.any() else 0.0,
            "hidden words right, the commonest": float(commonest.sum()) / max(len(wanted), 1),
        }
        for name, shown in (("its own image", batch), ("another's image", others_images(batch))):
            right = self.fill(shown, hidden)[hidden].argmax(-1) == wanted
            found[f"hidden words right, {name}"] = float(right.sum()) / max(len(wanted), 1)
        for name, told in (("its own report", batch), ("another's report", others_texts(batch))):
            error = self.reconstruct(told, masking)[1][masking[batch["image_index"]]]
            found[f"error of hidden patches, {name}"] = float(error.mean())
        return found | {name: float(value) for name, value in self.tell_pairs(batch).scalars.items()}


def swapped(text_ids: Tensor, negatives: str) -> tuple[Tensor, Tensor]:
    """Which row's image each of b reports is shown (b), and whether it is its own (b; 1 yes). The half rounded up are false ones.

    `fixed` never shows the image of an equal report; where all reports are equal there are no false pairs. Draws from torch's generator.
    """
    rows, device = len(text_ids), text_ids.device
    match = (torch.arange(rows) < rows // 2)[torch.randperm(rows)].to(device)
    places = torch.arange(rows, device=device)
    if negatives == "official":
        return torch.where(match, places, torch.randint(rows, (rows,)).to(device)), match.long()
    order = torch.rand(rows, rows).to(device).masked_fill(text_ids[:, None] == text_ids, -1.0)
    best = order.max(1) if rows else (order.sum(1), places)
    match = match | (best[0] < 0)
    return torch.where(match, places, best[1]), match.long()
