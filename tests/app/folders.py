"""Run folders without training: what the app reads, written in milliseconds. Three arms whose latent spaces go different ways."""

import json
import os
import time
from pathlib import Path

import numpy as np
import yaml

from tests.toys import points
from workbench.analysis.collapse import summarise
from workbench.embeddings import Embeddings, save
from workbench.run import RunConfig, process_started, write_json

LOOKS = (0, 1, 2, 4, 8, 16, 24, 32, 40)
FEATURES = {"image.backbone": 16, "image.projected": 12}
DATA = {"name": "tests.toys.points", "studies": 600}
HASH = points.load(points.Config(studies=DATA["studies"])).data_hash
N = 100
DECAY = {"alignment": 1.2, "orthogonality": 0.5, "contrastive": 0.05}  # how fast directions go out
PROBE = {"alignment": 0.73, "orthogonality": 0.70, "contrastive": 0.87}


def config(name: str, seed: int) -> RunConfig:
    method = {"name": "tests.toys.line", "dropout": DECAY.get(name, 0.1) / 10}
    values = {"name": name, "method": method, "data": {"points": {"config": DATA}}, "stages": [{"steps": LOOKS[-1]}], "seed": seed}
    return RunConfig.model_validate(values | {"tags": ["demo"], "device": "cpu"})


def features(name: str, seed: int, step: int, d: int) -> np.ndarray:
    """(N, d): directions of falling scale; the fall gets steeper as the arm trains."""
    rng = np.random.default_rng([seed, d])
    fall = 0.15 + DECAY.get(name, 0.2) * np.log2(1 + step) / 4
    return (rng.normal(size=(N, d)) * np.exp(-fall * np.arange(d)) + 0.3).astype(np.float32)


def macro(value: float) -> dict:
    head = {"value": value, "low": value - 0.05, "high": value + 0.05, "procedure": "joint resampling of patients", "why": ""}
    labels = {name: {"value": value, "positive": 40, "negative": 60} for name in ("up", "right")}
    return {"macro_auroc": head, "labels": labels, "n_train": 200, "n": N}


def write_look(path: Path, name: str, seed: int, step: int) -> None:
    """One look: geometry, probe and embeddings."""
    folder = path / f"artifacts/step-{step}"
    folder.mkdir(parents=True, exist_ok=True)
    keys = tuple(f"point-{400 + index}" for index in range(N))
    patients = tuple(f"patient-{(400 + index) // 2}" for index in range(N))
    looked = {feature: features(name, seed, step, d) for feature, d in FEATURES.items()}
    for feature, z in looked.items():
        save(Embeddings(z, keys, patients, feature, step, HASH), folder / "embeddings" / feature)
    share = np.log2(1 + step) / np.log2(1 + LOOKS[-1])
    write_json(folder / "probe.json", dict.fromkeys(FEATURES, macro(0.72 + (PROBE.get(name, 0.8) - 0.72) * share)))
    write_json(folder / "geometry.json", {feature: summarise(z, patients).as_dict() for feature, z in looked.items()})


def write_run(
    root: Path, name: str = "alignment", seed: int = 0, state: str = "finished", looks: tuple[int, ...] = LOOKS, number: int = 0
) -> Path:
    """A whole run folder; a running one belongs to this process, so it counts as alive."""
    path = root / f"20260101-{number // 60 % 24:02d}{number % 60:02d}00-line-points-{number:04x}"
    path.mkdir(parents=True)
    (path / "control").mkdir()
    made = config(name, seed)
    (path / "config.yaml").write_text(yaml.safe_dump(made.to_dict(), sort_keys=False))
    step = LOOKS[-1] if state == "finished" else LOOKS[-1] // 2
    status = {"format": 1, "state": state, "step": step, "steps": LOOKS[-1], "name": name, "method": made.method["name"], "seed": seed}
    status |= {"data": [DATA["name"]], "tags": ["demo"], "created": 1.7e9 + number, "updated": time.time(), "metrics": {"loss": 1.0}}
    status |= {
        "features": dict.fromkeys(FEATURES, "b d") if looks else {},
        "terms": {"train": ["pixels", "size"]},
        "host": os.uname().nodename,
    }
    write_json(path / "status.json", status | {"pid": os.getpid(), "started": process_started(os.getpid())})
    (path / "heartbeat").touch()
    write_json(path / "provenance.json", {"data": {"points": HASH}})
    (path / "events.jsonl").write_text(json.dumps({"event": "launched", "step": 0, "time": time.time()}) + "\n")
    (path / "out.log").write_text("ready\n")
    write_metrics(path, name, range(1, step + 1))
    references = {"chance": 0.5, "pixels": macro(0.70), "metadata": macro(0.58), "n": N, "n_train": 200}
    references["levels"] = {"terms.pixels": {"value": 1.0, "why": "the mean image"}}
    for look in looks:
        if look <= step:
            write_look(path, name, seed, look)
    if looks:
        write_json(path / "artifacts/references.json", references)
    return path


def write_metrics(path: Path, name: str, steps: range) -> None:
    """Append a training record per step and a validation record each tenth."""
    fall = 1 + DECAY.get(name, 0.2)
    with open(path / "metrics.jsonl", "a") as file:
        for step in steps:
            loss = float(2 * np.exp(-fall * step / 20) + 0.05 * np.sin(step))
            terms = {"pixels": loss * 0.8, "size": loss * 0.2}
            record = {
                "kind": "train",
                "step": step,
                "stage": "train",
                "loss": loss,
                "terms": terms,
                "grad_norm": loss,
                "lr": {"main": 0.01},
            }
            file.write(json.dumps(record | {"time": time.time(), "timing": {"step_seconds": 0.05}}) + "\n")
            if step % 10 == 0:
                probe = dict.fromkeys(FEATURES, 0.7 + step / 400)
                file.write(json.dumps({"kind": "val", "step": step, "loss": loss + 0.1, "terms": terms, "probe": probe}) + "\n")


def write_demo(root: Path, seeds: int = 3) -> list[Path]:
    """Three arms of some seeds, as the demo leaves them."""
    arms = ("alignment", "orthogonality", "contrastive")
    return [write_run(root, name, seed, number=3 * seed + place) for seed in range(seeds) for place, name in enumerate(arms)]


if __name__ == "__main__":
    import sys

    write_demo(Path(sys.argv[1]))
