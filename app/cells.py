"""The notebook cell that redraws a page: the same functions, the same runs, the same numbers."""

from collections.abc import Mapping
from typing import Any

from app import alike, crossed, masks, state, told
from app.select import Selection

LATENT_SPACE = """\
import workbench as wb

feature, step = {feature!r}, {step}
runs = wb.compare([
{paths}
])
views = [runs.spectrum(feature, step), runs.history(feature, step)]
views += [runs.trajectory(name, feature, step) for name in ("participation_ratio", "feature_std", "offset", "probe")]
for view in views:
    view.figure.show()
print(*runs.verdict(feature, step), sep="\\n")
# seconds each: wb.open_run(path).direction(feature, step, 1), .measures(feature, step), .factors(feature, step), .towers(step), .depth(step)
"""
COMPARED = """\
for which in ("targets", "cosines"):
    wb.open_run({path!r}).compared(which, step).figure.show()
"""


def latent_space(chosen: Selection) -> str:
    """For the page Latent space."""
    paths = "\n".join(f"    {str(run.path)!r}," for run in chosen.runs)
    cell = LATENT_SPACE.format(feature=chosen.feature, step=chosen.step, paths=paths)
    return cell + "".join(COMPARED.format(path=str(run.path)) for run in chosen.runs if alike.able(run)) + subset(chosen)


SUBSET = """\
run, chosen = wb.open_run({path!r}), wb.query({name!r}, root={root!r})
for part in ("properties", "words", "spectrum"):
    run.subset(chosen, {feature!r}, {step}, part).figure.show()
"""


def subset(chosen: Selection) -> str:
    """The part of a cell about the set that the page obeys; empty where it obeys none."""
    if not chosen.query:
        return ""
    run = chosen.runs[0]
    return SUBSET.format(path=str(run.path), name=chosen.query.name, root=str(run.path.parent), feature=chosen.feature, step=chosen.step)


COMPARE = """\
import workbench as wb

feature, step = {feature!r}, {step}
first, *others = runs = [
{paths}
]
wb.compare(runs).spectrum(feature, step).figure.show()
wb.compare(runs).seeds(feature, step).figure.show()
for other in others or [first]:
    view = wb.compare([first, other]).difference(feature, step)
    view.figure.show()
    print(view.frame())
    for which in ("layers", "steps"):
        wb.compare([first, other]).alike(which, feature, step).figure.show()
"""


def compare(chosen: Selection) -> str:
    """For the page Compare."""
    paths = "\n".join(f"    {str(run.path)!r}," for run in chosen.runs)
    return COMPARE.format(feature=chosen.feature, step=chosen.step, paths=paths)


RECONSTRUCTION = """\
import workbench as wb

for path in [
{paths}
]:
    run = wb.open_run(path)
    reads = "FillsWords" in run.status["capabilities"]
    run.reconstruct({study}, {mask}, step={step}{film}).figure.show()
    if reads:
        run.reconstruct({study}, {mask}, step={step}{film}, report="both").figure.show()
        run.fill({study}, {hide}, step={step}{film}).figure.show()
"""


def film() -> str:
    """The film of a study with several, from 0, where it is not the first."""
    return f", film={state.get('film') - 1}" if (state.get("film") or 1) > 1 else ""


def reconstruction(chosen: Selection) -> str:
    """For the page Reconstruction."""
    held = masks.decoded(state.get("mask"))
    ratio = 75 if state.get("ratio") is None else min(100, state.get("ratio"))
    random = f"{ratio / 100}, seed={state.get('seed') or 0}"
    kinds = {"painted": repr(held[1]) if held else random, "region": repr(tuple(state.get("region") or ()))}
    return RECONSTRUCTION.format(
        paths="\n".join(f"    {str(run.path)!r}," for run in chosen.runs),
        study=repr(state.get("sample")),
        mask=kinds.get(state.get("hide"), random),
        hide=told.notebook(),
        film=film(),
        step=chosen.step if chosen.step >= 0 else "'last'",
    )


ZERO_SHOT = """\
import workbench as wb

for path in [
{paths}
]:
    wb.open_run(path).zero_shot(step={step}, split={split!r}).figure.show()
"""


