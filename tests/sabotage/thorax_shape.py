"""Breaks of the shape model of the lungs' outline, and of its fit, that a test must notice."""

from tests.sabotage import Sabotage

HERE, TESTS = "workbench/phantom/thorax", "tests/unit/test_thorax_shape.py"
SABOTAGES = [
    Sabotage(f"{HERE}/shape.py", "[: len(modes)]) @ modes", "[: len(modes)]) * 0.1 @ modes", [f"{TESTS}::test_a_patient_s_shape_is_the_mean_and_a_sum_of_modes", f"{TESTS}::test_outlines_vary_as_those_of_the_masks_did"], "everybody has almost the mean shape"),
    Sabotage(f"{HERE}/shape.py", "mean + np.array(patient", "np.array(patient", [f"{TESTS}::test_a_patient_s_shape_is_the_mean_and_a_sum_of_modes"], "shapes about the plain chest"),
    Sabotage(f"{HERE}/shape.py", "return self.left if side", "return self.right if side", [f"{TESTS}::test_each_parameter_moves_what_it_names"], "left and right confused"),
    Sabotage(f"{HERE}/shape.py", "way * (ROLL + half.lean)", "way * (ROLL - half.lean)", [f"{TESTS}::test_each_parameter_moves_what_it_names"], "lungs lean away from each other"),
    Sabotage(f"{HERE}/shape.py", "20.8 + half.apex", "20.8 - half.apex", [f"{TESTS}::test_each_parameter_moves_what_it_names"], "a higher apex is lower"),
    Sabotage(f"{HERE}/shape.py", 'if side == "left" else 0) + own', 'if side == "right" else 0) + own', [f"{TESTS}::test_each_parameter_moves_what_it_names"], "the left dome is the higher one"),
    Sabotage(f"{HERE}/shape.py", "EDGE * np.exp(half.dome_edge), out + 1.0)", "EDGE * half.dome_edge, 1.0)", [f"{TESTS}::test_a_dome_leaves_no_lung_below_it"], "domes that end before the wall"),
    Sabotage(f"{HERE}/shape.py", "EDGE * np.exp(half.dome_edge)", "EDGE", [f"{TESTS}::test_a_steeper_edge_makes_a_deeper_angle"], "all angles alike"),
    Sabotage(f"{HERE}/shape.py", "solid.centre[1] + solid.radii[1] * np.sqrt(max", "solid.centre[1] - solid.radii[1] * np.sqrt(max", [f"{TESTS}::test_a_dome_leaves_no_lung_below_it"], "the angle at the foot of the ellipsoid"),
    Sabotage(f"{HERE}/shape.py", "if list(table[\"mean\"]) != known or", "if False and", [f"{TESTS}::test_coefficients_of_other_parameters_are_refused"], "coefficients of another model"),
    Sabotage(f"{HERE}/anatomy.py", "lung(chest, side, shift) for", "lung(chest, SIDES[0], shift) for", [f"{TESTS}::test_the_body_follows_the_model"], "two right lungs"),
    Sabotage(f"{HERE}/abdomen.py", "return dome(shape_of(study.patient), side, dome_top(study, side))", 'return dome(shape_of(study.patient), "right", dome_top(study, side))', [f"{TESTS}::test_the_body_follows_the_model"], "two right domes"),
    Sabotage(f"{HERE}/aim.py", "min(foot(own, side, level(own, side, inspiration)) for side in SIDES) - ROUND", "-6.0", [f"{TESTS}::test_the_field_holds_both_lungs_of_every_shape"], "a field that cuts the angles off"),
    Sabotage(f"{HERE}/anatomy.py", "rise * (0.78 - 0.81 * place[1])", "0.0", ["tests/unit/test_thorax.py::test_a_finding_changes_its_own_neighbourhood[atelectasis-right]"], "lost volume below its dome"),
    Sabotage("tests/outlines.py", "np.interp(-height, tall, border)", "np.interp(height, tall, border)", [f"{TESTS}::test_a_lung_that_is_wider_below_has_landmarks_further_out_there"], "borders upside down"),
    Sabotage("tests/outlines.py", "own.conj() @ target", "own @ target", [f"{TESTS}::test_alignment_takes_out_place_scale_and_turn"], "turned the wrong way"),
    Sabotage("tests/outlines.py", "if len(large) != 2:", "if len(large) < 1:", [f"{TESTS}::test_masks_are_read_or_left_out_with_a_reason"], "one lung passes for two"),
    Sabotage("tests/shape_fit.py", "part.T @ part + count * left[:each, :each]", "part.T @ part * 0.5", [f"{TESTS}::test_the_fit_finds_a_known_covariance"], "half the spread"),
    Sabotage("tests/shape_fit.py", "(root @ ways[:count].T).T", "ways[:count]", [f"{TESTS}::test_modes_rebuild_the_covariance_and_come_in_order"], "modes without their spread"),
    Sabotage("tests/packaged.py", "if not Path(given).is_file():", "if False:", [f"{TESTS}::test_a_named_archive_of_masks_that_is_no_file_is_refused"], "a missing archive passes"),
]  # fmt: skip
