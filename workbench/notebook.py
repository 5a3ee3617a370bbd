"""The front door: every figure of the app as a function that returns its data and its figure.

>>> run = wb.open_run("20260101-120000-mflag-phantoms-1a2b")
>>> run.spectrum("image.projected", step=150)
>>> wb.compare(["alignment", "contrastive"]).trajectory("participation_ratio", "image.projected")
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from workbench import described, progress, queries, registry
from workbench import run as runs_on_disk
from workbench.analysis import across as pairs
from workbench.analysis import claims as told
from workbench.analysis import directions as meanings
from workbench.analysis import factors as probes
from workbench.analysis import falls, looks, metrics, projection
from workbench.analysis import prevalence as common
from workbench.analysis import reconstruction as painted
from workbench.analysis.seeds import arms
from workbench.config import read_yaml
from workbench.datasets import load_dataset
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.figures import across as beside
from workbench.figures import answers, collapse, spectra
from workbench.figures import attention as heads
from workbench.figures import attribution as gradients
from workbench.figures import compared as matched
from workbench.figures import crossing as crossed
from workbench.figures import directions as ends
from workbench.figures import factors as readings
from workbench.figures import filling as guessed
from workbench.figures import metrics as curves
from workbench.figures import prevalence as totals
from workbench.figures import projection as maps
from workbench.figures import reconstruction as films
from workbench.figures import retrieved as ranked
from workbench.figures import towers as sides
from workbench.figures import zeroshot as forests
from workbench.figures.theme import LIGHT, Palette
from workbench.run import Run, RunConfig, find_run, read_json

Step = int | Literal["last"]


class View(NamedTuple):
    """What was computed, its Plotly figure, and the drawn numbers as rows; Jupyter shows the figure."""

    data: Any
    figure: Any
    rows: Sequence[Mapping[str, Any]] = ()

    def frame(self) -> Any:
        """The drawn numbers as a pandas DataFrame: the table under the app's Details."""
        import pandas

        return pandas.DataFrame([dict(row) for row in self.rows])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self.figure._repr_mimebundle_(include, exclude)


