"""Breaks of the sentinel that a test must notice."""

from tests.sabotage import Sabotage

FALL, TARGET = "workbench/analysis/_fall.py", "workbench/analysis/sentinel.py"
UNIT, DATA, LOOP = "tests/unit/test_sentinel.py::test_", "tests/unit/test_figures_data.py::test_", "tests/unit/test_loop.py::test_"


def broken(target: str, find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return Sabotage(target, find, replace, [UNIT + test for test in tests], why)


SABOTAGES = [
    broken(FALL, "top = int(seen.argmax())", "top = 0", "first for maximum", "a_fall_is_against_the_running_maximum"),
    broken(FALL, "top = int(seen.argmax())\n", "top = max(0, at - 1)\n", "the last look for the maximum", "a_fall_is_against_the_running_maximum"),
    broken(
        FALL,
        "np.log(max(float(values[top]), TINY) / max(float(values[at]), TINY))",
        "max(float(values[top]), TINY) - max(float(values[at]), TINY)",
        "no logarithm",
        "falls_are_counted_in_logarithms",
    ),
    broken(FALL, "earlier >= limit.first and now", "now", "one look is enough", "two_consecutive_looks_are_needed"),
    broken(FALL, "values[: at + 1] if scale is None else", "values[: at + 1] if True else", "growth forgotten", "a_cloud_that_grows_from_nothing_is_not_measured_against_its_first_looks"),
    broken(FALL, "    if deep is not None:\n", "    if False:\n", "growth excuses a line", "a_cloud_that_grows_from_nothing_is_not_measured_against_its_first_looks", "a_probe_that_learns_excuses_a_lower_rank_but_not_a_line"),
    broken(FALL, "series.probe[-1] - series.probe[top] >= LEARNT", "False", "learning is called collapse", "a_probe_that_learns_excuses_a_lower_rank_but_not_a_line"),
    broken(FALL, "lost is not None or pointed(series, shrunk)", "lost is not None", "a point is a smaller cloud", "every_kind_is_told_from_the_others", "a_point_is_caught_though_its_centred_rank_is_full"),
    broken(FALL, "lost is not None or pointed(series, shrunk)", "True", "a smaller cloud is a point", "every_kind_is_told_from_the_others"),
    broken(FALL, "lost = None if series.short else", "lost =", "judges ranks of few rows", "it_is_silent_on_few_rows_and_on_heavy_tails"),
    broken(FALL, "now -= NOISE * float", "now -= 0 * float", "noise counts as a fall", "it_is_silent_on_few_rows_and_on_heavy_tails"),
    broken(FALL, "fallen(series.uncentred, OFFSET, series.uncentred_error, series.std)", "None", "no offset", "every_kind_is_told_from_the_others"),
    broken(FALL, "SCALE = Limit(0.35, 0.75)", "SCALE = Limit(0.2, 0.4)", "half the scale is a collapse", "it_is_silent_on_what_is_changed_on_purpose"),
    broken(TARGET, "low = [each for each in single", "low = [each for each in found", "a low rank that held is reported", "a_snapshot_is_at_most_low_rank"),
    broken(TARGET, 'SILENT = ("none", "low-rank")', 'SILENT = ("none",)', "a low rank is an alarm", "a_snapshot_is_at_most_low_rank"),
    broken(TARGET, "if own.n >= ROWS]", "if own.n]", "a class of three films is judged", "a_class_of_a_few_rows_is_not_judged"),
    broken(TARGET, "max(2, found.judged / 2)", "1", "one class is called all", "every_kind_is_told_from_the_others"),
    broken(TARGET, 'return "projector"', "return worst.drop.kind", "projector forgotten", "every_kind_is_told_from_the_others", "the_sentence_has_the_evidence"),
    broken(TARGET, '== (kind == "tower"))', "== False)", "a tower's evidence is the same tower's", "the_sentence_has_the_evidence"),
    broken(TARGET, "for each in kept} - towers", "for each in kept}", "a tower stands beside itself", "a_run_as_a_whole_is_neither_tower_nor_projector"),
    broken(TARGET, "sorted(own, key=lambda look: look.step)", "own", "looks as they come", "every_kind_is_told_from_the_others"),
    broken(TARGET, "np.sqrt(8 / self.n", "np.sqrt(80 / self.n", "a wrong error of the rank", "noise_of_a_rank_is_not_a_fall"),
    broken(TARGET, "np.append(values * (root", "np.append(0 * values * (root", "only the mean", "the_rank_with_the_mean_counts_that_as_one_more_direction"),
    broken(TARGET, "for name in names:\n        within", "for name in names[:0]:\n        within", "no classes", "every_kind_is_told_from_the_others"),
    broken("workbench/analysis/collapse.py", "~present.any(1)", "~present.all(1)", "some labels are none", "classes_are_the_rows_of_a_label_and_of_none"),
    broken("workbench/analysis/looks.py", "if step <= until:\n            found += at_step", "if True:\n            found += at_step", "looks ahead", "a_kept_history_is_judged_like_its_run", "a_watch_speaks_once_and_remembers_after_a_resume"),
    broken("training/watch.py", "or (verdict.kind, verdict.feature) in self.told", "", "speaks at every look", "a_watch_speaks_once_and_remembers_after_a_resume"),
    broken("training/watch.py", 'and event["step"] <= step', "", "silent on what is repeated after a resume", "a_watch_speaks_once_and_remembers_after_a_resume"),
    Sabotage("training/loop.py", "self.watch.see(step) if len(self.probe.studies) else None", "None", [LOOP + "a_collapse_is_an_event_and_a_black_box"], "nobody watches"),
]  # fmt: skip
