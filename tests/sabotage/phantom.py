"""Breaks of the phantoms that a test must notice."""

from tests.sabotage import Sabotage

FILMS, REPORTS, STORE = "tests/unit/test_phantom.py", "tests/unit/test_phantom_report.py", "tests/unit/test_phantom_store.py"
SABOTAGES = [
    Sabotage(
        "workbench/phantom/solids.py",
        'beta = (1 if view == "PA" else -1) / DISTANCE[view]',
        "beta = 1 / DISTANCE[view]",
        [f"{FILMS}::test_chords_are_those_of_the_closed_form"],
        "AP is lit from behind",
    ),
    Sabotage(
        "workbench/phantom/solids.py",
        "total = total - both(one, other).length",
        "total = total - 0 * both(one, other).length",
        [f"{FILMS}::test_occupied_is_the_length_of_the_union_inside"],
        "counts what two solids share twice",
    ),
    Sabotage(
        "workbench/phantom/anatomy.py",
        'Thorax(solids, lungs, turned, scale, {"right": -1, "left": 1})',
        'Thorax(solids, dict(zip(("left", "right"), lungs.values())), turned, scale, {"right": -1, "left": 1})',
        [f"{FILMS}::test_left_is_at_image_right"],
        "left lung at image left",
    ),
    Sabotage(
        "workbench/phantom/scene.py",
        'inside["pneumothorax", side] = empty >',
        'inside["pneumothorax", side] = tissue >',
        [f"{FILMS}::test_a_finding_changes_its_own_region_only"],
        "marks the lung, not the air beside it",
    ),
    Sabotage(
        "workbench/phantom/film.py",
        'mean, draw = exposure * own, rng(source.seed, "phantom noise", 0, source.number)',
        "mean, draw = exposure * own, np.random.default_rng()",
        [f"{FILMS}::test_the_same_address_gives_the_same_film_and_another_gives_another"],
        "noise without an address",
    ),
    Sabotage(
        "workbench/phantom/film.py",
        '"w": int(np.ptp(columns)) + 1',
        '"w": int(np.ptp(columns))',
        [f"{FILMS}::test_boxes_hold_their_masks_and_labels_hold_for_both"],
        "a box one pixel too narrow",
    ),
    Sabotage(
        "workbench/phantom/film.py",
        "BLUR = 0.25 / 128",
        "BLUR = 1.0 / 128",
        [f"{FILMS}::test_the_spectrum_falls_like_that_of_real_films"],
        "a detector without detail",
    ),
    Sabotage(
        "workbench/phantom/report.py",
        "[name for name in FINDINGS if not study.has(name)], draw, rules",
        "list(FINDINGS), draw, rules",
        [f"{REPORTS}::test_reports_state_what_the_labels_say"],
        "rules out what is there",
    ),
    Sabotage(
        "workbench/phantom/report.py",
        "return round(20 * finding.size)",
        "return round(10 * finding.size)",
        [f"{REPORTS}::test_sides_and_sizes_are_those_of_the_latents"],
        "a radius for a diameter",
    ),
    Sabotage(
        "workbench/phantom/store.py",
        'if hashlib.sha256(text).hexdigest() != seal.get("studies"):',
        "if False:",
        [f"{STORE}::test_a_torn_folder_is_rendered_again[studies]"],
        "takes a cut list of studies for whole",
    ),
    Sabotage(
        "workbench/phantom/store.py",
        'with FileLock(root / f"{request.name}.lock"):',
        "if True:",
        [f"{STORE}::test_readers_at_once_render_once"],
        "every reader renders",
    ),
    Sabotage(
        "workbench/phantom/latents.py",
        "index // BLOCK * PATIENTS_OF_BLOCK + min(index % BLOCK, PATIENTS_OF_BLOCK - 1)",
        "index",
        [f"{FILMS}::test_patients_have_one_or_two_studies_and_prevalences_are_those_of_a_clinic"],
        "every study its own patient",
    ),
    Sabotage(
        "workbench/data/phantoms.py",
        '"val": 1_000_000_000',
        '"val": 0',
        [f"{STORE}::test_the_data_set_keeps_its_contract"],
        "validates on the training patients",
    ),
    Sabotage(
        "workbench/data/phantoms.py",
        "Image(np.array(stored.films[place])",
        "Image(np.ascontiguousarray(np.rot90(stored.films[place]))",
        [f"{STORE}::test_the_data_set_keeps_its_contract"],
        "a patient lying on the side",
    ),
]
