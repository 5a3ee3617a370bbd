"""Breaks of edited phantoms that a test must notice."""

from tests.sabotage import Sabotage

TESTS = "tests/unit/test_phantom_counterfactual.py"
EDIT, FILM, LATENTS = (f"workbench/phantom/{name}.py" for name in ("counterfactual", "film", "latents"))


def broken(target: str, before: str, after: str, why: str, *tests: str) -> Sabotage:
    return Sabotage(target, before, after, [f"{TESTS}::{test}" for test in tests], why)


SABOTAGES = [
    broken(
        FILM,
        'rng(source.seed, "phantom noise", 0, source.number)',
        'rng(source.seed + (like is not None), "phantom noise", 0, source.number)',
        "another noise for the edited film",
        "test_noise_is_equal_in_counts_where_nothing_differs",
    ),
    broken(
        FILM,
        "mean + np.sqrt(mean / before) * (counted - before)",
        "mean",
        "no quantum noise where something differs",
        "test_noise_is_equal_in_counts_where_nothing_differs",
    ),
    broken(
        FILM,
        "window = expose(like, before) if same_window else None",
        "window = expose(study, exposure) if same_window else None",
        "the window of the edited film",
        "test_an_edited_finding_changes_its_own_neighbourhood_only",
    ),
    broken(
        EDIT,
        'side or (found.side if (sort or name) in SIDED else "")',
        '{"left": "right", "right": "left"}.get(str(side)) or (found.side if (sort or name) in SIDED else "")',
        "sides swapped",
        "test_the_side_is_where_the_film_changes",
    ),
    broken(
        EDIT,
        "size_of(level, name, worth), where",
        "size_of(level, name, 0.5), where",
        "severity without a size",
        "test_more_severe_is_a_larger_change_and_the_labels_follow",
    ),
    broken(
        EDIT,
        'f"phantom edit {name}", 0, study.number',
        'f"phantom edit {name} {severity}", 0, study.number',
        "a new nodule for every severity",
        "test_a_slider_moves_one_finding",
    ),
    broken(
        EDIT,
        'if name == "shift right" else (right, value)',
        'if name == "shift up" else (right, value)',
        "shifts swapped",
        "test_factors_change_what_they_are_about_and_no_label",
    ),
    broken(
        EDIT,
        "not 0 <= severity <= 1)",
        "not 0 <= severity <= 2)",
        "twice as severe as can be",
        "test_what_no_phantom_can_be_is_refused_with_what_it_can",
    ),
    broken(
        LATENTS,
        "span.low + (span.high - span.low) * severity",
        "span.high - (span.high - span.low) * severity",
        "mild is large",
        "test_more_severe_is_a_larger_change_and_the_labels_follow",
        "test_films_of_studies_as_they_are_drawn_have_not_changed",
    ),
]
