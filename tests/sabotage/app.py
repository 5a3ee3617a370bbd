"""Breaks of figures and app that their tests must notice."""

from tests.sabotage import Sabotage

FIGURES, DATA, PAGES = "tests/unit/test_figures.py", "tests/unit/test_figures_data.py", "tests/app/test_pages.py"
SABOTAGES = [
    Sabotage(
        "workbench/figures/spectra.py",
        "top = values.max(-1, keepdims=True)",
        "top = np.ones_like(values[..., :1])",
        [f"{FIGURES}::test_the_heat_map_has_a_column_per_look_and_a_row_per_direction"],
        "singular values drawn unscaled: runs of different scale cannot be compared",
    ),
    Sabotage(
        "workbench/figures/collapse.py",
        "        if not several:\n            canvas.band",
        "        if True:\n            canvas.band",
        [f"{FIGURES}::test_one_run_has_a_band_several_seeds_have_none"],
        "each seed's interval drawn as if it were the arm's",
    ),
    Sabotage(
        "workbench/figures/metrics.py",
        "+ [[level.value for level in metric.levels]]",
        "+ [[]]",
        [f"{FIGURES}::test_the_trivial_level_is_always_in_view_and_named"],
        "the level to beat lies outside the figure",
    ),
    Sabotage(
        "workbench/figures/theme.py",
        'return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")',
        "return str(text)",
        [f"{FIGURES}::test_names_from_runs_are_not_read_as_markup", f"{PAGES}::test_a_hostile_name_is_shown_letter_by_letter"],
        "a run's name reaches the figure as markup",
    ),
    Sabotage(
        "workbench/analysis/falls.py",
        "steps = [step for step in shared if step <= until] or shared[:1]",
        "steps = shared",
        [f"{DATA}::test_what_comes_after_the_slider_does_not_count"],
        "the verdict looks ahead of the slider",
    ),
    Sabotage(
        "workbench/analysis/falls.py",
        "np.mean([getattr(each, name) for each in every], 0)",
        "getattr(every[0], name)",
        [f"{DATA}::test_the_mean_of_seeds_is_judged"],
        "the first seed speaks for all",
    ),
    Sabotage(
        "workbench/analysis/falls.py",
        "sure > deepest and back >= down / 2",
        "sure > deepest",
        [f"{DATA}::test_a_fall_that_came_back_and_what_a_probe_did_meanwhile_are_told"],
        "what stays down is said to have come back",
    ),
    Sabotage(
        "workbench/analysis/falls.py",
        'return "rose" if change >= LEARNT',
        'return "rose" if change <= LEARNT',
        [f"{DATA}::test_a_fall_that_came_back_and_what_a_probe_did_meanwhile_are_told"],
        "a probe that fell is said to have risen",
    ),
    Sabotage(
        "workbench/analysis/looks.py",
        'return max(0, int(np.searchsorted(self.steps, step, side="right")) - 1)',
        'return max(0, int(np.searchsorted(self.steps, step, side="left")) - 1)',
        [f"{DATA}::test_a_trajectory_is_what_the_looks_stored"],
        "the number shown belongs to the look before the chosen one",
    ),
    Sabotage(
        "workbench/analysis/seeds.py",
        'FREE = ("seed", "name",',
        'FREE = ("seed", "batch", "name",',
        [f"{DATA}::test_seeds_of_one_setting_are_one_arm_and_equal_names_of_two_settings_are_two"],
        "runs of two settings are averaged as seeds of one",
    ),
    Sabotage(
        "app/state.py",
        '    return MARKDOWN.sub(r"\\\\\\1", " ".join(str(text).split()))',
        "    return str(text)",
        [f"{PAGES}::test_a_hostile_name_is_shown_letter_by_letter"],
        "a run's name reaches the page as Markdown",
    ),
    Sabotage(
        "app/select.py",
        "    if not held.get(run.id):\n",
        "    if True:\n",
        [f"{PAGES}::test_figures_wait_for_new_looks_until_asked"],
        "figures move under the reader's hand while a run trains",
    ),
]
