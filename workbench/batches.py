"""From studies to batches: one transform per study, one collate for every method."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from workbench.dataset import Dataset
from workbench.method import Batch, Method, MethodConfig
from workbench.randomness import rng

KNOWN = ("key", "patient", "source", "images", "texts", "labels")


class Address(NamedTuple):
    """Which study, transformed for which step: a batch row is a pure function of it."""

    source: str
    index: int  # type: ignore[assignment]
    step: int


class Rows(torch.utils.data.Dataset):
    """The rows of a run: address -> the method's transform of that study."""

    def __init__(
        self,
        method: type[Method],
        config: MethodConfig,
        datasets: Mapping[str, Dataset],
        seed: int,
        purpose: str = "transform",
        augment: bool = True,
    ) -> None:
        self.method, self.config, self.datasets, self.seed, self.purpose = method, config, datasets, seed, purpose
        self.config = config if augment or "augment" not in type(config).model_fields else config.model_copy(update={"augment": "none"})

    def __getitem__(self, address: Address) -> dict[str, Any]:
        sample = self.datasets[address.source][address.index]
        row = self.method.transform(self.config, sample, rng(self.seed, self.purpose, address.step, sample["key"]))
        return row | {"key": sample["key"], "patient": sample["patient"], "source": address.source}


def collate(rows: Sequence[Mapping[str, Any]]) -> Batch:
    """Pads texts, indexes images and texts by study, stacks unknown tensors under `extra`."""
    batch: dict[str, Any] = {name: [row[name] for row in rows] for name in ("key", "patient", "source")}
    if any("images" in row for row in rows):
        images = [(study, view, image) for study, row in enumerate(rows) for view, image in enumerate(row.get("images", ()))]
        if images:
            batch["images"] = torch.from_numpy(np.stack([np.asarray(image) for *_, image in images]))
        batch["image_index"] = torch.tensor([study for study, *_ in images], dtype=torch.long)
        batch["view_index"] = torch.tensor([view for _, view, _ in images], dtype=torch.long)
    if any("texts" in row for row in rows):
        texts = [(study, text) for study, row in enumerate(rows) for text in row.get("texts", ())]
        batch["text_index"] = torch.tensor([study for study, _ in texts], dtype=torch.long)
        batch["text_id"] = torch.tensor([text["text_id"] for _, text in texts], dtype=torch.long)
        longest = max((len(text["input_ids"]) for _, text in texts), default=0)
        ids, mask = np.zeros((len(texts), longest), np.int64), np.zeros((len(texts), longest), np.int64)
        for place, (_, text) in enumerate(texts):
            length = len(text["input_ids"])
            ids[place, :length], mask[place, :length] = text["input_ids"], 1
        batch["input_ids"], batch["attention_mask"] = torch.from_numpy(ids), torch.from_numpy(mask)
    if any(row.get("labels") is not None for row in rows):
        batch["labels"] = torch.from_numpy(np.stack([row["labels"] for row in rows]))
    own = [name for name in rows[0] if name not in KNOWN]
    batch["extra"] = {name: torch.from_numpy(np.stack([np.asarray(row[name]) for row in rows])) for name in own}
    return batch  # type: ignore[return-value]


def to_device(batch: Batch, device: torch.device, dtype: torch.dtype | None = None) -> Batch:
    """Tensors of a batch on `device`; floating ones as `dtype` where given."""

    def move(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.to(device, dtype if dtype is not None and value.is_floating_point() else None, non_blocking=True)
        if isinstance(value, dict):
            return {name: move(inner) for name, inner in value.items()}
        return value

    return {name: move(value) for name, value in batch.items()}  # type: ignore[return-value]


def fixed_batches(rows: Rows, source: str, indices: np.ndarray, size: int) -> list[Batch]:
    """Batches of fixed studies under step 0's draws: what monitors and validation see every time."""
    chunks = [indices[start : start + size] for start in range(0, len(indices), size)]
    return [collate([rows[Address(source, int(index), 0)] for index in chunk]) for chunk in chunks]


def others_images(batch: Batch) -> Batch:
    """The batch with one image a study: the first of the study before, the last one's for the first. A control: pairs that are none."""
    first = batch["images"][batch["view_index"] == 0]
    studies = torch.arange(len(first), device=first.device)
    return {**batch, "images": first.roll(1, 0), "image_index": studies, "view_index": torch.zeros_like(studies)}


def others_texts(batch: Batch) -> Batch:
    """The batch with the words of the text before in the place of each, the last one's in the first."""
    return {**batch, "input_ids": batch["input_ids"].roll(1, 0), "attention_mask": batch["attention_mask"].roll(1, 0)}
