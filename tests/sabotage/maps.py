"""Breaks of the map and of the prompt rule that a test must notice."""

from tests.sabotage import Sabotage

MAP, ZERO = "workbench/analysis/projection.py", "workbench/analysis/zeroshot.py"


def broken(target: str, find: str, replace: str, why: str, *tests: str) -> Sabotage:
    file = "tests/unit/test_projection.py" if target == MAP else "tests/unit/test_zeroshot.py"
    return Sabotage(target, find, replace, [f"{file}::test_{test}" for test in tests], why)


SABOTAGES = [
    broken(
        MAP, "vectors[:, ::-1][:, :2]", "vectors[:, :2]", "the smallest axes", "axes_are_those_of_the_largest_variance_with_their_shares"
    ),
    broken(
        MAP, "    z = z - z.mean(0)", "    z = z - 0 * z.mean(0)", "not centred", "axes_are_those_of_the_largest_variance_with_their_shares"
    ),
    broken(
        MAP,
        "values[::-1][:2], 0) / total",
        "values[::-1][:2], 0) / values[-1]",
        "shares of the first",
        "axes_are_those_of_the_largest_variance_with_their_shares",
    ),
    broken(MAP, "xy * like.xy", "-xy * like.xy", "turned away from the guide", "signs_do_not_flip"),
    broken(MAP, "xy**3", "-(xy**3)", "the tail to the left", "signs_do_not_flip"),
    broken(MAP, "and like.keys == embeddings.keys", "", "other studies as a guide", "signs_do_not_flip"),
    broken(
        MAP,
        "high, low = distances(z), distances(xy)",
        "low, high = distances(z), distances(xy)",
        "trustworthiness and continuity swapped",
        "trustworthiness_and_continuity",
    ),
    broken(
        MAP, "2 / (n * k * (2 * n - 3 * k - 1))", "2 / (n * k * (2 * n - k - 1))", "another normaliser", "trustworthiness_and_continuity"
    ),
    broken(MAP, "np.maximum(place - k, 0)", "np.maximum(place - k - 1, 0)", "off by one place", "trustworthiness_and_continuity"),
    broken(
        MAP,
        "np.linspace(0, len(z) - 1, EXACT).astype(int)",
        "np.arange(EXACT)",
        "the first instead of an even subset",
        "many_studies_are_compared_on_an_even_subset",
    ),
    broken(
        ZERO, "sides[0] - sides[1]", "sides[1] - sides[0]", "denial minus finding", "the_difference_of_mean_cosines_template_by_template"
    ),
    broken(
        ZERO,
        "    return sides[0] - sides[1]",
        "    return sides[0]",
        "the positive prompt alone",
        "the_denial_removes_what_both_prompts_share",
        "lengths_do_not_count_and_sides_are_opposed",
    ),
    broken(
        ZERO,
        "z = unit(image)\n    sides",
        "z = np.asarray(image)\n    sides",
        "images keep their length",
        "lengths_do_not_count_and_sides_are_opposed",
    ),
    broken(
        ZERO,
        "unit(prompts).T).mean(1)",
        "unit(prompts.mean(0, keepdims=True)).T).mean(1)",
        "templates averaged before their cosine",
        "the_difference_of_mean_cosines_template_by_template",
    ),
    broken(ZERO, "if len(positive) != len(negative):", "if False:", "a label without its denial", "every_label_needs_both_sides"),
]