def zero_shot(chosen: Selection) -> str:
    """For the page Zero-shot, with the data set's own prompts."""
    return ZERO_SHOT.format(
        paths="\n".join(f"    {str(run.path)!r}," for run in chosen.runs if "Projects" in (run.status.get("capabilities") or [])),
        step=chosen.step if chosen.step >= 0 else "'last'",
        split=state.get("split") if state.get("split") in ("val", "test") else "val",
    )


RETRIEVAL = """\
import workbench as wb

for path in [
{paths}
]:
    run = wb.open_run(path)
    print(run.retrieval(step={step}, feature={feature!r}).frame())
    view = run.search({query}, step={step}, feature={feature!r}, k={k})
    view.figure.show()
    print(view.frame())
"""


def retrieval(chosen: Selection) -> str:
    """For the page Retrieval: its numbers, and the search of the address."""
    find, study = state.get("find"), state.get("sample")
    query = f"text={find!r}" if find else f"study={study!r}" if study else "text='pleural effusion'"
    paths = "\n".join(f"    {str(run.path)!r}," for run in chosen.runs)
    return RETRIEVAL.format(paths=paths, step=chosen.step, feature=chosen.feature, query=query, k=state.get("k") or 12)


ATTENTION = """\
import workbench as wb

run = wb.open_run({path!r})
run.{verb}({arguments}, step={step}{film}).figure.show()
"""
WORDS = """\
for to in ("patches", "words"):
    run.attend({study}, word={word}{heads}, patch={patch}, to=to, step={step}{film}).figure.show()
"""


def attention(chosen: Selection) -> str:
    """For the page Attention: its first run, as the page shows it."""
    run, study = chosen.runs[0], repr(state.get("sample"))
    head = None if state.get("head") is None else state.get("head") + 1
    attends = "Attends" in (run.status.get("capabilities") or [])
    layer = "" if state.get("layer") is None else f", layer={state.get('layer') + 1}"
    at = chosen.step if chosen.step >= 0 else "'last'"
    cell = ATTENTION.format(
        path=str(run.path),
        verb="attend" if attends else "attribute",
        arguments=f"{study}{layer}, head={head}, patch={state.get('patch')}"
        if attends
        else f"{study}, {state.get('prompt') or 'effusion'!r}",
        film=film(),
        step=at,
    )
    return cell + words(study, at) if crossed.able(run) else cell


def words(study: str, step: int | str) -> str:
    """The part of the cell about words and patches."""
    counted = {key: None if state.get(key) is None else state.get(key) + 1 for key in ("fusion_layer", "fusion_head", "word")}
    heads = f", layer={counted['fusion_layer']}, head={counted['fusion_head']}"
    return WORDS.format(study=study, word=counted["word"] or 1, heads=heads, patch=state.get("patch"), step=step, film=film())


DATA = """\
import workbench as wb

data = wb.open_data({config})
data.prevalence().figure.show()
data.together().figure.show()
print(data.card().text())
{study}images = wb.grid(data)  # images.key is the study that was clicked last
images
"""
STUDY = """\
study = data.dataset[data.dataset.keys.index({key!r})]
print(*(text.text for text in study["texts"]), sep="\\n")
"""


def data(config: Mapping[str, Any], key: str | None) -> str:
    """For the page Data: its data set, and the study that is looked at."""
    return DATA.format(config=repr(dict(config)), study=STUDY.format(key=key) if key else "")


ATLAS = """\
import workbench as wb

run = wb.open_run({path!r})
run.map({feature!r}, {method!r}, step={step}).figure.show()
shown = run.widget({feature!r}, {method!r}, step={step}{colour})
shown  # draw a lasso on it; shown.keys are the studies inside
"""


def atlas(chosen: Selection) -> str:
    """For the page Map: its first run, or the one that is chosen there."""
    run = next((each for each in chosen.runs if each.id == state.get("map_of")), chosen.runs[0])
    feature = "image.projected+text.projected" if state.get("points") == "both" else chosen.feature
    colour = f", colour={state.get('colour')!r}" if state.get("colour") else ""
    cell = ATLAS.format(path=str(run.path), feature=feature, method=state.get("method") or "pca", step=chosen.step, colour=colour)
    return cell + subset(chosen)
