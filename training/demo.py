"""The demo: one small encoder, three ways of training it, and what became of its latent space."""

import itertools
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.progress import duration
from workbench.phantom import FINDINGS
from workbench.run import Run, RunConfig, create_run

ARMS = ("alignment", "orthogonality", "contrastive")
MORE = ("orthogonality-correlation",)
FEATURES = ("image.backbone", "image.projected")
STATISTICS = ("effective_rank", "participation_ratio", "uncentred_rank", "std")
SIZE, WIDTH = 32, 128
DATA = {"name": "phantoms", "level": "teaching", "size": SIZE, "train": 2200, "val": 800, "test": 0}
TOWERS = {"image_size": SIZE, "vision": "resnet_small", "width": WIDTH, "augment": "shift_gain"}


def arm_method(arm: str) -> dict[str, Any]:
    """The method of one arm: equal towers and projectors, another loss."""
    shared = {**TOWERS, "hidden": 256}
    if arm == "contrastive":
        return {"name": "clip", **shared, "projector": "mflag"}
    if arm == "alignment":
        return {"name": "mflag", **shared, "weights": {"alignment": 1.0, "orthogonality": 0.0}}
    if arm == "orthogonality":
        return {"name": "mflag", **shared, "orthogonality": "official", "weights": {"alignment": 1.0, "orthogonality": 1.0}}
    if arm == "orthogonality-correlation":
        return {"name": "mflag", **shared, "orthogonality": "correlation", "reduction": "mean"}
    return {"name": "supervised", **TOWERS, "labels": len(FINDINGS)}


