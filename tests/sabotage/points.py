"""Breaks of the map component's bytes and of what is taken from a browser that a test must notice."""

from tests.sabotage import Sabotage

CLOUD, LOST, COLOURING = "workbench/cloud.py", "workbench/analysis/lost.py", "workbench/colouring.py"


def broken(target: str, find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return Sabotage(target, find, replace, [f"tests/unit/test_cloud.py::test_{test}" for test in tests], why)


TAKEN, SENT = "only_a_geometry_is_taken_from_a_browser", "a_cloud_is_sent_as_float32_around_its_middle"
COLOURED = "any_column_of_the_data_colours_the_points"
SABOTAGES = [
    broken(CLOUD, "and 0 <= row < n else None", "and row < n else None", "a row before the first", TAKEN),
    broken(CLOUD, "3 <= len(polygon) <= VERTICES", "3 <= len(polygon)", "a polygon without end", TAKEN),
    broken(CLOUD, "if len(corners) == len(polygon) else None", "", "corners that are none left out", TAKEN),
    broken(CLOUD, "np.asarray(self.xy) - origin", "np.asarray(self.xy)", "far from zero, digits are lost", SENT),
    broken(CLOUD, "bytes(-len(raw) % 4)", 'b""', "arrays that no browser can read in place", SENT),
    broken(
        CLOUD,
        "np.packbits(np.asarray(inside, bool))",
        "np.packbits(~np.asarray(inside, bool))",
        "the others chosen",
        "what_comes_beside_the_points_is_a_set_a_polygon_or_nothing",
    ),
    broken(
        CLOUD,
        "(values - low) / (high - low)",
        "values / high",
        "steps from zero",
        "numbers_are_coloured_in_steps_and_words_by_how_common_they_are",
    ),
    broken(
        CLOUD,
        "[states == 1, states == 0], [0, 1]",
        "[states == 1, states == 0], [1, 0]",
        "absent for present",
        "numbers_are_coloured_in_steps_and_words_by_how_common_they_are",
    ),
    broken(CLOUD, "        if lost:\n", "        if False:\n", "points without a place", "a_cloud_that_cannot_be_drawn_says_why"),
    broken(
        LOST,
        "found[start : start + BLOCK] = 1 - ",
        "found[start : start + BLOCK] = ",
        "kept for lost",
        "a_map_that_keeps_a_neighbour_does_not_lose_it",
    ),
    broken(
        LOST,
        "start + np.arange(len(rows))] = np.inf",
        "start + np.arange(len(rows))] = 0",
        "its own neighbour",
        "lost_neighbours_equal_a_full_sort",
    ),
    broken(COLOURING, "np.where(places >= 0, values, np.nan)", "values", "a study that is gone in another's colour", COLOURED),
]
