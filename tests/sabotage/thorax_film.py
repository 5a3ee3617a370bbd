"""Breaks of how a film of the 3-D patient is taken that a test must notice."""

from tests.sabotage import Sabotage

FILM, HERE = "tests/unit/test_thorax_film.py", "workbench/phantom/thorax"
SABOTAGES = [
    Sabotage(
        f"{HERE}/lead.py",
        'at_right = letter == "L" if view',
        'at_right = letter == "R" if view',
        [f"{FILM}::test_a_letter_is_at_the_side_that_it_claims"],
        "letters claim the wrong side",
    ),
    Sabotage(
        f"{HERE}/lead.py",
        "top, left = round(mark.row * size - len(cover) / 2)",
        "top, left = round(mark.row * size)",
        [f"{FILM}::test_lead_is_bright_where_it_is_put_and_cut_at_the_edge[plain]"],
        "marks hang below their place",
    ),
    Sabotage(
        f"{HERE}/aim.py",
        "up = top + above * (field - (top - low))",
        "up = low + above * (field - (top - low))",
        [f"{FILM}::test_the_field_holds_both_lungs_nearly_always_and_varies"],
        "the field misses the lungs",
    ),
    Sabotage(
        f"{HERE}/aim.py",
        "leaning if lean else 0.0",
        "0.0",
        [f"{FILM}::test_the_field_holds_both_lungs_nearly_always_and_varies"],
        "nobody leans",
    ),
    Sabotage(
        f"{HERE}/film.py",
        "here &= field >= 0.5",
        "here &= field >= -1",
        [f"{FILM}::test_masks_follow_a_patient_who_leans_and_lie_in_the_field_alone"],
        "masks on the border",
    ),
    Sabotage(
        f"{HERE}/collimation.py",
        "sin * along[:, None] + cos * along",
        "cos * along + 0 * along[:, None]",
        [f"{FILM}::test_blades_cut_their_own_side_and_turn_together"],
        "only two blades turn",
    ),
    Sabotage(
        f"{HERE}/film.py",
        "tone_of(window, like, study)",
        "tone_of(density, flat, study)",
        [f"{FILM}::test_another_finding_keeps_the_tones_of_the_first_film_whatever_the_look"],
        "a counterfactual with a window of its own",
    ),
    Sabotage(
        f"{HERE}/exposure.py",
        'bend = {"dark": 0.7,',
        'bend = {"dark": -0.7,',
        [f"{FILM}::test_looks_differ_as_they_are_named"],
        "dark films are bright",
    ),
    Sabotage(
        f"{HERE}/exposure.py",
        "GRAIN) - 0.5, 0, 1)",
        "GRAIN) - 0.5, 1, 1)",
        [f"{FILM}::test_few_photons_are_smoothed_and_many_are_not"],
        "everything is smoothed",
    ),
    Sabotage(
        f"{HERE}/exposure.py",
        "np.sign(taken.cutoff) * ramp",
        "np.sign(1) * ramp",
        [f"{FILM}::test_the_grid_and_the_heel_darken_one_side"],
        "the grid darkens one side alone",
    ),
    Sabotage(
        f"{HERE}/film.py",
        "found = found._replace(device=found.device + density",
        "found = found._replace(device=found.device + 0 * density",
        [f"{FILM}::test_a_thing_on_the_skin_is_on_the_film_and_in_nothing_else[electrodes]"],
        "things that nobody sees",
    ),
    Sabotage(
        f"{HERE}/acquisition.py",
        'return rng(seed, f"thorax {part}", film, index)',
        "return np.random.default_rng()",
        [f"{FILM}::test_films_are_taken_as_in_a_hospital"],
        "films without an address",
    ),
    Sabotage(
        f"{HERE}/paths.py",
        "inside.get(key, False) | (tube",
        "(tube",
        [f"{FILM}::test_a_pacemaker_has_a_can_leads_and_the_coil_of_a_defibrillator"],
        "the last part of a device is its mask",
    ),
    Sabotage(
        f"{HERE}/devices.py",
        "if finding.severity > ICD:",
        "if finding.severity > 2:",
        [f"{FILM}::test_a_pacemaker_has_a_can_leads_and_the_coil_of_a_defibrillator"],
        "no defibrillators",
    ),
    Sabotage(
        f"{HERE}/devices.py",
        'way = -1 if finding.side == "right" else 1\n    tip',
        'way = 1 if finding.side == "right" else -1\n    tip',
        [f"{FILM}::test_lines_come_from_neck_shoulder_or_arm_and_end_in_the_vena_cava"],
        "lines come from the other side",
    ),
    Sabotage(
        f"{HERE}/devices.py",
        "gap(stripe, 0.13, 2, 3)",
        "gap(stripe, 0.13, 4, 3)",
        [f"{FILM}::test_a_side_hole_breaks_the_stripe_near_the_tip"],
        "a stripe without a break",
    ),
]
