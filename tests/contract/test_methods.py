"""What every method promises, checked on every method file found and on the toys."""

import fnmatch

import numpy as np
import pytest
import torch
import yaml

from workbench import registry
from workbench.batches import Address, Rows, collate
from workbench.method import capabilities, group_of
from workbench.models import build_method, method_class, method_config

TOYS = [f"tests.toys.{name}" for name in ("line", "adversarial", "three_passes", "two_sources", "two_images")]
SMALL = {
    "clip": {"image_size": 32, "vision": "resnet_small", "hidden": 24, "dim": 20},
    "mae": {
        "image_size": 32,
        "patch_size": 8,
        "width": 24,
        "depth": 2,
        "heads": 3,
        "decoder_width": 16,
        "decoder_depth": 2,
        "decoder_heads": 2,
    },
    "medflip": {
        "image_size": 32,
        "patch_size": 8,
        "width": 24,
        "depth": 2,
        "heads": 3,
        "decoder_width": 16,
        "decoder_depth": 2,
        "decoder_heads": 2,
        "dim": 20,
    },
    "mflag": {"image_size": 32, "vision": "resnet_small", "hidden": 24, "dim": 20},
    "supervised": {"image_size": 32, "vision": "resnet_small", "labels": 13},
}
PAIR = {"image_size": 32, "width": 24, "depth": 2, "heads": 3, "text_width": 20, "text_depth": 1, "text_heads": 2, "fusion_width": 16}
PAIR |= {"fusion_depth": 2, "fusion_heads": 2}
SMALL["m3ae"] = PAIR | {"decoder_width": 16, "decoder_heads": 2}
SMALL["m3ae_vqa"] = PAIR | {"answers": ["no", "yes", "PA", "AP", "left", "right"]}
SMALL["m3ae_classify"] = PAIR | {"labels": 13}
SMALL["m3ae_retrieve"] = PAIR | {"false_texts": 3}
METHODS = [*registry.names("methods"), *TOYS]


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    monkeypatch.setenv("WORKBENCH_PLUGINS", "tests.toys")


@pytest.fixture(params=METHODS)
def name(request):
    return request.param


def values(name):
    return {"name": name, **SMALL.get(name, {})}


def batch_of(name, studies=12):
    """A batch from the toy data for toys, from phantoms for methods."""
    chosen, config = method_config(values(name))
    if name in TOYS:
        data = registry.load("data", "tests.toys.points")
        dataset = data.load(data.Config(images=2 if name.endswith("two_images") else 1))
    else:
        data = registry.load("data", "phantoms")
        dataset = data.load(data.Config(level="teaching", size=32, train=24, val=6, test=0))
    rows = Rows(chosen, config, {"points": dataset}, seed=0)
    batch = collate([rows[Address("points", int(index), 0)] for index in dataset.split("train")[:studies]])
    if any(need.startswith("source:") for need in chosen.needs):
        batch["sources"] = {need[7:]: dict(batch) for need in chosen.needs if need.startswith("source:")}
    return batch


def build(name, seed=0):
    return build_method(values(name), seed)


def test_terms_are_finite_declared_and_all_there(name):
    method, batch = build(name), batch_of(name)
    for phase in method.phases:
        output = method(batch, phase.name)
        assert set(output.terms) == set(method.terms[phase.name])
        for term in output.terms.values():
            assert torch.isfinite(term.sum) and term.sum.dtype in (torch.float32, torch.float64) and float(term.count) > 0


def test_every_trainable_parameter_gets_a_gradient_from_its_own_optimizer(name):
    method, batch = build(name), batch_of(name)
    groups = method.parameter_groups()
    largest: dict[str, float] = {}
    for phase in method.phases:
        method.zero_grad()
        sum(term.sum / float(term.count) for term in method(batch, phase.name).terms.values()).backward()
        for key, parameter in method.named_parameters():
            if parameter.grad is not None and group_of(key, groups).optimizer == phase.optimizer:
                largest[key] = max(largest.get(key, 0.0), float(parameter.grad.abs().max()))
    top = max(largest.values())
    for key, parameter in method.named_parameters():
        if not parameter.requires_grad:
            continue
        free = any(fnmatch.fnmatchcase(key, pattern) for pattern in method.gradient_free)
        assert (largest.get(key, 0.0) < 1e-5 * top) if free else (largest.get(key, 0.0) > 1e-6 * top), key


def test_gradient_free_reasons_are_given(name):
    method = build(name)
    names = [key for key, _ in method.named_parameters()]
    for pattern, reason in method.gradient_free.items():
        assert len(reason) > 10 and any(fnmatch.fnmatchcase(key, pattern) for key in names), pattern


def test_frozen_parts_do_not_change(name):
    method, batch = build(name), batch_of(name)
    frozen = {key: parameter.detach().clone() for key, parameter in method.named_parameters() if not parameter.requires_grad}
    optimizer = torch.optim.SGD([parameter for parameter in method.parameters() if parameter.requires_grad], lr=0.1)
    for phase in method.phases:
        sum(term.sum / float(term.count) for term in method(batch, phase.name).terms.values()).backward()
    optimizer.step()
    assert all(torch.equal(dict(method.named_parameters())[key], before) for key, before in frozen.items())


def test_features_have_the_declared_shapes(name):
    method, batch = build(name).eval(), batch_of(name, studies=7)
    found = method.features_of(batch, list(method.features))
    for key, shape in method.features.items():
        assert found[key].ndim == len(shape.split()), key
        assert found[key].shape[0] == (7 if shape.startswith("b") else found[key].shape[0])
        assert torch.isfinite(found[key]).all()


def test_features_in_eval_mode_do_not_depend_on_the_other_rows(name):
    method = build(name).eval()
    large, small = batch_of(name, studies=9), batch_of(name, studies=5)
    with torch.no_grad():
        a, b = method.features_of(large, list(method.features)), method.features_of(small, list(method.features))
    for key in method.features:
        torch.testing.assert_close(a[key][:5], b[key], rtol=1e-4, atol=1e-5)


def test_the_config_survives_yaml_and_every_option_is_documented(name):
    chosen, config = method_config(values(name))
    again = chosen.Config.parse(yaml.safe_load(yaml.safe_dump(config.to_dict())), "yaml")
    assert again == config

    def walk(schema, where):
        for key, field in schema.get("properties", {}).items():
            assert field.get("description") or "$ref" in field, f"{where}.{key} has no help"

    schema = chosen.Config.model_json_schema()
    walk(schema, name)
    for part, definition in schema.get("$defs", {}).items():
        walk(definition, part)


def test_a_method_builds_on_the_meta_device(name):
    chosen, config = method_config(values(name))
    with torch.device("meta"):
        method = chosen(config)
    assert all(parameter.is_meta for parameter in method.parameters())


def test_declared_names_are_consistent(name):
    chosen = method_class(name)
    assert {phase.name for phase in chosen.phases} == set(chosen.terms)
    assert capabilities(build(name)) is not None
    embeds = getattr(chosen, "embeds", None)
    assert embeds is None or embeds in chosen.features


def test_transform_is_a_pure_function_of_its_address(name):
    first, second = batch_of(name), batch_of(name)
    for key, value in first.items():
        if isinstance(value, torch.Tensor):
            np.testing.assert_array_equal(value.numpy(), second[key].numpy())