class Runs:
    """Several runs seen together; seeds of one setting share a colour and a name."""

    def __init__(self, runs: Sequence[Run], palette: Palette = LIGHT) -> None:
        if not runs:
            raise UserError("no run given; `workbench.list_runs()` lists what there is")
        self.runs, self.palette = list(runs), palette
        self.labels = {run.id: arm.label for arm in arms(self.runs) for run in arm.runs}
        self.slots = {label: place for place, label in enumerate(dict.fromkeys(self.labels.values()))}

    def spectrum(self, feature: str, step: Step = "last") -> View:
        """Singular values of the probe set's features beside the isotropic cloud of equal (N, d) and the untrained network."""
        found = looks.overlay(self.runs, feature, self._step(feature, step), self.labels, self._seen())
        if found is None:
            raise UserError(f"no look of {feature} up to step {step}; the first is at step {min(self._steps(feature))}")
        return View(found, spectra.overlay(found, self.slots, self.palette, f"Spectrum of {feature}"), spectra.rows(found))

    def history(self, feature: str, step: Step = "last") -> View:
        """Singular values of every look as a heat map, one panel a setting."""
        at = self._step(feature, step)
        every = [looks.history(run, feature, self.labels[run.id], self._seen()[run.id]) for run in self.runs]
        first = {each.label: each for each in reversed(every) if each}
        found = [first[label] for label in self.slots if label in first]
        figure = spectra.heat(found, at, self.slots, self.palette, f"Directions of {feature} over training")
        return View(found, figure, spectra.history_rows(found))

    def trajectory(self, statistic: str, feature: str, step: Step = "last") -> View:
        """One statistic over training with intervals and references; `probe` is what a ridge reads."""
        known = list(collapse.PANELS)
        if statistic not in known:
            raise UserError(f"no statistic {statistic!r}; there are {', '.join(known)}")
        at = self._step(feature, step)
        every = [looks.trajectory(run, feature, statistic, self.labels[run.id], self._seen()[run.id]) for run in self.runs]
        found = [each for each in every if each]
        if not found:
            raise UserError(f"{statistic} of {feature} was not measured in these runs; set monitors.probe_train above 0 for probes")
        return View(found, collapse.panel(found, at, self.slots, self.palette), collapse.rows(found))

    def verdict(self, feature: str, step: Step = "last") -> list[falls.Fall]:
        """Per setting: whether the directions in use fell, from where to where, between which steps."""
        at, found = self._step(feature, step), []
        for label in self.slots:
            own = [looks.sequence(run, looks.FOREVER, feature) for run in self.runs if self.labels[run.id] == label]
            if any(own):
                found.append(falls.fall(label, [each for each in own if each], at))
        return found

    def seeds(self, feature: str, step: Step = "last") -> View:
        """Rank, scale, offset and probe at one step: every run a point, a row a setting."""
        at, seen = self._step(feature, step), self._seen()
        found = [
            [each for run in self.runs if (each := looks.trajectory(run, feature, name, self.labels[run.id], seen[run.id]))]
            for name in collapse.MULTIPLES
        ]
        measured = [each for each in found if each]
        rows = [row for each in measured for row in collapse.rows(each)]
        return View(measured, beside.seeds(measured, at, self.slots, self.palette), rows)

    def difference(self, feature: str, step: Step = "last") -> View:
        """Statistics of every run less those of the first on the same studies, with jackknifed intervals; a run alone against its first look."""
        found = self._across(feature, step)
        slots = {name: place for place, name in enumerate(found)}
        return View(found, beside.differences(found, slots, self.palette), beside.rows(found))

    def alike(
        self, which: Literal["layers", "steps"], feature: str, step: Step = "last", measure: pairs.Name = "debiased_cka"
    ) -> View:  # fmt: skip
        """How alike the layers, or the steps, of the first and the second run are (a run alone: with itself), each value beside its chance."""
        name, found = next(iter(self._across(feature, step, measure).items()))
        of = found.layers if which == "layers" else found.steps
        title = f"{which.capitalize()} of {self.runs[0].title} and {name}"
        return View(found, beside.alike(of, found.measure, self.palette, title, (self.runs[0].title, name), found.n), beside.grid_rows(of))

    def _across(self, feature: str, step: Step, measure: pairs.Name = "debiased_cka") -> dict[str, pairs.Across]:
        first, at = self.runs[0], self._step(feature, step)
        others = self.runs[1:] or [first]
        return {f"{self.labels[run.id]} · {run.id[-4:]}": pairs.of_runs(first, run, feature, at, measure) for run in others}

    def curves(self, key: str = "loss") -> View:
        """One metric of all runs with chance and trivial levels; `.keys()` lists the metrics."""
        tails = [metrics.Tail(run).read() for run in self.runs]
        wanted = [each for each in dict.fromkeys(each for tail in tails for each in tail.known()) if str(each) == key]
        if not wanted:
            raise UserError(f"no metric {key!r}; there are {', '.join(self.keys())}")
        found = metrics.of_runs(tails, wanted, self.labels)[0]
        slots = {run.id: self.slots[self.labels[run.id]] for run in self.runs}
        return View(found, curves.curves(found, slots, self.palette), curves.rows(found))

    def keys(self) -> list[str]:
        """Names of all metrics of these runs."""
        return list(dict.fromkeys(str(key) for run in self.runs for key in metrics.Tail(run).read().known()))

    def _seen(self) -> dict[str, list[int]]:
        return {run.id: run.looks() for run in self.runs}

    def _steps(self, feature: str) -> list[int]:
        known = {name for run in self.runs for name, shape in run.status.get("features", {}).items() if shape == "b d"}
        if feature not in known:
            raise UserError(f"no feature {feature!r} in these runs; the features are {', '.join(sorted(known)) or 'not known yet'}")
        steps = sorted({step for run in self.runs for step in run.looks()})
        if not steps:
            raise UserError(f"{self.runs[0].id}: no looks yet; wait for the first, or set monitors.studies above 0")
        return steps

    def _step(self, feature: str, step: Step) -> int:
        steps = self._steps(feature)
        return steps[-1] if step == "last" else int(step)


