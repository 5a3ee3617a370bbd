"""Breaks of attention, its numbers, figures and attribution that a test must notice."""

from tests.sabotage import Sabotage

UNIT, DRAWN, CAUSE = "tests/unit/test_attention.py", "tests/unit/test_figures_attention.py", "tests/unit/test_attribution.py"
EXACT, NUMBERS, FIGURES = "workbench/nn/attention.py", "workbench/analysis/attention.py", "workbench/figures/attention.py"
SOFTMAX = f"{UNIT}::test_attention_of_a_fused_tower_is_the_explicit_softmax_in_every_layer"
KERNEL = f"{UNIT}::test_attention_reproduces_what_the_fused_kernel_computes"
SABOTAGES = [
    Sabotage(EXACT, " * layer.scale", "", [SOFTMAX, KERNEL], "forgets 1 / sqrt d"),
    Sabotage(EXACT, "layer.q_norm(q) @ layer.k_norm(k)", "q @ k", [SOFTMAX], "leaves q and k as they are where the layer normalises"),
    Sabotage(EXACT, "scores.masked_fill(~attn_mask", "scores.masked_fill(attn_mask", [KERNEL], "masks what may be seen"),
    Sabotage(EXACT, "if is_causal:", "if False:", [KERNEL], "takes a causal tower for one that sees all"),
    Sabotage(
        EXACT,
        "return {} if attention_layers(tower) else",
        "return {} if True else",
        [f"{UNIT}::test_a_method_attends_where_its_tower_is_a_transformer_and_says_why_not_elsewhere"],
        "a CNN says it attends",
    ),
    Sabotage(
        "workbench/method.py",
        " and name not in method.lacks",
        "",
        [f"{UNIT}::test_a_method_attends_where_its_tower_is_a_transformer_and_says_why_not_elsewhere"],
        "what a configuration lacks is not asked",
    ),
    Sabotage(
        "workbench/nn/vision.py",
        "if patch_size and image_size % patch_size:",
        "if False:",
        [f"{UNIT}::test_patch_size_is_refused_where_it_does_not_fit"],
        "patches that do not fill the image",
    ),
    Sabotage(
        "workbench/attending.py",
        'max(edges) if fit == "pad"',
        'min(edges) if fit == "pad"',
        [f"{UNIT}::test_a_study_is_attended_to_beside_the_untrained_network"],
        "mm of the shorter edge",
    ),
    Sabotage(
        NUMBERS,
        ".sum(-1).mean(-1)\n\n\ndef grid",
        ".mean((-1, -2))\n\n\ndef grid",
        [f"{UNIT}::test_entropy_is_zero_on_one_token_and_ln_t_on_all"],
        "a mean for the sum over keys",
    ),
    Sabotage(
        NUMBERS,
        "among = among / np.maximum(among.sum(-1, keepdims=True), np.finfo(np.float64).tiny)",
        "pass",
        [f"{UNIT}::test_distance_counts_patches_only_in_two_dimensions"],
        "what goes to the class token counts as no distance",
    ),
    Sabotage(
        NUMBERS,
        "np.sqrt(np.square(places[:, None] - places[None]).sum(-1))",
        "np.abs(places[:, None] - places[None]).sum(-1)",
        [f"{UNIT}::test_distance_counts_patches_only_in_two_dimensions"],
        "city blocks",
    ),
    Sabotage(
        NUMBERS,
        "fused + np.eye(count)",
        "fused",
        [f"{UNIT}::test_rollout_equals_a_case_computed_by_hand"],
        "rollout without the skip connection",
    ),
    Sabotage(
        NUMBERS,
        "found = layer @ found",
        "found = found @ layer",
        [f"{UNIT}::test_rollout_equals_a_case_computed_by_hand"],
        "layers in the wrong order",
    ),
    Sabotage(
        NUMBERS,
        "np.argsort(fused, -1)[..., :dropped]",
        "np.argsort(-fused, -1)[..., :dropped]",
        [f"{UNIT}::test_rollout_discards_the_smallest_share_of_each_row"],
        "cuts the largest",
    ),
    Sabotage(
        NUMBERS,
        "if fusion not in FUSIONS or not 0 <= discard < 1:",
        "if False:",
        [f"{UNIT}::test_rollout_discards_the_smallest_share_of_each_row"],
        "takes any option",
    ),
    Sabotage(
        NUMBERS,
        "else prefix + query, :]",
        "else query, :]",
        [f"{UNIT}::test_a_query_is_the_class_token_a_patch_or_all_patches"],
        "the patch before",
    ),
    Sabotage(
        NUMBERS,
        "np.abs(directions).argmax(1)])[:, None]",
        "np.abs(directions).argmax(1)] * 0 + 1)[:, None]",
        [f"{UNIT}::test_colours_are_the_three_main_directions_with_a_fixed_sign_for_all_images"],
        "signs as the decomposition leaves them",
    ),
    Sabotage(
        FIGURES,
        "maps = seen.reshape(found.layers, found.heads, found.side, found.side).swapaxes(0, 1)",
        "maps = seen.reshape(found.heads, found.layers, found.side, found.side)",
        [f"{DRAWN}::test_small_maps_stand_at_their_layer_and_head_and_answer_with_it"],
        "maps in another order than their axes",
    ),
    Sabotage(
        FIGURES,
        '"z": values.T',
        '"z": values.T[::-1]',
        [f"{DRAWN}::test_statistics_are_drawn_with_their_levels_and_the_untrained_network"],
        "heads upside down",
    ),
    Sabotage(
        "workbench/attributing.py",
        "relu_attributions=True",
        "relu_attributions=False",
        [f"{CAUSE}::test_grad_cam_is_the_map_weighed_by_its_mean_gradient"],
        "what lowers the score is drawn too",
    ),
    Sabotage(
        "workbench/attributing.py",
        "baselines=black",
        "baselines=None",
        [f"{CAUSE}::test_integrated_gradients_sum_to_the_rise_of_the_score_up_to_the_delta"],
        "a path from grey, a rise from black",
    ),
    Sabotage(
        "workbench/analysis/attribution.py",
        "np.abs(gradients))",
        "gradients)",
        [f"{CAUSE}::test_cells_sum_absolute_values_and_half_is_the_share_that_carries_half"],
        "cells in which signs cancel",
    ),
    Sabotage(
        "workbench/analysis/attribution.py",
        "total / 2 * (1 - 1e-12)",
        "total * (1 - 1e-12)",
        [f"{CAUSE}::test_cells_sum_absolute_values_and_half_is_the_share_that_carries_half"],
        "all of the weight for half of it",
    ),
    Sabotage(
        "app/attend.py",
        "value is not None and 0 <= value < count",
        "value is not None",
        ["tests/app/test_attention.py::test_a_transformer_shows_heads_rollout_and_colours_and_the_address_chooses"],
        "a layer of the address that there is not",
    ),
]
