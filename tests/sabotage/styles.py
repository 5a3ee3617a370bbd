"""Breaks of the reports of radiologists that a test must notice."""

from tests.sabotage import Sabotage

TESTS = "tests/unit/test_styles.py"
STYLES, PHRASES = "workbench/phantom/styles.py", "workbench/phantom/styles.yaml"
COMPARISON, TYPOS = "workbench/phantom/comparison.py", "workbench/phantom/typos.py"
COMPARED = "tests/unit/test_thorax_reports.py::test_what_is_compared_agrees_with_both_studies"
BY_HAND = "tests/unit/test_thorax_reports.py::test_changes_by_hand"
SPEECH = "workbench/phantom/speech.py"


def broken(target: str, before: str, after: str, why: str, *tests: str) -> Sabotage:
    return Sabotage(target, before, after, [test if "::" in test else f"{TESTS}::{test}" for test in tests], why)


SABOTAGES = [
    broken(
        STYLES,
        'return report(study, prior) if reports == "plain" else',
        'return report(study, None) if reports == "plain" else',
        "plain reports compare with nothing",
        "test_plain_reports_are_the_plain_reports",
    ),
    broken(
        STYLES,
        '"uncertain": "<?"',
        '"uncertain": "<"',
        "doubt taken for certainty",
        "test_nothing_disagrees_with_text_or_latents",
        "test_doubt_is_as_frequent_as_stated",
    ),
    broken(
        STYLES,
        "HEDGED if study.has(name) else HEDGED_ABSENT",
        "HEDGED",
        "what is not there hedged as often as what is",
        "test_doubt_is_as_frequent_as_stated",
    ),
    broken(
        STYLES,
        'hedged -= {name for name, how in changed.items() if how == "resolved"}',
        "hedged -= set()",
        "gone and perhaps there at once",
        "test_doubt_has_a_word_of_doubt_and_stays_itself_in_the_impression",
    ),
    broken(
        SPEECH,
        'f"[size:{own / 10:.1f} cm]"',
        'f"[size:{own:.1f} cm]"',
        "millimetres called centimetres",
        "test_measurements_are_those_of_the_latents",
    ),
    broken(
        SPEECH,
        "own if isinstance(own, str) else own()",
        'own if isinstance(own, str) else own().replace("side:R", "side:L")',
        "R written as L",
        "test_sides_are_those_of_the_latents_and_can_be_read",
    ),
    broken(
        STYLES,
        "not study.findings and not changed and author.chance(MACRO)",
        "author.chance(MACRO)",
        "a normal text for every film",
        "test_nothing_disagrees_with_text_or_latents",
        "test_normal_reports_repeat_and_others_hardly",
    ),
    broken(
        STYLES,
        "MACRO = 0.95",
        "MACRO = 0.1",
        "no report repeats another",
        "test_normal_reports_repeat_and_others_hardly",
    ),
    broken(
        STYLES,
        "if author.chance(typos) else own",
        "if author.chance(typos / 3) else own",
        "fewer typos than stated",
        "test_typos_are_as_frequent_as_stated",
    ),
    broken(
        STYLES,
        "return Finding(name, side, 0.1, size_of(name, 0.1,",
        "return Finding(name, side, 0.1, size_of(name, 0.9,",
        "a large nodule that is not there",
        "test_a_finding_that_is_imagined_is_a_slight_one",
    ),
    broken(
        COMPARISON,
        'return "increased" if grown > 0 else "decreased"',
        'return "increased" if grown < 0 else "decreased"',
        "the films in the wrong order",
        BY_HAND,
    ),
    broken(
        COMPARISON,
        "if not old & fresh:",
        "if False:",
        "what has come up elsewhere is not new",
        BY_HAND,
    ),
    broken(
        TYPOS,
        "place + longer * (place > start)",
        "place",
        "spans stay where they were before the typo",
        "test_spans_are_exact_where_every_sentence_has_a_typo",
        "test_a_typo_by_hand",
    ),
    broken(
        TYPOS,
        "own.start < max(end, start + 1) and start < own.end",
        "False",
        "a misspelt mention is not marked",
        "test_spans_are_exact_where_every_sentence_has_a_typo",
        "test_a_typo_by_hand",
    ),
    broken(
        PHRASES,
        "which [hedge:(may represent|may reflect|could represent)] {degree} <?cardiomegaly>",
        "which [hedge:(may represent|may reflect|could represent)] {degree} <cardiomegaly>",
        "a sign's cause asserted",
        "test_doubt_is_as_frequent_as_stated",
    ),
    broken(
        PHRASES,
        '["[change:(stable|unchanged)] {bare}.", "{bare}, [change:(unchanged|stable)]."]',
        '["[change:(larger|increased)] {bare}.", "{bare}, [change:(larger|increased)]."]',
        "stable called larger",
        COMPARED,
    ),
    broken(
        "workbench/phantom/store.py",
        '[self.reports] if self.part == "words" else []',
        "[]",
        "both kinds of reports in one folder",
        "test_the_data_set_has_the_option_and_never_mixes_the_two",
    ),
    broken(
        "workbench/data/phantoms.py",
        "variant, self.config.reports)",
        "variant)",
        "mentions of the plain report beside the text of another",
        "test_the_data_set_has_the_option_and_never_mixes_the_two",
    ),
]
