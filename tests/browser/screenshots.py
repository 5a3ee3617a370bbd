"""The pictures of README, from a folder of runs on phantoms: `python -m tests.browser.screenshots RUNS [docs/screenshots]`."""

import json
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.browser.serving import REPOSITORY, Watched, app, chromium
from workbench.run import Run

SIZE = {"width": 1440, "height": 900}
PAGES = {  # picture -> page, and the capability its run must have ("" for the demo's arms)
    "runs": ("", ""),
    "live": ("live", ""),
    "latent-space": ("latent_space", ""),
    "compare": ("compare", ""),
    "map": ("map", ""),
    "retrieval": ("retrieval", "Projects"),
    "launch": ("launch", ""),
    "zero-shot": ("zero_shot", "Projects"),
    "reconstruction": ("reconstruction", "Reconstructs"),
    "attention": ("attention", "Attends"),
    "data": ("data", ""),
}
WHOLE = ("latent-space", "compare", "retrieval", "reconstruction", "attention", "zero-shot", "data")  # pictured down to the footer
DRAWN = {  # what is there when a page whose work leaves it is whole
    "latent-space": ".st-key-map .scatterlayer .points path",
    "compare": ".st-key-alike_steps .scatterlayer .points path",
    "map": ".verdict",
}
ALLOWED = "phantoms"  # only simulated films are shown in public


def arms(root: Path) -> list[Run]:
    """The newest run of each setting that was looked at, oldest setting first; raises SystemExit where data may not be shown."""
    runs = [Run(path.parent) for path in sorted(root.glob("*/status.json"))]
    for run in runs:
        names = {source["config"]["name"] for source in run.config["data"].values()}
        if names != {ALLOWED}:
            raise SystemExit(f"{run.id}: was trained on {', '.join(sorted(names))}; only {ALLOWED} may be shown in screenshots")
    shown = {run.title: run for run in runs if run.looks() and set(run.config.get("tags", [])) == {"demo"}}
    return sorted(list(shown.values())[:3], key=lambda run: run.id)


def able(root: Path, capability: str) -> list[Run]:
    """The newest run that has a capability."""
    runs = [Run(path.parent) for path in sorted(root.glob("*/status.json"), reverse=True)]
    return [run for run in runs if capability in run.status.get("capabilities", [])][:1]


def positive(run: Run) -> str:
    """A study of the last look with some findings: two, or what is nearest to that, so that the picture is not mostly report."""
    from workbench.datasets import load_dataset

    dataset = load_dataset(next(iter(run.config["data"].values()))["config"])
    place = {key: index for index, key in enumerate(dataset.keys)}
    keys = run.embeddings(next(iter(run.geometry(run.looks()[-1]))), run.looks()[-1]).keys
    return min(keys, key=lambda key: (abs(float(dataset.labels[place[key]].sum()) - 2), key))


def main() -> None:
    root = Path(sys.argv[1]).resolve()
    target = Path(sys.argv[2] if len(sys.argv) > 2 else REPOSITORY / "docs/screenshots")
    target.mkdir(parents=True, exist_ok=True)
    runs = arms(root)
    with tempfile.TemporaryDirectory() as folder, app(root, Path(folder) / "app.log") as address, chromium(viewport=SIZE) as context:
        for name, (path, capability) in PAGES.items():
            chosen = able(root, capability) if capability else runs
            if not chosen:
                print(f"{name}: no run here has {capability}, not pictured", file=sys.stderr)
                continue
            watched = Watched(context.new_page(), address)
            watched.page.set_default_timeout(240_000)
            more = [("start", "mflag-phantoms")] if name == "launch" else [("sample", positive(chosen[-1]))]
            watched.open(path, [*(("run", run.id) for run in chosen), *more])
            page = watched.page
            if sign := DRAWN.get(name, ".verdict" if capability else ""):
                page.wait_for_selector(sign)
            watched.settle()
            page.wait_for_function("!document.querySelector('[data-testid=stProgress]')")  # no job is at work
            page.wait_for_function(
                "[...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(each => each.querySelector('.main-svg'))"
            )
            if name in WHOLE:
                page.set_viewport_size(SIZE | {"height": page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")})
            watched.settle()
            page.wait_for_timeout(4000 if capability or name in WHOLE else 1500)
            page.mouse.move(5, 5)
            page.screenshot(path=target / f"{name}.png")
            small(target / f"{name}.png")
            page.close()
    print(json.dumps({path.name: path.stat().st_size for path in sorted(target.glob("*.png"))}))


def small(path: Path) -> None:
    """256 colours where the file is too large for a README."""
    if path.stat().st_size < 290_000:
        return
    with Image.open(path) as picture:
        reduced = picture.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)


if __name__ == "__main__":
    main()
