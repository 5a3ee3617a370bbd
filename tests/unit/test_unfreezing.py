"""Gradual unfreezing: stages that train the top layers of a text tower, exact to the bit."""

import itertools

import pytest
import torch

from tests.unit.test_text import small_bert  # noqa: F401
from training.layers import layers_of
from training.loop import Trainer
from training.setup import resolve, trained_names
from training.step import Stepper
from workbench.errors import UserError
from workbench.models import build_method
from workbench.run import RunConfig, create_run, without_timings

LAYER = "text.model.encoder.layer"
STAGES = [{"name": f"{count} layers", "steps": 2, "top_layers": {"text": count}} for count in (0, 1, 2)]


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    monkeypatch.setenv("WORKBENCH_PLUGINS", "tests.toys")


@pytest.fixture
def values(small_bert):  # noqa: F811
    tower = {"text": str(small_bert[0]), "text_trainable": True, "text_pooling": "report"}
    return {"name": "mflag", "image_size": 16, "width": 12, "hidden": 10, "dim": 9, "augment": "none", **tower}


def run_config(values, **more):
    base = {"method": values, "data": {"points": {"config": {"name": "tests.toys.points"}}}, "batch": 8, "stages": STAGES}
    return resolve(RunConfig.model_validate(base | {"device": "cpu", "checkpoint_every": 1, "monitors": {"studies": 0}} | more))


def test_the_top_layers_train_and_what_lies_beneath_does_not(values):
    method = build_method(values, 0)
    assert layers_of(method, "text") == [f"{LAYER}.0.", f"{LAYER}.1."]
    rest = {name for name, _ in method.named_parameters() if not name.startswith("text.")}
    assert set(trained_names(method, ("*",), {"text": 0})) == rest
    one = set(trained_names(method, ("*",), {"text": 1}))
    assert one - rest == {name for name, _ in method.named_parameters() if name.startswith(f"{LAYER}.1.")}
    two = set(trained_names(method, ("*",), {"text": 2}))
    assert two - one == {name for name, _ in method.named_parameters() if name.startswith(f"{LAYER}.0.")}
    assert "text.model.embeddings.word_embeddings.weight" in trained_names(method, ("*",), {})
    assert layers_of(method, "vision") == [f"vision.blocks.{place}." for place in range(3)]


def test_the_longest_list_of_equal_layers_is_the_tower():
    class Towers(torch.nn.Module):
        def __init__(self):
            super().__init__()
            lists = {"in": [torch.nn.ReLU(), torch.nn.Tanh(), torch.nn.ReLU(), torch.nn.Tanh()]}
            lists |= {"short": [torch.nn.Tanh()] * 2, "long": [torch.nn.Tanh()] * 3, "after": [torch.nn.Tanh()] * 2}
            self.tower = torch.nn.ModuleDict({name: torch.nn.Sequential(*each) for name, each in lists.items()})

    assert layers_of(Towers(), "tower") == [f"tower.long.{place}." for place in range(3)]


def test_layers_that_are_not_there_are_named(values):
    method = build_method(values, 0)
    for top, said in (
        ({"text": 3}, r"top_layers.text: 3 layers asked for, it has 2; lower the number"),
        ({"words": 1}, r"part 'words' is not in the method; the parts are \["),
        ({"image_projector": 1}, r"part 'image_projector' has no list of equal layers"),
    ):
        with pytest.raises(UserError, match=said):
            trained_names(method, ("*",), top)
    with pytest.raises(UserError, match="part 'text' is frozen whole; set text_trainable: true"):
        trained_names(build_method(values | {"text_trainable": False}, 0), ("*",), {"text": 1})
    assert RunConfig.model_json_schema()["$defs"]["Stage"]["properties"]["top_layers"]["additionalProperties"]["minimum"] == 0


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_stages_unfreeze_from_the_top_and_a_resume_is_exact(values, stop, tmp_path):
    """Stopped within a stage and at its end: the same numbers, the same weights to the bit."""
    runs = [create_run(run_config(values), tmp_path) for _ in range(2)]
    seen, weights, ends = [], [], []

    class Watched(Trainer):
        def train_step(self, batches):
            if self.run is runs[1] and self.step + 1 == stop:
                self.stopping = "asked"
            found = super().train_step(batches)
            layers = self.method.text.model.encoder.layer
            seen.append([layers[0].training, layers[1].training, self.method.text.model.embeddings.training])
            weights.append({name: value.detach().clone() for name, value in self.method.named_parameters()})
            return found

        def train(self):
            state = super().train()
            ends.append({name: value.clone() for name, value in self.method.state_dict().items()})
            return state

    assert Watched(runs[0], shared=True).train() == "finished"
    assert seen == [[False, False, False]] * 2 + [[False, True, False]] * 2 + [[True, True, False]] * 2
    moved = [{name for name in after if not torch.equal(after[name], before[name])} for before, after in itertools.pairwise(weights)]
    assert [any(name.startswith(f"{LAYER}.{layer}.") for name in each) for layer in (1, 0) for each in moved] == [
        *(False, True, True, True, True),
        *(False, False, False, True, True),
    ]
    assert not any(name.startswith("text.model.embeddings.") for each in moved for name in each)
    assert Watched(runs[1], shared=True).train() == "stopped"
    assert Watched(runs[1], shared=True, resume=True).train() == "finished"
    a, b = ([each for each in without_timings(run.metrics()) if each["kind"] == "train"] for run in runs)
    assert a == b and len(a) == 6
    assert all(torch.equal(ends[0][name], ends[2][name]) for name in ends[0])


def test_frozen_layers_have_no_gradient_and_no_moments(values, tmp_path, monkeypatch):
    held, update = [], Stepper._update

    def watched(self, name, logged):
        held.append({name for name, value in self.method.named_parameters() if value.grad is not None})
        return update(self, name, logged)

    monkeypatch.setattr(Stepper, "_update", watched)
    trainer = Trainer(create_run(run_config(values, stages=STAGES[:2]), tmp_path), shared=True)
    trainer.train()
    assert not any(name.startswith("text.") for name in held[0])
    assert {name.removeprefix(f"{LAYER}.").split(".")[0] for name in held[2] if name.startswith("text.")} == {"1"}
    kept = {name for group in trainer.optimizers["main"].param_groups for name in group["names"]}
    assert kept and not any(name.startswith((f"{LAYER}.0.", "text.model.embeddings.")) for name in kept)
