"""Breaks of the map and of the prompt rule that a test must notice."""

from tests.sabotage import Sabotage

MAP, ZERO, TRUST = "workbench/analysis/projection.py", "workbench/analysis/zeroshot.py", "workbench/analysis/trust.py"
CLUMPS, MAPPING, LAYOUTS = "workbench/analysis/clumps.py", "workbench/mapping.py", "workbench/layouts.py"
OF = {MAP: "projection", ZERO: "zeroshot", TRUST: "trust", CLUMPS: "trust", MAPPING: "mapping", LAYOUTS: "mapping"}


def broken(target: str, find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return Sabotage(target, find, replace, [f"tests/unit/test_{OF[target]}.py::test_{test}" for test in tests], why)


SABOTAGES = [
    broken(
        MAP,
        "vectors[:, ::-1], np.maximum(values[::-1], 0)",
        "vectors, np.maximum(values, 0)",
        "the smaller axis first",
        "axes_are_those_of_the_largest_variance_with_their_shares",
    ),
    broken(
        MAP,
        "[(rows - mean) @ axes for rows",
        "[rows @ axes for rows",
        "not centred",
        "axes_are_those_of_the_largest_variance_with_their_shares",
    ),
    broken(
        MAP,
        "largest / total if",
        "largest / largest[0] if",
        "shares of the first",
        "axes_are_those_of_the_largest_variance_with_their_shares",
    ),
    broken(MAP, "xy * like.xy", "-xy * like.xy", "turned away from the guide", "signs_do_not_flip"),
    broken(MAP, "xy**3", "-(xy**3)", "the tail to the left", "signs_do_not_flip"),
    broken(MAP, "and like.keys == embeddings.keys", "", "other studies as a guide", "signs_do_not_flip"),
    broken(
        MAP,
        "start : start + BLOCK]",
        "start : start + BLOCK - 1]",
        "the last row of a block is lost",
        "many_rows_are_summed_in_blocks_and_compared_on_an_even_subset",
    ),
    broken(
        MAP,
        "np.linspace(0, len(z) - 1, EXACT).astype(int)",
        "np.arange(EXACT)",
        "the first instead of an even subset",
        "many_rows_are_summed_in_blocks_and_compared_on_an_even_subset",
    ),
    broken(
        MAP,
        "found.xy[image].mean(0) - found.xy[~image].mean(0)",
        "found.xy[~image].mean(0) - found.xy[image].mean(0)",
        "the gap turned round",
        "the_gap_on_a_map_of_both_towers_is_the_difference_of_their_means_seen_from_its_axes",
    ),
    broken(
        MAP,
        'if found.method != "pca" or',
        "if",
        "a gap on a picture that has none",
        "the_gap_on_a_map_of_both_towers_is_the_difference_of_their_means_seen_from_its_axes",
    ),
    broken(
        TRUST,
        "return trustworthiness(xy, z, k)",
        "return trustworthiness(z, xy, k)",
        "continuity is trustworthiness",
        "trustworthiness_continuity_and_overlap_are_those_of_a_slow_loop",
    ),
    broken(
        TRUST,
        "2 / (n * k * (2 * n - 3 * k - 1))",
        "2 / (n * k * (2 * n - k - 1))",
        "another normaliser",
        "trustworthiness_continuity_and_overlap_are_those_of_a_slow_loop",
    ),
    broken(
        TRUST,
        "np.maximum(place - k, 0)",
        "np.maximum(place - k - 1, 0)",
        "off by one place",
        "trustworthiness_continuity_and_overlap_are_those_of_a_slow_loop",
    ),
    broken(
        TRUST,
        "1)).sum(1) + 1 for own",
        "1)).sum(1) + 2 for own",
        "a place too far",
        "trustworthiness_continuity_and_overlap_are_those_of_a_slow_loop",
    ),
    broken(
        TRUST,
        "start + np.arange(len(rows))] = np.inf",
        "np.arange(len(rows))] = np.inf",
        "a later block's rows are their own neighbours",
        "trustworthiness_continuity_and_overlap_are_those_of_a_slow_loop[7]",
    ),
    broken(
        TRUST,
        "yield too_far(one, beside), too_far(other, near)",
        "yield too_far(other, near), too_far(one, beside)",
        "false and missing neighbours swapped",
        "trustworthiness_continuity_and_overlap_are_those_of_a_slow_loop",
    ),
    broken(
        TRUST,
        "(apart < np.take",
        "(apart <= np.take",
        "ties push neighbours away",
        "a_faithful_map_is_perfect_and_ties_are_no_false_neighbours",
    ),
    broken(
        TRUST,
        "(n - 1 - k) * (n - k) / (2 * (n - 1))",
        "(n - 1 - k) * (n - k) / (n - 1)",
        "chance too low",
        "chance_is_what_points_in_random_places_give",
    ),
    broken(TRUST, "k / (n - 1)", "k / (2 * n)", "too little overlap by chance", "chance_is_what_points_in_random_places_give"),
    broken(TRUST, "if n < FEWEST or", "if", "a quality of four rows", "few_or_equal_rows_have_no_quality_and_what_does_not_fit_is_refused"),
    broken(
        TRUST,
        "1 <= k < len(a) / 2",
        "1 <= k < len(a)",
        "more neighbours than the scale holds for",
        "few_or_equal_rows_have_no_quality_and_what_does_not_fit_is_refused",
    ),
    broken(
        CLUMPS,
        "if self.p > LEVEL",
        "if self.p > 1",
        "every cloud is lumpy",
        "a_gaussian_cloud_of_any_shape_has_no_clusters_and_the_map_says_so",
    ),
    broken(CLUMPS, "top >= top[0]", "top > top[0]", "a chance of nothing", "a_clear_mixture_has_clusters[3]"),
    broken(
        CLUMPS,
        "frames * np.linalg.norm(scores, axis=0)",
        "frames * np.linalg.norm(scores)",
        "round clouds beside a long one",
        "a_gaussian_cloud_of_any_shape_has_no_clusters_and_the_map_says_so",
    ),
    broken(CLUMPS, "(index.mean(0) - index)", "(index - index.mean(0))", "looser is lumpier", "a_clear_mixture_has_clusters[3]"),
    broken(
        CLUMPS,
        "minimum_spanning_tree(gaps).toarray()",
        "gaps",
        "every distance counts as a gap",
        "the_widest_gap_is_the_largest_step_from_group_to_group",
    ),
    broken(CLUMPS, "self.apart >= APART", "self.apart >= 3", "a bar is two lumps", "a_bar_and_a_ring_are_shapes_without_a_gap"),
    broken(CLUMPS, "0).sum(1) / total", "0).sum(1)", "a sum for a share", "the_cluster_index_is_the_share_of_variance_within_the_best_cut"),
    broken(
        CLUMPS,
        "np.linspace(0, len(rows) - 1, ROWS).astype(int)",
        "np.arange(ROWS)",
        "the first instead of an even subset",
        "axes_that_are_rounding_are_left_out_and_many_rows_are_an_even_subset",
    ),
    broken(
        CLUMPS,
        "np.sqrt(np.maximum(values[::-1][:AXES], 0))",
        "np.maximum(values[::-1][:AXES], 0)",
        "squares for lengths",
        "axes_that_are_rounding_are_left_out_and_many_rows_are_an_even_subset",
    ),
    broken(
        MAPPING, "if different < layouts.FEWEST:", "if False:", "one point many times is laid out", "what_says_nothing_is_refused_in_words"
    ),
    broken(
        MAPPING,
        "if each.keys != looks[0].keys:",
        "if False:",
        "other studies in one frame",
        "methods_take_the_looks_they_can_and_lost_rows_are_said",
    ),
    broken(MAPPING, "    if lost:", "    if False:", "rows at nowhere", "methods_take_the_looks_they_can_and_lost_rows_are_said"),
    broken(
        MAPPING,
        "(rows - mean) @ axes * sign",
        "(rows - mean) @ axes",
        "new rows on turned axes",
        "new_rows_are_placed_where_their_neighbours_lie_and_a_map_of_its_own_rows_stays",
    ),
    broken(
        MAPPING,
        "else (apart == 0) * 1.0",
        "else np.ones(k)",
        "a row of the map is placed beside itself",
        "new_rows_are_placed_where_their_neighbours_lie_and_a_map_of_its_own_rows_stays",
    ),
    broken(
        MAPPING,
        "square - 2 * z @ row",
        "square + 2 * z @ row",
        "the farthest rows place a new one",
        "new_rows_are_placed_where_their_neighbours_lie_and_a_map_of_its_own_rows_stays",
    ),
    broken(
        MAPPING,
        "looks_of(run, run.looks()[-1])",
        "looks_of(run, step)",
        "a frame of its own for every step",
        "looks_of_an_aligned_map_lie_in_one_frame_and_each_step_has_its_own",
    ),
    broken(
        MAPPING,
        "for each in reversed(every) if",
        "for each in every if",
        "the first frame for every step",
        "looks_of_an_aligned_map_lie_in_one_frame_and_each_step_has_its_own",
    ),
    broken(
        MAPPING,
        "    if found is None:\n        keep(",
        "    if True:\n        keep(",
        "computed though it is kept",
        "the_job_keeps_what_the_notebook_then_reads",
    ),
    broken(
        LAYOUTS,
        "seen[0] / (EXAGGERATED + EPOCHS)",
        "0.0",
        "progress stands still",
        "tsne_keeps_neighbours_says_how_far_it_is_and_is_the_same_for_the_same_seed",
    ),
    broken(
        LAYOUTS,
        'np.argsort(apart, axis=1, kind="stable")',
        'np.argsort(-apart, axis=1, kind="stable")',
        "farthest first",
        "neighbours_are_exact_and_nearest_first",
    ),
    broken(LAYOUTS, "    rows = rows - rows.mean(0)\n", "", "distances of rounded numbers", "neighbours_are_exact_and_nearest_first"),
    broken(
        LAYOUTS, "own[:, -1] |= ~own.any(1)", "own[:, 0] |= ~own.any(1)", "the nearest is dropped", "neighbours_are_exact_and_nearest_first"
    ),
    broken(LAYOUTS, "low + (high - low) * part", "part", "a part for the whole", "umap_learns_bar_becomes_progress"),
    broken(
        ZERO, "sides[0] - sides[1]", "sides[1] - sides[0]", "denial minus finding", "the_difference_of_mean_cosines_template_by_template"
    ),
    broken(
        ZERO,
        "    return sides[0] - sides[1]",
        "    return sides[0]",
        "the positive prompt alone",
        "the_denial_removes_what_both_prompts_share",
        "lengths_do_not_count_and_sides_are_opposed",
    ),
    broken(
        ZERO,
        "z = unit(image)\n    sides",
        "z = np.asarray(image)\n    sides",
        "images keep their length",
        "lengths_do_not_count_and_sides_are_opposed",
    ),
    broken(
        ZERO,
        "unit(prompts).T).mean(1)",
        "unit(prompts.mean(0, keepdims=True)).T).mean(1)",
        "templates averaged before their cosine",
        "the_difference_of_mean_cosines_template_by_template",
    ),
    broken(ZERO, "if len(positive) != len(negative):", "if False:", "a label without its denial", "every_label_needs_both_sides"),
]
