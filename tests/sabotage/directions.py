"""Breaks of what a singular direction means that a test must notice."""

from tests.sabotage import Sabotage

UNIT, APP = "tests/unit/test_directions.py", "tests/app/test_directions.py"
DIRECTIONS = "workbench/analysis/directions.py"
LIVES = f"{UNIT}::test_a_birth_a_turn_and_a_death_are_dated"
SABOTAGES = [
    Sabotage(DIRECTIONS, "centred.T @ u", "centred.T @ np.sort(u)", [f"{UNIT}::test_scores_have_length_one_and_shares_are_those_of_the_variance"], "rows shuffled"),
    Sabotage(DIRECTIONS, "score - score.mean()", "score", [f"{UNIT}::test_scores_have_length_one_and_shares_are_those_of_the_variance"], "score not centred"),
    Sabotage(DIRECTIONS, "linear_sum_assignment(-alike)", "linear_sum_assignment(alike)", [f"{UNIT}::test_directions_that_swap_places_are_matched_and_two_never_continue_as_one"], "worst match"),
    Sabotage(DIRECTIONS, "alike = np.abs(a.T @ b)", "alike = a.T @ b", [f"{UNIT}::test_directions_that_swap_places_are_matched_and_two_never_continue_as_one"], "the sign of a direction counts"),
    Sabotage(DIRECTIONS, "self.steps[int(gaps[-1]) + 1 if len(gaps) else 0]", "self.steps[int(gaps[-1]) if len(gaps) else 0]", [LIVES], "born a look early"),
    Sabotage(DIRECTIONS, "return self.steps[last + 1] if", "return self.steps[last] if", [LIVES], "gone a look early"),
    Sabotage(DIRECTIONS, "if here and match < KEPT", "if match < KEPT", [LIVES], "turned while it was not there"),
    Sabotage(DIRECTIONS, "value=1 - found.value, low=low, high=high", "value=1 - found.value, low=high, high=low", [f"{UNIT}::test_factors_are_ordered_by_distance_from_chance_and_mirrored"], "limits of a mirrored interval swapped"),
    Sabotage(DIRECTIONS, "level = 1 - 0.05 / len(names)", "level = 0.5", [f"{UNIT}::test_structureless_scores_say_no_word_in_most_draws"], "no correction for many words"),
    Sabotage(DIRECTIONS, 'if dataset.terms == "credentialed":', "if False:", [f"{UNIT}::test_a_point_has_no_directions_and_credentialed_words_are_not_read"], "words of credentialed reports are read"),
    Sabotage(DIRECTIONS, "score, factors = -score, tuple", "factors = tuple", [f"{UNIT}::test_the_high_end_has_more_of_what_is_ordered_best"], "ends swapped"),
]  # fmt: skip
