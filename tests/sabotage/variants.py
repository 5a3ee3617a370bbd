"""Breaks of the spoilt data sets that a test must notice."""

from tests.sabotage import Sabotage

TESTS = "tests/unit/test_phantom_variants.py"
VARIANTS, DATA, STORE = "workbench/phantom/variants.py", "workbench/data/phantoms.py", "workbench/phantom/store.py"


def broken(target: str, before: str, after: str, why: str, *tests: str) -> Sabotage:
    return Sabotage(target, before, after, [f"{TESTS}::{test}" for test in tests], why)


SABOTAGES = [
    broken(
        VARIANTS,
        "if told < strength else",
        "if told > strength else",
        "strength turned round",
        "test_the_letter_predicts_the_finding_as_often_as_asked",
    ),
    broken(
        VARIANTS,
        "np.exp(-variant.tail * place)",
        "np.exp(-variant.tail * (len(COMMON) - 1 - place))",
        "the commonest is thinned out",
        "test_a_long_tail_thins_out_the_rare_and_keeps_the_commonest",
    ),
    broken(
        DATA,
        'own.unbiased if split == "test" else own',
        "own",
        "the shortcut in the test split",
        "test_the_test_split_is_free_of_shortcuts",
        "test_two_scanners_are_a_source_that_tells_the_finding",
    ),
    broken(
        DATA,
        "self.studies[: config.train], config",
        "self.studies, config",
        "noise in the labels scores are judged by",
        "test_noise_in_labels_and_missing_reports_are_of_train_only",
    ),
    broken(
        DATA,
        "if key not in idle and",
        "if",
        "idle fields make another data set",
        "test_the_plain_variant_is_the_simulator_and_its_data_set_the_one_it_was",
    ),
    broken(
        STORE,
        "*([self.variant] if self.variant else [])",
        "",
        "films of a variant taken for plain ones",
        "test_a_store_of_a_variant_lies_in_a_folder_of_its_own",
    ),
]
