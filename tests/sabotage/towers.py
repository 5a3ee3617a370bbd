"""Breaks of the towers' geometry that a test must notice."""

from tests.sabotage import Sabotage

UNIT = "tests/unit/test_towers.py"
TOWERS, CLOSING = "workbench/analysis/towers.py", "workbench/closing.py"
RUN, ORDER = (
    f"{UNIT}::test_a_run_is_measured_with_its_prompts_and_a_look_without_reports_is_computed",
    f"{UNIT}::test_towers_of_other_widths_or_one_alone_are_refused_and_studies_are_put_in_one_order",
)
SABOTAGES = [
    Sabotage(TOWERS, "return np.asarray(number[:, None] == number)", "return np.eye(len(number), dtype=bool)", [f"{UNIT}::test_the_same_text_is_right_for_every_study_that_has_it"], "only the own report is right"),
    Sabotage(TOWERS, "taken(y, [rows[x.keys[place]] for place in kept])", "taken(y, kept)", [ORDER], "reports in another order"),
    Sabotage(TOWERS, "shared.strength, shared.chance_strength", "shared.strength, 0 * shared.strength", [f"{UNIT}::test_unrelated_towers_retrieve_by_chance_and_share_no_more_than_permuted_pairs"], "no chance beside the strength"),
    Sabotage(TOWERS, "if x.features.shape[1] != y.features.shape[1]:", "if False:", [ORDER], "widths are not checked"),
    Sabotage(TOWERS, "in gap_walk(x, y,", "in closing(x, y,", [RUN], "the walk is the closing"),
    Sabotage(TOWERS, "x.keys * 2, x.patients * 2", "x.keys + x.keys[::-1], x.patients * 2", ["tests/unit/test_mapping.py::test_images_and_reports_share_a_map_whose_rows_say_what_they_are"], "a report under another study"),
    Sabotage(CLOSING, "(sides[0], sides[1])", "(sides[1], sides[0])", [RUN], "positive and negative prompts swapped"),
    Sabotage(CLOSING, "if kept and not both else towers.stored", "if False else towers.stored", [RUN], "a look without reports is not computed"),
]  # fmt: skip