class RunView(Runs):
    """One run: what lies in its folder, its figures, its method."""

    def __init__(self, run: Run, palette: Palette = LIGHT) -> None:
        super().__init__([run], palette)
        self.run = run

    def __repr__(self) -> str:
        return f"<run {self.run.id}: {progress.line(self.run.status)}>"

    def _repr_html_(self) -> str:
        return progress.card(self.run.id, self.run.status)

    def watch(self, every: float = 2.0, curve: str = "loss") -> "RunView":
        """Show progress and a curve until the run ends, renewed every so many seconds; an interrupt ends the watching, not the run."""
        progress.watch(self.run, every, lambda: self.curves(curve).figure if curve in self.keys() else None)
        return self

    @property
    def status(self) -> dict[str, Any]:
        return self.run.status

    @property
    def config(self) -> dict[str, Any]:
        return self.run.config

    def metrics(self) -> list[dict[str, Any]]:
        """Every record, in step order."""
        return self.run.metrics()

    def geometry(self, feature: str, step: Step = "last") -> dict[str, Any]:
        """Ranks, scale and offset of one look with intervals and ceilings, as stored."""
        return self.run.geometry(self._step(feature, step))[feature]

    def probe(self, feature: str, step: Step = "last") -> dict[str, Any]:
        """What a ridge probe reads at one look: macro and per label."""
        return self.run.probe(self._step(feature, step)).get(feature, {})

    def embeddings(self, feature: str, step: Step = "last") -> Embeddings:
        """The probe set's features at one look."""
        return self.run.embeddings(feature, self._step(feature, step))

    def map(
        self, feature: str, method: projection.Method = "pca", step: Step = "last", seed: int = 0, label: str = ""
    ) -> View:  # fmt: skip
        """The probe set in the plane, coloured by a label, with its quality beside chance. `feature` may be "image.projected+text.projected": both
        towers. What takes longer than a PCA is computed here unless the worker already did, and kept with the run (umap-learn compiles itself
        the first time, a minute; reports of a look that stored none load torch)."""
        from workbench.mapping import of_view

        at = self._step(feature if feature != projection.JOINT else projection.IMAGE, step)
        found, states = of_view(self.run, feature, at, method, seed, lambda look: self._pair(look)), None
        if label:
            dataset = self.dataset()
            if label not in dataset.label_names:
                raise UserError(f"no label {label!r}; the labels are {', '.join(dataset.label_names)}")
            row = {key: place for place, key in enumerate(dataset.keys)}
            states = dataset.labels[[row[key] for key in found.keys], list(dataset.label_names).index(label)]
        figure = maps.plane(found, states, label, None, palette=self.palette, title=f"{feature}, step {found.step}")
        return View(found, figure, maps.rows(found, found.keys))

    def widget(
        self, feature: str, method: projection.Method = "pca", step: Step = "last", seed: int = 0, colour: str = ""
    ) -> Any:  # fmt: skip
        """The same map as a widget to fly through, coloured by a column of the data or "neighbours the map lost": `.keys` are the studies inside
        the lasso that was drawn last, `.selection` is its polygon, `.select(keys)` shows a set."""
        from workbench.widget import of_map

        return of_map(self.run, self.map(feature, method, step, seed).data, self.dataset(), colour, seed)

    def _pair(self, step: int) -> tuple[Embeddings, Embeddings]:
        from workbench.closing import computed

        return computed(self.run, step, self.dataset(), self.method(step))

    def factors(self, feature: str, step: Step = "last") -> View:
        """Which factor of the data can still be read from a feature at one look, beside pixels and the untrained network."""
        found = probes.of_run(self.run, feature, self._step(feature, step), self.dataset())
        name = self.run.title
        return View(
            found, readings.forest({name: found}, {name: 0}, self.palette, readings.title(name, found)), readings.rows({name: found})
        )

    def direction(self, feature: str, step: Step = "last", number: int = 1, which: Literal["orders", "life"] = "orders") -> View:
        """What a singular direction of a feature means: the factors it `orders`, or its `life` over the looks. `.data` holds the first six, with
        the studies and words at their ends."""
        found = meanings.of_run(self.run, feature, self._step(feature, step), self.dataset())
        if not 1 <= number <= len(found.directions):
            raise UserError(f"no direction {number} here: they are counted from 1 to {len(found.directions)}")
        draw, rows = (ends.orders, ends.rows) if which == "orders" else (ends.life, ends.life_rows)
        return View(found, draw(found, found.directions[number - 1], self.palette.of(0), self.palette), rows(found))

    def towers(self, step: Step = "last", way: Literal["closing", "walk"] = "closing") -> View:
        """How images and reports lie to each other at one look, and what closing the gap does to retrieval and zero-shot; `way="walk"`: what
        moving the reports alone along it does, to one and a half of it (loads torch)."""
        from workbench.closing import of_run

        at = self._step("image.projected", step)
        found = of_run(self.run, at, self.dataset(), lambda: self.method(at))
        draw, rows = (sides.closing, sides.rows) if way == "closing" else (sides.walk, sides.walk_rows)
        return View(found, draw(found, self.palette.of(0), self.palette), rows(found))

    def depth(self, step: Step = "last", which: Literal["panels", "alike"] = "panels") -> View:
        """Rank, offset and probe after every block of the image tower, or how `alike` the blocks are (loads torch)."""
        from workbench.depth import seen

        return View(*seen(self.run, step, which, self.palette))

    def retrieval(self, step: Step = "last", feature: str = "image.projected") -> View:
        """How well images find their reports, reports their images, and images others with the same labels, at one look; a method of one tower
        is ranked by `feature`. `.data` holds every label, rank and hub (loads torch)."""
        from workbench.retrieving import of_run

        name = self.run.title
        found = of_run(self.run, self._step(feature, step), feature, self.dataset(), self.method)
        return View(found, ranked.overview({name: found}, {name: 0}, self.palette), ranked.rows({name: found}))

    def search(
        self, text: str | None = None, study: str | None = None, image: Any = None, step: Step = "last",
        feature: str = "image.projected", k: int = 12,
    ) -> View:  # fmt: skip
        """The images and reports of one look nearest to words, a study's key, or an image (h w) uint8, among what is usual (loads torch)."""
        from workbench.searching import Query, of_run

        found = of_run(self.run, self._step(feature, step), feature, Query(text, study, image), self.dataset(), self.method, k)
        return View(found, answers.among_usual(found, self.palette, self.palette.of(0)), answers.answer_rows(found))

    def query(self, **criteria: Any) -> queries.Query:
        """The studies of this run's data inside a lasso, where a column is something, near a study, and so on: see `wb.query`."""
        return queries.query(self.run, **criteria)

    def subset(self, query: queries.Query, feature: str, step: Step = "last", part: described.Part = "properties") -> View:
        """What separates a set of studies from the others of a look: `properties` or `words`, or its own `spectrum`. `.data` holds all."""
        found = described.of_look(query, self.run, feature, self._step(feature, step), self.dataset())
        return View(*described.seen(found, part, self.palette))

    def measures(self, feature: str, step: Step = "last", over_n: str = "") -> View:
        """Every measure of one feature beside an isotropic cloud, the untrained network and pixels; `over_n` names one to be drawn over the
        number of rows. `.data` holds all features and classes (loads torch)."""
        from workbench.measuring import seen

        return View(*seen(self.run, feature, self._step(feature, step), over_n, self.palette))

    def dataset(self) -> Any:
        """The data set of the run's first source."""
        return load_dataset(self.run.source[1], self.run.id)

    def method(self, checkpoint: Step = "last") -> Any:
        """The trained method at a snapshot, in eval mode (loads torch)."""
        from workbench.models import load_method

        return load_method(self.run, checkpoint)

    def reconstruct(
        self,
        study: str | None = None,
        mask: float | Sequence[int] | Sequence[str] = 0.75,
        seed: int = 0,
        step: Step = "last",
        image: Any = None,
        film: int = 0,
        report: Literal["with", "without", "both"] = "with",
    ) -> View:
        """What the method paints into hidden patches, beside four guesses: `mask` is a share, numbers of patches, or names of organs and
        findings of the study; `film` counts from 0; `image` (h w) uint8 takes the study's place. `report="both"`: with and without the
        report beside each other, for a method that reads it (loads torch)."""
        from workbench.painting import of_run

        found = [
            of_run(self.run, study, mask, seed, step, image, film, told == "with")
            for told in ("with", "without")
            if report in (told, "both")
        ]
        first, last = found[0], found[-1]
        if report == "both":
            return View((first, last), films.beside(first, last, self.palette), films.beside_rows(first, last))
        return View(first, films.row(first, self.palette, self.run.title), films.rows(first))

    def set_skill(self, query: queries.Query, ratio: float = 0.75, step: Step = "last") -> painted.SetSkill:
        """Are the films of a set painted as well as others? Films of validation and test alone, one mask for all (loads torch)."""
        from workbench.painting import of_set

        at, dataset = self.run.snapshot_step(step), self.dataset()
        return of_set(self.method(at), dataset, *painted.unseen(dataset, query.keys), self.run.id, at, ratio)

    def fill(self, study: str | None = None, hide: float | Sequence[int] = 0.3, seed: int = 0, step: Step = "last", film: int = 0) -> View:
        """Which hidden words of a report the method guesses beside its image, an empty film and another's image: `hide` is a share of the
        tokens, or numbers of words from 0 (loads torch)."""
        from workbench.filling import of_run

        found = of_run(self.run, study, hide, seed, step, film)
        return View(found, guessed.words(found, self.palette), guessed.rows(found))

    def attend(
        self, study: str | None = None, step: Step = "last", layer: int | None = None, head: int | None = None,
        patch: int | None = None, image: Any = None, film: int = 0, word: str | int | None = None, to: Literal["patches", "words"] = "patches",
    ) -> View:  # fmt: skip
        """Exact attention in one image over its film: `layer` from 1 (the last), `head` from 1 (their mean), from a patch's number (the
        class token); the slider changes the map's opacity. `.data` holds all maps, entropy and distance. `word`, its spelling or number
        from 1: where a word of the report looks; `to="words"`: which words a patch looks at, at first the one `word` sees most (loads torch)."""
        if word is not None or to == "words":
            return self._cross(study, step, layer, head, patch, image, film, word, to)
        from workbench.attending import of_run

        found = of_run(self.run, study, step, image, film)
        at, of, query = heads.places(found, layer, head, patch)
        return View(found, heads.look(found, at, of, query, self.palette, slider=True), heads.look_rows(found, at, of, query))

    def _cross(
        self, study: str | None, step: Step, layer: int | None, head: int | None, patch: int | None, image: Any, film: int,
        word: str | int | None, to: Literal["patches", "words"],
    ) -> View:  # fmt: skip
        from workbench.crossing import of_run

        if image is not None:
            raise UserError("attend: an image that is handed in comes without words; name a study")
        found = of_run(self.run, study, step, film)
        at, of, chosen, seen = crossed.places(found, layer, head, word, patch)
        if to == "words":
            return View(found, crossed.patch(found, at, of, seen, self.palette), crossed.patch_rows(found, at, of, seen))
        return View(found, crossed.word(found, at, of, chosen, patch, self.palette, slider=True), crossed.word_rows(found, at, of, chosen))

    def compared(self, which: Literal["targets", "cosines"] = "cosines", step: Step = "last", studies: int = 48) -> View:
        """A validation batch as the contrast compares it: its soft targets, or the cosines of images and reports, with the top singular
        pair; for methods with semantic targets (loads torch)."""
        from workbench.comparing import of_run

        found = of_run(self.run, step, studies)
        return View(found, matched.matrix(found, which, self.palette, found.keys), matched.rows(found, which, found.keys))

    def attribute(self, study: str | None, target: str, step: Step = "last", image: Any = None, film: int = 0) -> View:
        """Grad-CAM, or integrated gradients where the tower has no last map, of a prompt's cosine or a label's logit (loads torch)."""
        from workbench.attributing import of_run

        found = of_run(self.run, study, target, step, image, film)
        figure = (gradients.gradients if found.cam is None else gradients.cam)(found, self.palette, slider=True)
        return View(found, figure, gradients.rows(found))

    def features(self, names: Sequence[str] = (), step: Step = "last", split: Literal["train", "val", "test"] = "val") -> Any:
        """Embeddings of a whole split at a snapshot, per feature (loads torch)."""
        from workbench.features import features

        return features(self.run, names, step, split)

    def zero_shot(
        self,
        prompts: Any = None,
        step: Step = "last",
        split: Literal["train", "val", "test"] = "val",
        mode: Literal["findings", "classes"] = "findings",
    ) -> View:
        """What prompts read: a bank (label -> {"positive": [...], "negative": [...]}), a YAML file of one, or the data set's own (loads torch)."""
        from workbench.evaluation import zero_shot

        found, levels = zero_shot.seen(self.run, prompts, step, split, mode)
        title = f"{self.run.title}: {len(found.names)} findings"
        figure = forests.forest({self.run.title: found}, {self.run.title: 0}, references=levels, palette=self.palette, title=title)
        return View(found, figure, found.rows())


