"""Breaks of what comes in from elsewhere that a test must notice."""

from tests.sabotage import Sabotage

TEST, IMPORT = "tests/unit/test_interop.py", "tests/unit/test_import.py"
CUBIC = f"{TEST}::test_a_position_table_is_resampled_by_the_cubic_and_its_prefix_is_untouched"
OTHER = f"{TEST}::test_a_file_of_another_architecture_is_refused_with_what_was_expected_and_found"
WORDS = f"{TEST}::test_what_cannot_start_anything_is_said_in_words"
PICKLED = f"{TEST}::test_a_pickled_file_is_read_in_a_process_of_its_own_and_nothing_in_it_runs"
SABOTAGES = [
    Sabotage("workbench/interop/positions.py", 'mode="bicubic"', 'mode="bilinear"', [f"{CUBIC}[6-4]"], "another kernel"),
    Sabotage("workbench/interop/positions.py", "antialias=True", "antialias=False", [f"{CUBIC}[6-4]"], "skips rows when it shrinks"),
    Sabotage(
        "workbench/interop/positions.py",
        "grid = old[had:]",
        "grid = old[: len(old) - had]",
        [f"{CUBIC}[4-7]"],
        "the class token is taken for a patch",
    ),
    Sabotage(
        "workbench/interop/positions.py",
        "if had == wanted else new[:wanted]",
        "if had >= wanted else torch.zeros_like(new[:wanted])",
        [f"{TEST}::test_a_table_without_class_token_keeps_the_method_s_own"],
        "the method's own class token position is lost",
    ),
    Sabotage(
        "workbench/interop/keys.py",
        "for place in range(3)])",
        "for place in (1, 0, 2)])",
        [f"{TEST}::test_a_transformers_vit_computes_the_same_here[classic]"],
        "queries and keys change places",
    ),
    Sabotage(
        "workbench/interop/keys.py",
        "value.sum(1, keepdim=True)",
        "value.mean(1, keepdim=True)",
        [f"{TEST}::test_colour_filters_shown_grey_images_compute_the_same"],
        "grey filters a third too small",
    ),
    Sabotage("workbench/interop/keys.py", "<= ELSEWHERE * total", "<= total", [OTHER], "takes a network whose other half differs"),
    Sabotage(
        "workbench/interop/keys.py", "        if deeper:\n", "        if False:\n", [OTHER], "takes the lower half of a deeper network"
    ),
    Sabotage("workbench/interop/keys.py", "        if shallower:\n", "        if False:\n", [OTHER], "leaves the upper blocks random"),
    Sabotage("workbench/interop/weights.py", "    if broken:\n", "    if False:\n", [WORDS], "takes weights that are not finite"),
    Sabotage(
        "workbench/interop/weights.py",
        '    if wrong:\n        raise UserError(f"{index}',
        '    if False:\n        raise UserError(f"{index}',
        [WORDS],
        "an index leads out of its folder",
    ),
    Sabotage(
        "workbench/interop/weights.py", "if path.suffix in SUFFIXES:", "if False:", [WORDS], "a pickled file is not pointed to the import"
    ),
    Sabotage(
        "workbench/interop/weights.py",
        "if known is None or not known.hf_hub_id:",
        "if known is None:",
        [f"{TEST}::test_a_timm_name_means_pretrained_weights_or_nothing"],
        "a model without weights is looked for on the hub",
    ),
    Sabotage("workbench/interop/pickled.py", "weights_only=True)", "weights_only=False)", [PICKLED], "runs what a received file holds"),
    Sabotage(
        "training/importing.py",
        "        shutil.rmtree(run.path)\n",
        "        pass\n",
        [f"{IMPORT}::test_the_command_line_says_what_is_wrong_in_one_sentence_and_leaves_nothing"],
        "a failed import leaves a folder",
    ),
    Sabotage(
        "training/importing.py",
        '"init_from": {"*": run.id}}',
        '"init_from": {}}',
        [f"{IMPORT}::test_an_imported_run_has_a_spectrum_a_probe_and_no_untrained_reference"],
        "imported weights are shown as the untrained network",
    ),
    Sabotage(
        "training/import_features.py",
        "if len(set(keys)) != len(keys):",
        "if False:",
        [f"{IMPORT}::test_a_table_that_is_no_matrix_of_numbers_is_refused_and_nothing_is_left[array4-a\\nb\\na\\n-unique]"],
        "one key for two rows",
    ),
    Sabotage(
        "training/import_features.py",
        "np.flatnonzero(val), np.flatnonzero(train)",
        "np.flatnonzero(train), np.flatnonzero(train)",
        [f"{IMPORT}::test_features_with_data_are_probed_on_its_splits_and_carry_its_patients"],
        "the probe is read on what it was fitted on",
    ),
]
