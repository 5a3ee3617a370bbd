"""Breaks of the 3-D patient's anatomy that a test must notice."""

from tests.sabotage import Sabotage

HERE, TESTS = "workbench/phantom/thorax", "tests/unit/test_thorax_anatomy.py"
SABOTAGES = [
    Sabotage(
        f"{HERE}/skeleton.py",
        "half_high - half_thick",
        "half_high - half_high",
        [f"{TESTS}::test_a_rib_is_a_flat_band_with_a_thin_cortex"],
        "round ribs",
    ),
    Sabotage(
        f"{HERE}/tree.py",
        "[chain(trachea, 0.95)]",
        "[chain(trachea, 0.2)]",
        [f"{TESTS}::test_the_windpipe_shows_above_the_carina"],
        "a windpipe that does not show",
    ),
    Sabotage(
        f"{HERE}/mediastinum.py",
        "1.25 + 0.16 * old",
        "1.25",
        [f"{TESTS}::test_the_aorta_widens_and_rises_with_age"],
        "an aorta without age",
    ),
    Sabotage(
        f"{HERE}/girdle.py",
        "BLADE[study.view]",
        'BLADE["AP"]',
        [f"{TESTS}::test_shoulder_blades_are_turned_out_for_pa_alone"],
        "shoulder blades over the lungs in every view",
    ),
    Sabotage(
        f"{HERE}/paths.py",
        "            soft -= union(placed.balls(pockets",
        "            union(placed.balls(pockets",
        [f"{TESTS}::test_gas_is_below_its_dome_and_not_in_everybody"],
        "gas that weakens no ray",
    ),
    Sabotage(
        f"{HERE}/fields.py",
        'if study.view == "AP" else 0.0',
        'if study.view == "ward" else 0.0',
        [f"{TESTS}::test_fluid_of_the_half_lying_runs_to_the_back"],
        "everybody stands",
    ),
    Sabotage(
        f"{HERE}/voxels.py",
        "room & ~tissue & ~skin & ~great)",
        "room & ~tissue & ~skin)",
        ["tests/unit/test_thorax.py::test_a_pneumothorax_has_a_line_and_no_markings_outside_it"],
        "great vessels counted as free air",
    ),
    Sabotage(
        f"{HERE}/tree.py",
        "NARROWS * radius",
        "1.0 * radius",
        [f"{TESTS}::test_vessels_thin_out_and_are_wider_below"],
        "vessels as wide at the rim as at the hilum",
    ),
    Sabotage(
        f"{HERE}/tree.py",
        "(0.8 + 0.4 * down)",
        "(1.2 - 0.4 * down)",
        [f"{TESTS}::test_vessels_thin_out_and_are_wider_below"],
        "vessels wider above",
    ),
    Sabotage(
        f"{HERE}/tree.py",
        "(place * lung.radii)",
        "np.multiply(place, lung.radii, out=place)",
        [f"{TESTS}::test_what_is_kept_of_a_patient_is_the_same_for_the_next_film"],
        "a film moves the strands of the next",
    ),
    Sabotage(
        f"{HERE}/tree.py",
        "heading = draw.normal(size=(GRAINS, 3))",
        "heading = draw.normal(size=(GRAINS, 3)) + (2, 0, 0)",
        [f"{TESTS}::test_strands_have_no_direction_and_are_closer_below"],
        "straw",
    ),
    Sabotage(
        f"{HERE}/tree.py",
        "(1 - levels**2) * (1.5 - levels)",
        "(1 - levels**2) * (1.5 + levels)",
        [f"{TESTS}::test_strands_have_no_direction_and_are_closer_below"],
        "strands closer above",
    ),
    Sabotage(
        f"{HERE}/skeleton.py",
        "first + BROKEN + (fracture.severity > 0.3)",
        "first + 1",
        [f"{TESTS}::test_a_blow_breaks_adjacent_ribs_and_their_callus_is_solid_and_off_the_lung"],
        "one rib alone",
    ),
    Sabotage(
        f"{HERE}/skeleton.py",
        "CALLUS = 1.2",
        "CALLUS = 0.2",
        [f"{TESTS}::test_a_blow_breaks_adjacent_ribs_and_their_callus_is_solid_and_off_the_lung"],
        "hollow callus",
    ),
]