class DataView:
    """A data set seen as a whole: how common its labels are, which come together, its card. `.dataset[index]` is one study."""

    def __init__(self, dataset: Any, palette: Palette = LIGHT) -> None:
        self.dataset, self.palette = dataset, palette

    def prevalence(self) -> View:
        """The share of the studies in which each label is present, by split, with intervals over patients."""
        splits = {name: self.dataset.split(name) for name in ("train", "val", "test")}
        given = {name: rows for name, rows in splits.items() if len(rows)}
        found = common.prevalence(self.dataset.labels, self.dataset.label_names, self.dataset.patients, given)
        return View(found, totals.shares(found, self.palette, totals.shares_title(found)), totals.share_rows(found))

    def together(self) -> View:
        """How often each label is present where another is."""
        found = common.together(self.dataset.labels, self.dataset.label_names)
        return View(found, totals.pairs(found, self.palette, totals.pairs_title(found)), totals.pair_rows(found))

    def card(self) -> Any:
        """What is in it, as counts; `print(….text())` reads well."""
        from workbench.ingest.card import card

        return card(self.dataset)


def open_data(config: Mapping[str, Any] | str | Path) -> DataView:
    """The data set of a `{name: …}` mapping, or the first of a recipe's name or YAML file."""
    if isinstance(config, Mapping):
        return DataView(load_dataset(config, "open_data"))
    data = recipe(config).get("data") or {}
    if not data:
        raise UserError(f"{config}: names no data set; give a recipe that has one, or a mapping with `name`")
    return DataView(load_dataset(next(iter(data.values()))["config"], str(config)))


