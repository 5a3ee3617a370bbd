"""Breaks of similarities and of the geometry of two towers that a test must notice."""

from tests.sabotage import Sabotage


def alike(find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return Sabotage(
        "workbench/analysis/similarity.py", find, replace, [f"tests/unit/test_similarity.py::test_{test}" for test in tests], why
    )


def towers(find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return Sabotage("workbench/analysis/modality.py", find, replace, [f"tests/unit/test_modality.py::test_{test}" for test in tests], why)


SABOTAGES = [
    alike("    rows -= rows.mean(0)\n", "", "not centred", "cka_against_gram_matrices", "shifts_leave_what_is_centred"),
    alike("float(np.linalg.norm(rows.T @ rows))", "float(np.sum(rows**2))", "trace for norm", "cka_against_gram_matrices"),
    alike(
        "y.squares.sum() / ((n - 1) * x.norm",
        "y.squares.sum() / (n * x.norm",
        "a degree too many",
        "the_chance_of_cka_is_the_mean_over_all_permutations",
    ),
    alike("- 2 * diagonals / (n - 2)", "- diagonals / (n - 2)", "still biased", "cka_against_gram_matrices"),
    alike(
        '"debiased_cka" if debiased else "linear_cka"',
        '"linear_cka"',
        "never debiased",
        "few_rows_make_noise_look_alike_and_chance_says_so",
        "cka_against_gram_matrices",
    ),
    alike("KEPT = 0.99", "KEPT = 0.999999", "all directions count", "svcca_and_procrustes_against_their_definitions"),
    alike(
        "compute_uv=False).sum()) / least if least",
        "compute_uv=False).max()) / 1 if least",
        "the best direction alone",
        "svcca_and_procrustes_against_their_definitions",
    ),
    alike(
        "np.sqrt(x.squares.sum() * y.squares.sum())",
        "np.sqrt(x.norm * y.norm)",
        "another norm",
        "svcca_and_procrustes_against_their_definitions",
        "a_turned_and_scaled_cloud_is_the_same_cloud",
    ),
    alike(
        "x.index[:, :, None] == y.index[:, None], axis=2",
        "x.index[:, :, None] == y.index[:, None], axis=(1, 2)",
        "one neighbour in common is all",
        "mutual_neighbours_by_hand_and_by_chance",
    ),
    alike(
        "x.index.shape[1] / (len(x.index) - 1)",
        "x.index.shape[1] / len(x.index)",
        "a row its own neighbour",
        "mutual_neighbours_by_hand_and_by_chance",
    ),
    alike("of.basis[order], index", "of.basis, index", "rows not permuted", "permuted_rows_are_what_independent_clouds_give"),
    alike(
        "return Cloud(of.rows[order], of.d",
        "return Cloud(of.rows, of.d",
        "rows not permuted",
        "permuted_rows_are_what_independent_clouds_give",
    ),
    alike("values[i, j], chance[i, j] = values[j, i], chance[j, i]", "continue", "half a matrix", "a_matrix_holds_what_each_pair_gives"),
    alike(
        "second = clouds if others is None else [cloud(each, measure, k) for each in others]",
        "second = clouds",
        "others forgotten",
        "a_matrix_holds_what_each_pair_gives",
    ),
    alike(
        "    if name not in COVERED:",
        "    if False:",
        "intervals nobody checked",
        "intervals_are_over_patients_or_withheld_with_the_reason",
    ),
    alike("    if len(lengths) > 1:", "    if False:", "rows that are no pairs", "rows_that_are_not_pairs_are_refused"),
    alike(
        "isinstance(each, Embeddings)}) > 1:",
        "isinstance(each, Embeddings)}) > 9:",
        "other studies compared",
        "rows_that_are_not_pairs_are_refused",
    ),
    alike("    if n < 4:", "    if False:", "three rows are always alike", "rows_that_are_not_pairs_are_refused"),
    towers("(a.mean(0) - b.mean(0)) ** 2)) / 4", "(a.mean(0) - b.mean(0)) ** 2))", "the gap twice", "the_share_of_the_gap_in_closed_form"),
    towers("    if a.shape != b.shape:", "    if False:", "towers of other studies", "the_share_of_the_gap_in_closed_form"),
    towers("ratio(matched, matched + within)", "ratio(matched, within)", "not a share", "the_relative_gap_against_every_pair"),
    towers(
        "fit, test = folds != each, folds == each",
        "fit, test = folds >= 0, folds == each",
        "judged on what it was fitted to",
        "a_plane_tells_towers_apart_on_other_patients",
    ),
    towers(
        "np.asarray(range(n) if patients is None else patients)",
        "np.asarray(range(n))",
        "patients torn apart",
        "a_plane_tells_towers_apart_on_other_patients",
    ),
    towers("    if member.max() + 1 < FOLDS:", "    if False:", "folds without patients", "a_plane_tells_towers_apart_on_other_patients"),
    towers(
        "a, b, draw = a - a.mean(0), b - b.mean(0), rng",
        "a, b, draw = a, b, rng",
        "means counted as shared",
        "what_towers_share_has_a_rank",
    ),
    towers("b[draw.permutation(n)] / n", "b / n", "pairs not permuted", "what_towers_share_has_a_rank"),
    towers("np.where(values > d * np.finfo(float).eps, values, 0)", "values", "rounding is shared", "what_towers_share_has_a_rank"),
    towers("compute_uv=False)[::-1]  #", "compute_uv=False)  #", "sines of other angles", "angles_between_the_axes_of_towers"),
    towers("values[0]) < k:", "values[0]) < 0:", "axes that are none", "angles_between_the_axes_of_towers"),
    towers("    if axes[0].shape != axes[1].shape:", "    if False:", "towers of other widths", "angles_between_the_axes_of_towers"),
    towers(
        "normalised(b + amount / 2 * gap)", "normalised(b - amount / 2 * gap)", "both the same way", "closing_moves_both_towers_half_way"
    ),
    towers("normalised(a - amount / 2 * gap)", "a - amount / 2 * gap", "off the sphere", "closing_moves_both_towers_half_way"),
    towers("each + amount / 2 * gap", "each", "prompts stay behind", "what_closing_does_to_retrieval_and_zero_shot"),
    towers("retrieval(cosine.T, own.T", "retrieval(cosine, own", "one way twice", "what_closing_does_to_retrieval_and_zero_shot"),
    towers(
        "if (prompts is None) != (labels is None):", "if False:", "prompts without labels", "what_closing_does_to_retrieval_and_zero_shot"
    ),
    towers("a, b + amount * gap", "a, b - amount * gap", "texts walk away", "texts_alone_walk_along_the_gap"),
    towers("each + amount * gap for", "each for", "prompts stay behind the walk", "texts_alone_walk_along_the_gap"),
    towers("normalised(u) @ normalised(v).T", "u @ v.T", "products for cosines", "texts_alone_walk_along_the_gap"),
]