def arm_config(arm: str, seed: int, steps: int) -> RunConfig:
    """The run of one arm and seed: data, order and start weights are equal across arms."""
    return RunConfig.model_validate(
        {
            "name": arm,
            "tags": ["demo"] if arm != "supervised" else ["demo", "reference"],
            "method": arm_method(arm),
            "data": {"phantoms": {"config": DATA}},
            "stages": [{"steps": steps}],
            "batch": 128,
            "seed": seed,
            "optimizers": {"main": {"lr": 1e-3, "warmup": min(10, steps), "schedule": "cosine"}},
            "device": "cpu",
            "checkpoint_every": max(steps // 2, 1),
            "validation": {"every": steps, "batches": 2},
            "snapshots": {"every": max(1, steps // 6)},
            "monitors": {
                "every": max(1, steps // 6),
                "studies": 4 * WIDTH,
                "probe_train": 1024,
                "features": list(FEATURES) if arm != "supervised" else [FEATURES[0]],
            },
        }
    )


def train_arm(config: RunConfig, root: Path, say: Any) -> tuple[Run, float]:
    """One ordinary run folder in this process."""
    from training.loop import train
    from training.setup import resolve

    start = time.perf_counter()
    run = create_run(resolve(config, "demo"), root)
    train(run, shared=True)
    seconds = time.perf_counter() - start
    say(f"  {config.name:<26} seed {config.seed}   {seconds:5.1f} s   {run.id}")
    return run, seconds


def statistic(look: Mapping[str, Any], untrained: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One number with its interval, isotropic ceiling and the untrained network's."""
    key = "feature_std" if name == "std" else name
    found = look[key]
    return {
        "value": found["value"],
        "low": found["low"],
        "high": found["high"],
        "ceiling": found.get("ceiling"),
        "untrained": untrained[key]["value"],
        **({"why": found["why"]} if found["low"] is None else {}),
    }


def arm_document(arm: str, seed: int, run: Run, seconds: float) -> dict[str, Any]:
    """What `demo --json` says of one run."""
    first, last = run.looks()[0], run.looks()[-1]
    start, end, probe = run.geometry(first), run.geometry(last), run.probe(last)
    features = {
        feature: {"n": end[feature]["n"], "d": end[feature]["d"], "spectrum": end[feature]["spectrum"]}
        | {name: statistic(end[feature], start[feature], name) for name in STATISTICS}
        for feature in FEATURES
    }
    read = {feature: {"macro_auroc": {key: probe[feature]["macro_auroc"][key] for key in ("value", "low", "high")}} for feature in FEATURES}
    return {"arm": arm, "seed": seed, "run": run.id, "seconds": round(seconds, 2), "features": features, "probe": read}


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def of(arms: Sequence[Mapping[str, Any]], arm: str, feature: str, name: str, field: str = "value") -> list[float]:
    """One number of every seed of an arm."""
    own = [each for each in arms if each["arm"] == arm]
    if name == "probe":
        return [each["probe"][feature]["macro_auroc"][field] for each in own]
    return [each["features"][feature][name][field] for each in own]


def summary(document: Mapping[str, Any]) -> str:
    """The closing table and two sentences: only what all seeds show."""
    arms, references = document["arms"], document["references"]
    present = list(dict.fromkeys(each["arm"] for each in arms))
    heads = ("arm", "feature", "directions in use", "uncentred rank", "scale", "probe AUROC")
    rows = []
    for arm in present:
        for feature in FEATURES:
            cells = [f"{mean(of(arms, arm, feature, name)):.3g}" for name in ("participation_ratio", "uncentred_rank", "std", "probe")]
            rows.append((arm, feature, *cells))
    for feature in FEATURES:
        cells = [
            f"{mean(of(arms, present[0], feature, name, 'untrained')):.3g}" for name in ("participation_ratio", "uncentred_rank", "std")
        ]
        rows.append(("untrained", feature, *cells, f"{references['untrained']:.3g}" if feature == FEATURES[0] else ""))
    ceiling = of(arms, present[0], FEATURES[0], "participation_ratio", "ceiling")[0]
    if ceiling is not None:
        rows.append(("isotropic ceiling", f"{arms[0]['features'][FEATURES[0]]['d']} wide", f"{ceiling:.3g}", "", "", ""))
    rows += [(name, "", "", "", "", f"{references[name]:.3g}") for name in ("pixels", "metadata", "supervised")]
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in [heads, *rows]]
    return "\n".join([*lines, "", *sentences(arms, references)])


def sentences(arms: Sequence[Mapping[str, Any]], references: Mapping[str, float]) -> list[str]:
    """What happened, in plain words; an order is claimed only where every seed shows it."""
    present = [arm for arm in ARMS if any(each["arm"] == arm for each in arms)]
    seeds = len([each for each in arms if each["arm"] == present[0]])

    def ranked(feature: str, name: str) -> tuple[list[str], bool]:
        values = {arm: of(arms, arm, feature, name) for arm in present}
        order = sorted(present, key=lambda arm: mean(values[arm]))
        held = all(values[low][seed] < values[high][seed] for low, high in itertools.pairwise(order) for seed in range(seeds))
        return order, held

    low, held = ranked("image.projected", "participation_ratio")
    parts = [f"{arm} {mean(of(arms, arm, 'image.projected', 'participation_ratio')):.3g}" for arm in low]
    back = [f"{arm} {mean(of(arms, arm, 'image.backbone', 'participation_ratio')):.3g}" for arm in low]
    width = arms[0]["features"]["image.projected"]["d"]
    start = mean(of(arms, present[0], "image.projected", "participation_ratio", "untrained"))
    order = "one seed only" if seeds == 1 else f"this order held in all {seeds} seeds" if held else "the order differs between seeds"
    first = (
        f"Of {width} projected directions, {', '.join(parts)} are in use after training (untrained {start:.3g}; {order}); "
        f"in the backbone {', '.join(back)}."
    )
    read, read_held = ranked("image.backbone", "probe")
    values = [f"{arm} {mean(of(arms, arm, 'image.backbone', 'probe')):.3g}" for arm in read]
    back_order, back_held = ranked("image.backbone", "participation_ratio")
    follows = "follows" if read == back_order and read_held and back_held else "does not simply follow"
    floor = f"untrained {references['untrained']:.3g}, pixels {references['pixels']:.3g}, supervised {references['supervised']:.3g}"
    second = f"A probe on the backbone reads {', '.join(values)} ({floor}): what can be read {follows} how many directions are in use."
    return [first, second]


def run_demo(root: Path, app: bool, more: bool, steps: int, seeds: int, port: int, as_json: bool) -> None:
    """Train every arm, with the app open where asked; print the table and the sentences, or the JSON document."""
    start = time.perf_counter()

    def say(text: str) -> None:
        print(text, file=sys.stderr if as_json else sys.stdout, flush=True)

    process = None
    if app:
        from training.launch import start_app

        process, address = start_app(root, port)
        say(f"The app is open at {address}; the runs appear there as they train.")
    say("Simulated chest X-rays, 32 px, level `teaching` (easy on purpose); one encoder, three losses.")
    arms: list[dict[str, Any]] = []
    chosen = ARMS + (MORE if more else ())
    for seed in range(seeds):
        for arm in chosen:
            run, seconds = train_arm(arm_config(arm, seed, steps), root, say)
            arms.append(arm_document(arm, seed, run, seconds))
    reference, _ = train_arm(arm_config("supervised", 0, steps), root, say)
    found = run.references()
    first = [Run(root / each["run"]) for each in arms if each["arm"] == ARMS[0]]
    untrained = mean([run.probe(run.looks()[0])["image.backbone"]["macro_auroc"]["value"] for run in first])
    document: dict[str, Any] = {
        "schema": 1,
        "seconds": round(time.perf_counter() - start, 1),
        "arms": arms,
        "references": {
            "pixels": found["pixels"]["macro_auroc"]["value"],
            "metadata": found["metadata"]["macro_auroc"]["value"],
            "untrained": untrained,
            "supervised": reference.probe(reference.looks()[-1])["image.backbone"]["macro_auroc"]["value"],
        },
    }
    if as_json:
        print(json.dumps(document, allow_nan=False))
    else:
        print("\n" + summary(document) + f"\n\n{duration(document['seconds'])} in all; the runs are in {root}")
    if process is not None:
        say(f"The app stays open at {address}; Ctrl-C ends it. `workbench app` opens it again.")
        process.wait()
