"""Breaks of the measures in one place that a test must notice."""

from tests.sabotage import Sabotage

LIDAR = "tests/unit/test_latent_measures.py::test_lidar_is_read_from_views_under_the_runs_own_augmentation"
UNIT, APP = "tests/unit/test_latent_measures.py", "tests/app/test_measures.py"
CATALOGUE, SHEETS, MEASURES, GROWTH = (f"workbench/analysis/{name}.py" for name in ("catalogue", "sheets", "measures", "growth"))
MEASURING, FIGURE, CURVE, PAGE = "workbench/measuring.py", "workbench/figures/measures.py", "workbench/figures/growth.py", "app/measures.py"
WHOLE, ENDS, EACH, FEW = (
    f"{UNIT}::test_the_catalogue_has_every_measure_and_the_docs_show_it",
    f"{UNIT}::test_an_isotropic_cloud_stands_at_one_and_a_needle_at_zero",
    f"{UNIT}::test_every_measure_is_what_its_function_reads_beside_what_an_isotropic_cloud_gives",
    f"{UNIT}::test_few_rows_are_called_few_and_what_cannot_be_read_says_why",
)
CLASSES, THREE, LOOK, MISSING, PAIRS = (
    f"{UNIT}::test_classes_exclude_each_other_and_rows_with_two_findings_are_left_out",
    f"{UNIT}::test_a_class_of_three_images_says_so_and_a_rank_its_number_decides_is_withheld",
    f"{UNIT}::test_a_look_is_measured_beside_the_untrained_network_and_the_pixels",
    f"{UNIT}::test_a_reference_that_is_not_there_says_why",
    f"{UNIT}::test_both_towers_are_measured_together_at_their_studies",
)
CURVES, WITH, SNAPSHOT, NEEDS = (
    f"{UNIT}::test_a_curve_over_rows_has_the_ceiling_beside_it",
    f"{UNIT}::test_a_curve_takes_classes_and_towers_with_its_rows_and_names_the_sizes_it_left_out",
    f"{UNIT}::test_what_a_look_did_not_store_is_computed_from_its_snapshot_or_named",
    f"{UNIT}::test_curves_of_a_run_need_what_the_measure_needs",
)
MARKS, DRAWN, SAID = (
    f"{UNIT}::test_marks_stand_between_the_ends_and_few_rows_are_grey",
    f"{UNIT}::test_a_curve_shows_the_ceiling_where_four_rows_a_dimension_are_and_the_last_step",
    f"{APP}::test_the_sentence_and_the_notes_say_what_limits_the_numbers",
)
TRUST, ORDER = "workbench/analysis/grades.py", f"{UNIT}::test_measures_stand_in_the_order_in_which_to_trust_them"
SABOTAGES = [
    Sabotage(CATALOGUE, "isotropy.self_clustering, collapsed=1,", "isotropy.self_clustering, collapsed=-1,", [ENDS], "the wrong end"),
    Sabotage(CATALOGUE, '    "hubness": Measure(', '    "hubs": Measure(', [WHOLE], "a measure is missing"),
    Sabotage(CATALOGUE, "self.of is collapse.rankme or ", "", [FEW], "RankMe is not told to be short of rows"),
    Sabotage(CATALOGUE, "modality.separability(z, beside, patients)", "modality.separability(z, beside)", [WITH], "folds cut through patients"),
    Sabotage("workbench/analysis/_parts.py", "return min(found, key", "return max(found, key", [CLASSES], "the fullest class instead of the emptiest"),
    Sabotage(SHEETS, "(self.value - end) / (self.ceiling - end)", "self.value / self.ceiling", [ENDS], "place without the collapsed end"),
    Sabotage(SHEETS, "self.n < ENOUGH * self.d", "self.n < self.d", [FEW], "few rows are not called few"),
    Sabotage(SHEETS, "if measure.scaled else 1.0", "if False else 1.0", [f"{UNIT}::test_partition_isotropy_is_held_against_a_cloud_of_the_same_scale"], "a cloud of another scale"),
    Sabotage(SHEETS, "    except ValueError as error:\n        return", "    except KeyError as error:\n        return", [FEW], "one measure that cannot be read ends all"),
    Sabotage(SHEETS, "    if n < 2:", "    if n < 0:", [FEW], "a single row is measured"),
    Sabotage(SHEETS, "np.ptp(rows, axis=0) == 0", "np.ptp(rows, axis=0) > 0", [EACH], "constant columns are miscounted"),
    Sabotage(TRUST, "offset.value >= MOSTLY", "offset.value <= MOSTLY", [ORDER], "a shared mean is not seen"),
    Sabotage(TRUST, "sorted(found, key=lambda each: order.index(each.grade))", "found", [ORDER], "what is fooled stands among what is not"),
    Sabotage("workbench/analysis/blind.py", "return BLIND[name].said", 'return BLIND["nesum"].said', [ORDER], "one sentence for all that fools"),
    Sabotage(MEASURES, "present.sum(1) <= 1", "present.sum(1) >= 0", [CLASSES], "a study in two classes counts for one"),
    Sabotage(MEASURES, "replace(each, value=None, why=few) if", "each if", [THREE], "a rank of three images is shown"),
    Sabotage(MEASURES, "before.keys != z.keys", "False", [MISSING], "the untrained network at other studies"),
    Sabotage(MEASURES, "x.keys == y.keys == features[IMAGE].keys", "True", [PAIRS], "images with reports of other studies"),
    Sabotage(MEASURES, "of_feature(before, patients, labels, names) if before", "own if before", [LOOK], "the trained network stands for the untrained one"),
    Sabotage(GROWTH, "n >> power >= least", "n >> power >= 1", [CURVES], "subsamples of single rows"),
    Sabotage(GROWTH, "beside[at], people[at]", "beside[at], np.arange(len(at))", [WITH], "patients are forgotten"),
    Sabotage(GROWTH, "values[-1] / self.values[-2] - 1", "values[-2] / self.values[-1] - 1", [CURVES], "climb turned round"),
    Sabotage(MEASURING, 'if shape == "b d" and name not in found', 'if shape == "b d" and False', [SNAPSHOT], "what a look did not store is left out"),
    Sabotage(MEASURING, "growth.grow(measure, measures.part(z, kept), patients[kept], which)", "growth.grow(measure, measures.part(z, kept), patients[kept], which[::-1])", [NEEDS], "classes of other rows"),
    Sabotage(FIGURE, "(of - end) / (ceiling - end)", "of / ceiling", [MARKS], "marks without the collapsed end"),
    Sabotage(FIGURE, "palette.muted if each.by else colour", "colour", [MARKS], "few rows are not grey"),
    Sabotage(CURVE, "canvas.moment(float(np.log2(found.enough)))", "canvas.moment(float(found.enough))", [DRAWN], "N = 4 d at the wrong place"),
    Sabotage("workbench/analysis/projection.py", "        as_array(rows)", "        pass", [f"{APP}::test_a_feature_of_a_point_or_with_rows_that_are_not_numbers_is_said_and_the_page_lives"], "a map of rows that are no numbers is not explained"),
    Sabotage(PAGE, "if sheet.constant:", "if False:", [SAID], "constant columns are not said"),
    Sabotage("workbench/measuring.py", "np.tile(np.arange(len(chosen)), VIEWS)", "np.repeat(np.arange(len(chosen)), VIEWS)", [LIDAR], "views of several studies as one"),
    Sabotage("workbench/measuring.py", "viewed(run, 0, dataset, load, ", "viewed(run, step, dataset, load, ", [LIDAR], "trained views as untrained"),
    Sabotage("workbench/analysis/measures.py", "if all(not np.ptp(rows[samples == one], axis=0).any()", "if all(False", [LIDAR], "equal views are read"),
]  # fmt: skip
