"""Breaks of the sentinel that a test must notice."""

from tests.sabotage import Sabotage

FALL, LOOK, TARGET = "workbench/analysis/_fall.py", "workbench/analysis/_look.py", "workbench/analysis/sentinel.py"
UNIT, DATA, LOOP = "tests/unit/test_sentinel.py::test_", "tests/unit/test_figures_data.py::test_", "tests/unit/test_loop.py::test_"


def broken(target: str, find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return Sabotage(target, find, replace, [UNIT + test for test in tests], why)


SABOTAGES = [
    broken(FALL, "top = int(levels.argmax())", "top = 0", "first for maximum", "a_fall_is_against_the_running_maximum"),
    broken(FALL, "top = int(levels.argmax())\n", "top = max(0, at - 1)\n", "the last look for the maximum", "a_fall_is_against_the_running_maximum"),
    broken(FALL, "np.log(np.maximum(values[: at + 1], TINY))", "np.maximum(values[: at + 1], TINY)", "no logarithm", "falls_are_counted_in_logarithms"),
    broken(FALL, "np.append(here, held(logs))", "np.append(here, here)", "one look is a level", "a_level_counts_that_two_looks_held"),
    broken(FALL, "np.hypot(np.maximum(error[: at + 1], np.median(error[: at + 1])), error[at])", "np.hypot(error[: at + 1], error[at])", "a high rank is sure of itself", "a_level_counts_that_two_looks_held"),
    broken(FALL, "now - earlier - between_looks", "now - earlier", "noise between looks is a further fall", "noise_between_two_looks_is_not_a_further_fall"),
    broken(FALL, "AWAY * series.away[shared]", "series.away[shared]", "lost directions are an offset", "a_mean_that_stays_is_no_offset"),
    broken(FALL, "earlier >= limit.first and now", "now", "one look is enough", "two_consecutive_looks_are_needed"),
    broken(FALL, "    if scale is not None:\n", "    if False:\n", "growth forgotten", "a_cloud_that_grows_from_nothing_is_not_measured_against_its_first_looks"),
    broken(FALL, "    if deep is not None:\n", "    if False:\n", "growth excuses a line", "a_cloud_that_grows_from_nothing_is_not_measured_against_its_first_looks", "a_probe_that_learns_excuses_a_lower_rank_but_not_a_line"),
    broken(FALL, "series.probe[-1] - series.probe[top] >= LEARNT", "False", "learning is called collapse", "a_probe_that_learns_excuses_a_lower_rank_but_not_a_line"),
    broken(FALL, "lost is not None or pointed(series, shrunk)", "lost is not None", "a point is a smaller cloud", "every_kind_is_told_from_the_others", "a_point_is_caught_though_its_centred_rank_is_full"),
    broken(FALL, "lost is not None or pointed(series, shrunk)", "True", "a smaller cloud is a point", "every_kind_is_told_from_the_others"),
    broken(FALL, "lost = None if series.short else", "lost =", "judges ranks of few rows", "it_is_silent_on_few_rows_and_on_heavy_tails"),
    broken(FALL, "times * noise[places]", "0 * noise[places]", "noise counts as a fall", "it_is_silent_on_few_rows_and_on_heavy_tails"),
    broken(FALL, "fallen(series.uncentred, OFFSET, series.uncentred_error, series.std)", "None", "no offset", "every_kind_is_told_from_the_others"),
    broken(FALL, "SCALE = Limit(0.10, 0.72)", "SCALE = Limit(0.10, 0.4)", "half the scale is a collapse", "it_is_silent_on_what_is_changed_on_purpose"),
    broken(TARGET, "low = [each for each in single", "low = [each for each in found", "a low rank that held is reported", "a_snapshot_is_at_most_low_rank"),
    broken(TARGET, 'SILENT = ("none", "low-rank")', 'SILENT = ("none",)', "a low rank is an alarm", "a_snapshot_is_at_most_low_rank"),
    broken(TARGET, "if own.n >= ROWS]", "if own.n]", "a class of three films is judged", "a_class_of_a_few_rows_is_not_judged"),
    broken(TARGET, "max(2, found.judged / 2)", "1", "one class is called all", "every_kind_is_told_from_the_others"),
    broken(TARGET, 'return "projector"', "return worst.drop.kind", "projector forgotten", "every_kind_is_told_from_the_others", "the_sentence_has_the_evidence"),
    broken(TARGET, '== (kind == "tower"))', "== False)", "a tower's evidence is the same tower's", "the_sentence_has_the_evidence"),
    broken(TARGET, "for each in kept} - towers", "for each in kept}", "a tower stands beside itself", "a_run_as_a_whole_is_neither_tower_nor_projector"),
    broken(TARGET, "sorted(own, key=lambda look: look.step)", "own", "looks as they come", "every_kind_is_told_from_the_others"),
    broken(LOOK, "first = 8 / self.n", "first = 80 / self.n", "a wrong error of the rank", "noise_of_a_rank_is_not_a_fall"),
    broken(LOOK, "first + 2 * (self._tails", "first + 0 * (self._tails", "equal directions have no error", "noise_of_a_rank_is_not_a_fall"),
    broken(LOOK, "(self.row_fourth - 1, 0.0)", "(self.row_fourth, 0.0)", "a wrong error of the scale", "noise_of_a_rank_is_not_a_fall"),
    broken(LOOK, "return max(1.0, self.row_fourth / (1 + 2 /", "return max(1.0, 1 / (1 + 2 /", "tails forgotten", "noise_of_a_rank_is_not_a_fall"),
    broken(LOOK, "if k is None or n < 4 or sample <= 0", "if True", "heavy tails lower the rank", "the_rank_is_that_of_the_population"),
    broken(LOOK, "if k is None or n < 4 or sample <= 0", "if k is None or sample <= 0", "three rows have quadruples", "the_rank_is_that_of_the_population"),
    broken(LOOK, "1, self.d)) if below", "1, 9e9)) if below", "more directions than there are", "the_rank_is_that_of_the_population"),
    broken(LOOK, "if any(look.row_fourth is None for look in looks)", "if False", "two kinds of rank in one series", "a_history_with_an_older_look_is_read_as_before"),
    broken("workbench/analysis/_jackknife.py", "np.sum((rows - rows.mean(0, dtype=np.float64)) ** 2, 1)", "np.sum(rows**2, 1)", "the mean is a tail", "fourth_moments_of_row_norms"),
    broken("workbench/analysis/looks.py", 'float(geometry["row_fourth"]) if geometry.get("row_fourth") is not None else None', "None", "the fourth moment is not read", "a_kept_history_is_judged_like_its_run"),
    broken(LOOK, "np.append(values * (root", "np.append(0 * values * (root", "only the mean", "the_rank_with_the_mean_counts_that_as_one_more_direction"),
    broken(TARGET, "for name in names:\n        within", "for name in names[:0]:\n        within", "no classes", "every_kind_is_told_from_the_others"),
    broken("workbench/analysis/collapse.py", "~present.any(1)", "~present.all(1)", "some labels are none", "classes_are_the_rows_of_a_label_and_of_none"),
    broken("workbench/analysis/looks.py", "if step <= until:\n            found += at_step", "if True:\n            found += at_step", "looks ahead", "a_kept_history_is_judged_like_its_run", "a_watch_speaks_once_and_remembers_after_a_resume"),
    broken("training/watch.py", "or (verdict.kind, verdict.feature) in self.told", "", "speaks at every look", "a_watch_speaks_once_and_remembers_after_a_resume"),
    broken("training/watch.py", 'and event["step"] <= step', "", "silent on what is repeated after a resume", "a_watch_speaks_once_and_remembers_after_a_resume"),
    Sabotage("training/loop.py", "self.watch.see(step) if len(self.probe.studies) else None", "None", [LOOP + "a_collapse_is_an_event_and_a_black_box"], "nobody watches"),
]  # fmt: skip
