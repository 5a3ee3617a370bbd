"""Breaks of the image tower's blocks that a test must notice."""

from tests.sabotage import Sabotage

UNIT = "tests/unit/test_depth.py"
LAST, ORDER = (
    f"{UNIT}::test_the_last_block_of_a_residual_tower_is_its_backbone",
    f"{UNIT}::test_blocks_come_in_the_order_an_image_passes_them",
)
SEEN = f"{UNIT}::test_a_block_that_flattens_is_seen_and_a_label_is_read_where_it_lies"
SABOTAGES = [
    Sabotage("workbench/analysis/depth.py", "summarise(block, block.patients)", "summarise(block.features.T, None)", [SEEN], "transposed"),
    Sabotage("workbench/analysis/depth.py", "labels.judged, block.patients", "labels.judged[::-1], block.patients", [SEEN], "labels of other rows"),
    Sabotage("workbench/analysis/depth.py", "if not np.isfinite(block.features).all():", "if False:", [f"{UNIT}::test_rows_that_are_no_numbers_are_named"], "NaN rows pass"),
    Sabotage("workbench/depth.py", "stages(load(0), 0, 0.45)", "stages(load(step), 0, 0.45)", [LAST], "trained tower as untrained"),
    Sabotage("workbench/depth.py", "keep(place)) for place, block", "keep(-1 - place)) for place, block", [ORDER], "blocks in reverse"),
    Sabotage("workbench/depth.py", 'study_means(each[0].cpu(), batch["image_index"].cpu(), count)', "each[0].cpu()[:count]", [f"{UNIT}::test_a_study_is_the_mean_of_its_images"], "the first images alone"),
    Sabotage("workbench/nn/vit.py", "return x[:, 1:].mean(1)", "return x.mean(1)", [f"{UNIT}::test_a_transformers_blocks_leave_the_class_token_out"], "class token among the patches"),
]  # fmt: skip
