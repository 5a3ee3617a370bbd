"""Breaks of M-FLAG whole, of gradual unfreezing and of the method card, which a test must notice."""

from tests.sabotage import Sabotage

LAYERS, LOOP, SETUP = "training/layers.py", "training/loop.py", "training/setup.py"
FREEZE = "tests/unit/test_unfreezing.py"
TOP, GONE = f"{FREEZE}::test_the_top_layers_train_and_what_lies_beneath_does_not", f"{FREEZE}::test_layers_that_are_not_there_are_named"
EXACT, HELD = f"{FREEZE}::test_stages_unfreeze_from_the_top_and_a_resume_is_exact[2]", f"{FREEZE}::test_frozen_layers_have_no_gradient_and_no_moments"  # fmt: skip

SABOTAGES = [
    Sabotage(LAYERS, "layers[len(layers) - count :]", "layers[:count]", [TOP, EXACT, HELD], "unfreezes from the bottom"),
    Sabotage(LAYERS, "len(layers) > len(found) and", "not found and", [f"{FREEZE}::test_the_longest_list_of_equal_layers_is_the_tower"], "the first list, whatever its length"),
    Sabotage(LAYERS, "if count > len(layers):", "if False:", [GONE], "more layers than there are"),
    Sabotage(LAYERS, "if part not in parts:", "if part not in parts and not hasattr(method, part):", [GONE], "a frozen tower is looked into"),
    Sabotage(SETUP, "[name for name in chosen if name not in frozen]", "chosen", [TOP, EXACT, HELD], "a stage trains every layer"),
    Sabotage(LOOP, "or self.method.unused_parameters or some", "or self.method.unused_parameters", ["tests/unit/test_loop.py::test_two_processes_train_stages_like_one"], "two processes wait for gradients of frozen parts"),
]  # fmt: skip
