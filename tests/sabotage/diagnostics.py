"""Breaks of isotropy, dimension, groups of rows and curves over N that a test must notice."""

from tests.sabotage import Sabotage

ISOTROPY, DIMENSION = "workbench/analysis/isotropy.py", "workbench/analysis/dimension.py"
CLASSES, NEIGHBOURS = "workbench/analysis/classes.py", "workbench/analysis/_neighbours.py"
COLLAPSE, READING, SUBSAMPLING = "workbench/analysis/collapse.py", "workbench/analysis/_reading.py", "workbench/analysis/subsampling.py"


def broken(target: str, find: str, replace: str, why: str, *tests: str, of: str) -> Sabotage:
    return Sabotage(target, find, replace, [f"tests/unit/test_{of}.py::test_{test}" for test in tests], why)


def directions(find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return broken(ISOTROPY, find, replace, why, *tests, of="isotropy")


def grouped(find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return broken(CLASSES, find, replace, why, *tests, of="classes")


def rank(target: str, find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return broken(target, find, replace, why, *tests, of="collapse")


SABOTAGES = [
    directions("float(np.sum(rows**2))) / (n * (n - 1))", "0.0) / n**2", "a row paired with itself", "a_cone_against_every_pair"),
    directions("    if n < 2:\n", "    if False:\n", "one row has pairs", "a_cone_against_every_pair"),
    directions(
        "Reading(resultant(rows), n, d, sqrt(1 / n))",
        "Reading(resultant(rows) ** 2, n, d, 1 / n)",
        "square of the cosine",
        "a_cone_against_every_pair",
    ),
    directions("(found.value, sqrt(1 / found.n))", "(found.value, 0.0)", "few rows make a cone", "ceilings_are_what_isotropic_clouds_give"),
    directions("for sign in (1, -1)]", "for sign in (1, 1)]", "one sign of each axis", "partition_isotropy_against_its_sums"),
    directions(
        "top + np.log(np.exp(values - top).sum(0))", "np.log(np.exp(values).sum(0))", "overflow", "partition_isotropy_against_its_sums"
    ),
    directions("n * (d + n - 1)) /", "n * n) /", "noise counts as clusters", "self_clustering_against_its_formula_and_its_ends"),
    directions("    if n < 2 or d < 2:", "    if False:", "one column has directions", "self_clustering_against_its_formula_and_its_ends"),
    directions("left[:, :rank] ** 2, 1).max()", "left[:, :rank] ** 2, 1).mean()", "mean leverage, always 1", "coherence_of_leverages"),
    directions("left[:, :rank]", "left", "directions without variance", "coherence_of_leverages"),
    directions("float(np.mean(moved**2)) ** 1.5", "float(np.mean(moved**2))", "not standardised", "hubness_against_counts_by_hand"),
    directions("rows = normalised(z)\n    index", "rows = as_array(z)\n    index", "not by cosine", "hubness_against_counts_by_hand"),
    directions("off + float(np.sum(~alive))", "off", "dead columns pass for orthogonal", "orthogonality_residual_of_correlations"),
    directions(
        "np.sum(correlation**2) - np.sum(np.diag(correlation) ** 2)",
        "np.sum(correlation**2)",
        "the diagonal counted",
        "orthogonality_residual_of_correlations",
    ),
    directions("(1 if t == 0 else 2)", "1", "half of the frequencies", "sliced_gaussianity_in_closed_form"),
    directions("np.sin(t * along).mean(0) ** 2", "0.0", "skewness unseen", "sliced_gaussianity_in_closed_form"),
    directions("(1 - 1 / sqrt(3)) / n)", "1 / n)", "another ceiling", "sliced_gaussianity_in_closed_form"),
    broken(
        NEIGHBOURS,
        "found[np.arange(stop - start), np.arange(start, stop)] = np.inf",
        "found[0, 0] = np.inf",
        "a row its own neighbour",
        "neighbours_are_those_of_all_distances",
        of="isotropy",
    ),
    broken(
        NEIGHBOURS,
        "    if n < k + 1:",
        "    if False:",
        "fewer rows than neighbours",
        "neighbours_are_those_of_all_distances",
        of="isotropy",
    ),
    broken(
        DIMENSION, "apart[:, 1] / apart[:, 0]", "apart[:, 1]", "no ratio of distances", "estimates_against_all_distances", of="dimension"
    ),
    broken(DIMENSION, "(k - 1) / np.log(", "k / np.log(", "one neighbour too many", "estimates_against_all_distances", of="dimension"),
    broken(
        DIMENSION,
        "return np.unique(as_array(z), axis=0)",
        "return as_array(z)",
        "copies have dimension 0",
        "scale_rotation_order_and_copies_leave_the_dimension",
        of="dimension",
    ),
    broken(
        DIMENSION,
        "    if k < 2:",
        "    if False:",
        "one neighbour compared with none",
        "scale_rotation_order_and_copies_leave_the_dimension",
        of="dimension",
    ),
    broken(
        DIMENSION, "votes.argmax(1) == label", "votes.argmin(1) == label", "the rarest label", "clusters_apart_are_learned", of="dimension"
    ),
    broken(
        DIMENSION, "        if not apart.any():", "        if False:", "clusters of copies", "clusters_apart_are_learned", of="dimension"
    ),
    broken(DIMENSION, "max(clusters, k):", "0:", "fewer rows than clusters", "clusters_apart_are_learned", of="dimension"),
    grouped("np.maximum(values, 0) + DELTA", "np.maximum(values, 0) + 1.0", "another delta", "lidar_as_published"),
    grouped(
        "white = axes / np.sqrt(",
        "white = axes / (",
        "whitened twice",
        "lidar_as_published",
    ),
    grouped("    if size.max() < 2:", "    if False:", "samples of one view", "lidar_needs_its_groups"),
    grouped("    if len(size) < 2:", "    if False:", "one group compared with none", "lidar_needs_its_groups"),
    grouped("    if len(groups) != n:", "    if False:", "groups of other rows", "lidar_needs_its_groups"),
    grouped("isotropic_lidar(tuple(sorted(map(int, size))), d))", "float(d))", "the width for a ceiling", "lidar_in_closed_form"),
    grouped("values[kept])) / count", "values[kept]))", "not over classes", "neural_collapse_on_a_simplex_and_off_it"),
    grouped("cosine + 1 / (count - 1)", "cosine", "orthogonal for a simplex", "neural_collapse_on_a_simplex_and_off_it"),
    grouped("length.std() / length.mean()", "length.std()", "norms not relative", "neural_collapse_on_a_simplex_and_off_it"),
    grouped("- np.sum(means**2)) /", ") /", "a centre beside itself", "centroids_and_silhouettes_by_hand"),
    grouped("np.maximum(size[own] - 1, 1)", "size[own]", "a row's distance to itself", "centroids_and_silhouettes_by_hand"),
    grouped("(size[own] > 1) & ", "", "a row alone counts 1", "centroids_and_silhouettes_by_hand"),
    grouped("rows[names == name], ", "rows, ", "all classes at once", "a_class_alone_can_collapse"),
    grouped("if np.sum(names == name) > 1}", "if True}", "one row has a rank", "a_class_alone_can_collapse"),
    rank(COLLAPSE, 'reading(z, "stable_rank")', 'reading(z, "nesum")', "centred", "closed_forms_off_the_origin"),
    rank(COLLAPSE, 'reading(z, "spectral_rank")', 'reading(z, "effective_rank")', "singular values", "closed_forms"),
    rank(COLLAPSE, 'reading(z, "explained_area")', 'reading(z, "isoscore")', "another reading", "closed_forms"),
    rank(READING, "np.cumsum(values).mean()", "np.cumsum(values)[0]", "the first share alone", "closed_forms"),
    rank(COLLAPSE, "rows.std(0).mean()", "rows.std()", "spread over columns too", "the_scale_of_normalised_rows"),
    rank(
        COLLAPSE,
        'ceiling("uncentred_rank", n, d))',
        "float(d))",
        "the width for a ceiling",
        "the_ceiling_is_what_an_isotropic_cloud_reaches",
    ),
    broken(
        SUBSAMPLING,
        "np.flatnonzero(place[member] < taken)",
        "np.arange(size)",
        "patients torn apart",
        "subsamples_are_nested_and_hold_whole_patients",
        of="subsampling",
    ),
    broken(
        SUBSAMPLING,
        "if not taken or size > len(member):",
        "if False:",
        "sizes that there are not",
        "subsamples_are_nested_and_hold_whole_patients",
        of="subsampling",
    ),
    broken(
        SUBSAMPLING,
        "    if statistic not in COVERED:",
        "    if False:",
        "intervals nobody checked",
        "no_interval_without_its_reason",
        of="subsampling",
    ),
    broken(
        SUBSAMPLING,
        "    if n < ENOUGH * d and statistic not in ANY_SIZE:",
        "    if False:",
        "ranks of too few rows get an interval",
        "no_interval_without_its_reason",
        of="subsampling",
    ),
    broken(
        SUBSAMPLING,
        "    if len(people) != len(rows):",
        "    if False:",
        "patients of other rows",
        "no_interval_without_its_reason",
        of="subsampling",
    ),
]