def recipe(name: str | Path) -> dict[str, Any]:
    """The values of a recipe by its name, or of a YAML file."""
    from workbench.jobs import REPOSITORY

    path = Path(name) if str(name).endswith((".yaml", ".yml")) else REPOSITORY / "training" / "recipes" / f"{name}.yaml"
    return {key: value for key, value in read_yaml(path).items() if key != "smoke"}


def open_run(path_or_id: str | Path, root: str | Path | None = None) -> RunView:
    """A run by folder, identifier, the end of its identifier, or its name where that is unique."""
    return RunView(find_run(path_or_id, root))


def compare(runs: Sequence[str | Path | RunView], root: str | Path | None = None) -> Runs:
    """Several runs seen together."""
    return Runs([each.run if isinstance(each, RunView) else find_run(each, root) for each in runs])


def list_runs(root: str | Path | None = None) -> list[dict[str, Any]]:
    """Status of every run, newest first."""
    return runs_on_disk.list_runs(root)


def launch(config: RunConfig | dict[str, Any] | str | Path, root: str | Path | None = None) -> RunView:
    """Put a run into the queue, and start the supervisor that serves it where none lives; the run outlives the notebook.

    `config` is a recipe's name, a YAML file, a mapping or a RunConfig; `.watch()` of what comes back follows it.
    """
    from workbench.jobs import start_queue

    if isinstance(config, str | Path):
        config = recipe(config)
    parsed = config if isinstance(config, RunConfig) else RunConfig.parse(config, "launch")
    run = runs_on_disk.request_launch(parsed, root, device=parsed.device)
    start_queue(run.path.parent)
    return RunView(run)


