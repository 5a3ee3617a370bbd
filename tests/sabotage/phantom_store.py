"""Breaks of the phantoms that a test must notice."""

from tests.sabotage import Sabotage

SOLIDS, REPORTS, STORE = "tests/unit/test_solids.py", "tests/unit/test_thorax_reports.py", "tests/unit/test_store.py"
SABOTAGES = [
    Sabotage(
        "workbench/phantom/solids.py",
        'beta = (1 if view == "PA" else -1) / DISTANCE[view]',
        "beta = 1 / DISTANCE[view]",
        [f"{SOLIDS}::test_chords_are_those_of_the_closed_form"],
        "AP is lit from behind",
    ),
    Sabotage(
        "workbench/phantom/report.py",
        "return round(20 * finding.size)",
        "return round(10 * finding.size)",
        [f"{REPORTS}::test_measurements_zones_and_grades_are_those_of_the_latents"],
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
        "workbench/data/phantoms.py",
        '"val": 1_000_000_000',
        '"val": 0',
        [f"{STORE}::test_the_data_set_keeps_its_contract"],
        "validates on the training patients",
    ),
    Sabotage(
        "workbench/data/phantoms.py",
        "Image(np.array(stored.films[at])",
        "Image(np.ascontiguousarray(np.rot90(stored.films[at]))",
        [f"{STORE}::test_the_data_set_keeps_its_contract"],
        "a patient lying on the side",
    ),
    Sabotage(
        "workbench/phantom/store.py",
        ".touch(exist_ok=False)",
        ".touch(exist_ok=True)",
        [f"{STORE}::test_a_span_that_another_process_has_begun_is_left_to_it"],
        "every process renders everything",
    ),
    Sabotage(
        "workbench/phantom/store.py",
        "if not whole:",
        "if whole:",
        [f"{STORE}::test_no_process_goes_on_after_an_error"],
        "processes that go on rendering after an error",
    ),
    Sabotage(
        "workbench/phantom/store.py",
        "if any(codes):",
        "if all(not code for code in codes) and codes:",
        [f"{STORE}::test_a_process_that_ends_early_is_one_sentence"],
        "seals what a process left half done",
    ),
]
