"""Breaks of the gallery that a test must notice."""

from tests.sabotage import Sabotage

UNIT = "tests/unit/test_gallery.py::test_"


def broken(target: str, find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return Sabotage(f"tests/gallery/{target}.py", find, replace, [UNIT + test for test in tests], why)


SABOTAGES = [
    broken("__init__", "(ranks, scale, isotropy, groups, pairs)", "(ranks, scale, isotropy, pairs)", "no example of classes", "every_diagnostic_has_an_example"),
    broken("entry", 'if self.alarm == "below" else', 'if self.alarm == "above" else', "the wrong side alarms", "a_broken_example_alarms_and_a_healthy_one_does_not"),
    broken("clouds", "0.5 ** np.arange(d)", "0.6 ** np.arange(d)", "another spectrum than is said", "a_broken_example_alarms_and_a_healthy_one_does_not"),
    broken("kinds", 'without(runs["tower"], TEXT)', 'without(runs["tower"], BACKBONE)', "what fools it does not", "a_broken_run_is_told_by_its_kind_and_a_healthy_one_by_none"),
    broken("page", "number(entry.value(name))", "number(entry.bound)", "a table of bounds", "the_page_says_what_is_computed_today"),
]  # fmt: skip
