"""Breaks of the floors and of the ridge that a test must notice."""

from tests.sabotage import Sabotage

TARGET, TEST = "workbench/analysis/baselines.py", "tests/unit/test_baselines.py::test_"


def broken(find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return Sabotage(TARGET, find, replace, [TEST + test for test in tests], why)


SABOTAGES = [
    broken(
        "@ array @ area_weights(array.shape[1], SIDE).T",
        "@ array @ area_weights(array.shape[1], SIDE).T[:, ::-1]",
        "left for right",
        "a_thumbnail_is_the_mean_of_its_blocks",
    ),
    broken(
        "np.minimum(edges[1:, None], pixel + 1)",
        "np.minimum(edges[1:, None], pixel)",
        "half a pixel off",
        "sizes_that_do_not_divide_keep_the_mean_and_the_place",
    ),
    broken("array / np.iinfo(image.array.dtype).max", "array / 255", "16 bits taken for 8", "types_and_axes"),
    broken('if image.axes in ("zhw", "thwc")', 'if image.axes in ("zhw",)', "a clip keeps its frames", "types_and_axes"),
    broken(
        "key = (dataset.data_hash, int(index))",
        'key = ("", int(index))',
        "one cache for all data sets",
        "pixels_are_decoded_once_and_a_study_is_the_mean_of_its_images",
    ),
    broken(
        "np.mean([thumbnail(image) for image in images], 0)",
        "thumbnail(images[0])",
        "only the first image",
        "pixels_are_decoded_once_and_a_study_is_the_mean_of_its_images",
    ),
    broken("if key not in DECODED:", "if True:", "decodes again", "pixels_are_decoded_once_and_a_study_is_the_mean_of_its_images"),
    broken("[column[:, column.std(0) > 0] for column in present]", "list(present)", "columns that say nothing", "metadata_columns"),
    broken("column[np.asarray(indices, int)]", "column[: len(indices)]", "rows of other studies", "metadata_columns"),
    broken('("view", "age", "sex")', '("view", "age", "sex", "source")', "metadata that name the source", "metadata_columns"),
    broken(
        "return fold[member]",
        "return np.arange(len(member)) % folds",
        "folds by rows",
        "folds_hold_whole_patients",
        "films_of_one_patient_do_not_choose_the_penalty_for_each_other",
    ),
    broken(
        "(penalties * self.n / 1000)",
        "(penalties * 100 / 1000)",
        "one penalty",
        "one_penalty_is_the_ridge_of_the_normal_equations",
    ),
    broken(
        "weights = scale[:, None] * (vectors @ shrunk)",
        "weights = vectors @ shrunk",
        "weights of standardised columns on raw ones",
        "one_penalty_is_the_ridge_of_the_normal_equations",
    ),
    broken(
        "(vectors @ shrunk)\n        return weights, target - mean @ weights",
        "(vectors @ shrunk)\n        return weights, target + mean @ weights",
        "intercept with the wrong sign",
        "gaps_in_labels_leave_out_those_rows_of_that_label_only",
    ),
    broken(
        "(whole.minus(Sums(fit[held], labels[held])) if held.any() else whole).solve(PENALTIES)",
        "whole.solve(PENALTIES)",
        "the held rows help to fit",
        "the_penalty_is_the_best_in_cross_validation_one_a_label",
    ),
    broken(
        "error.argmin(0)",
        "np.full(labels.shape[1], error.sum(1).argmin())",
        "one penalty for all labels",
        "the_penalty_is_the_best_in_cross_validation_one_a_label",
    ),
    broken(
        "for pattern in np.unique(stated.T, axis=0):",
        "for pattern in stated.T[:1]:",
        "all labels on the rows of the first",
        "gaps_in_labels_leave_out_those_rows_of_that_label_only",
    ),
    broken(
        "labels[np.ix_(pattern, own)], z",
        "labels[np.ix_(pattern, own)][::-1], z",
        "labels of other rows",
        "it_reads_what_is_there_and_nothing_from_shuffled_labels",
    ),
    broken(
        "(penalties * len(x) / 1000)",
        "(penalties * x.shape[1] / 1000)",
        "another penalty where rows are few",
        "fewer_rows_than_columns_give_the_same_ridge_through_the_rows",
    ),
]
