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
]
