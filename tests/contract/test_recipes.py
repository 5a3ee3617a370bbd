"""Every recipe parses, builds on the meta device and runs one step of its smoke override."""

import os

import pytest
import torch
import yaml

from training import recipe as recipes
from training.setup import resolve
from workbench.config import read_yaml
from workbench.models import method_config
from workbench.run import RunConfig, create_run


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_is_complete(name):
    path = recipes.find(name)
    head = path.read_text().split("\n\n")[0]
    for word in ("command", "hardware", "time", "expected"):
        assert word in head.lower(), f"{name}: its head comment does not say {word}"
    assert "smoke" in read_yaml(path)
    config = recipes.read(name)
    chosen, method = method_config(config.method, name)
    with torch.device("meta"):
        chosen(method)
    assert RunConfig.model_validate(yaml.safe_load(yaml.safe_dump(config.to_dict()))) == config


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_runs_its_smoke_override(name, tmp_path):
    if "WORKBENCH_TEST_DATA" in recipes.find(name).read_text() and not os.environ.get("WORKBENCH_TEST_DATA"):
        pytest.skip("real radiographs are found through WORKBENCH_TEST_DATA, which is not set")
    from training.loop import train

    config = resolve(recipes.read(name, smoke=True), name)
    assert config.steps <= 3
    assert train(create_run(config, tmp_path), shared=True) == "finished"


def test_an_unknown_key_is_named_with_the_keys_there_are():
    from workbench.errors import UserError

    with pytest.raises(UserError, match=r"unknown key batchsize; the keys here are accumulate, batch"):
        recipes.read(recipes.names()[0], ["batchsize=3"])