def claims(record: str | Path | None = None) -> Any:
    """docs/claims.yaml as a pandas DataFrame, a row a claim, with results from a record: docs/results/claims.json unless another is named.

    What did not run, or was written anew since, reads `not run`. Gains are towards better.
    """
    import pandas

    from workbench.jobs import REPOSITORY

    path = REPOSITORY / "docs/results/claims.json" if record is None else Path(record)
    found = read_json(path) if record is not None or path.is_file() else {}
    return pandas.DataFrame(told.rows(told.written(read_yaml(REPOSITORY / "docs/claims.yaml")), found))


def grid(
    of: RunView | DataView | Any,
    keys: Sequence[str] | None = None,
    columns: Mapping[str, Sequence[Any]] | None = None,
    films: bool | None = None,
) -> Any:
    """Studies of a run's data set, of open_data(…) or of a data set as a grid of thumbnails, sorted by any of `columns` (numbers, words or lists
    of words, one a key; at first what the data set knows of them). `.key` is the clicked study. Films of sets whose terms are not open are shown with `films=True` only."""
    from workbench.gridwidget import widget

    dataset = of.dataset() if isinstance(of, RunView) else of.dataset if isinstance(of, DataView) else of
    return widget(dataset, keys, columns, films)


def method_names() -> tuple[str, ...]:
    """Names of the methods; not `methods`, which is the folder they lie in."""
    return registry.names("methods")


def method_card(name: str, parameters: bool = False) -> Any:
    """The card of a method: equation, fields and the sources of their defaults, what was left open, recipes, results (loads torch).

    `print(wb.method_card("mflag"))` reads well; `parameters` counts them at the published sizes, too.
    """
    from workbench.cards import method_card

    return method_card(name, parameters)


def dataset_names() -> tuple[str, ...]:
    """Names of the data sets."""
    return registry.names("data")
