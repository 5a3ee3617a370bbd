"""Breaks of the geometric losses and of float32 inside losses that a test must notice."""

from tests.sabotage import Sabotage

TARGET, UNIT, GOLDEN = "workbench/losses/geometry.py", "tests/unit/test_losses.py", "tests/golden/test_losses.py"
FLOOR = [
    f"{UNIT}::test_orthogonality_reaches_its_floor_and_no_lower[official-0.2-sum]",
    f"{UNIT}::test_orthogonality_reaches_its_floor_and_no_lower[correlation-None-mean]",
]
SABOTAGES = [
    Sabotage(TARGET, "(4 - 4 *", "(4 + 4 *", [f"{GOLDEN}::test_mflag_alignment", f"{UNIT}::test_alignment_ends"], "pushes pairs apart"),
    Sabotage(
        TARGET,
        "normalize(y, dim=1)).sum(1)",
        "normalize(y.detach(), dim=1)).sum(1)",
        [f"{UNIT}::test_alignment_ends"],
        "no gradient to the text",
    ),
    Sabotage(TARGET, "normalize(x, dim=1) *", "normalize(x, dim=0) *", [f"{GOLDEN}::test_mflag_alignment"], "scales columns, not rows"),
    Sabotage(TARGET, "z.T @ z / len(z)", "z.T @ z / (len(z) - 1)", [f"{GOLDEN}::test_orthogonality_official"], "divides by b - 1"),
    Sabotage(
        TARGET, "z.T @ z / len(z)", "z @ z.T / len(z)", [f"{GOLDEN}::test_orthogonality_official"], "the rows' matrix, not the columns'"
    ),
    Sabotage(
        TARGET, "weight * off_diagonal) / 2", "weight * off_diagonal)", [f"{GOLDEN}::test_orthogonality_correlation"], "without the half"
    ),
    Sabotage(TARGET, "z.mean(0)", "z.mean(1, keepdim=True)", [f"{GOLDEN}::test_orthogonality_correlation"], "centres rows"),
    Sabotage(
        TARGET,
        "second_moment.square().sum() - diagonal",
        "second_moment.square().sum() + diagonal",
        [f"{UNIT}::test_orthogonality_is_zero_for_orthonormal_columns"],
        "counts the diagonal as off-diagonal",
    ),
    Sabotage(TARGET, "OFFICIAL_WEIGHT = 0.0051", "OFFICIAL_WEIGHT = 0.005", [f"{GOLDEN}::test_orthogonality_official"], "another lambda"),
    Sabotage(TARGET, "else rows - 1, 1)", "else rows, 1)", FLOOR[1:], "forgets that centring costs a rank"),
    Sabotage(
        TARGET,
        "(features / rank - 1,",
        "(features / rank,",
        [*FLOOR, f"{UNIT}::test_published_floors"],
        "the diagonal counted in the floor",
    ),
    Sabotage(
        "workbench/losses/precision.py",
        "enabled=False",
        "enabled=torch.is_autocast_enabled(device)",
        [
            f"{UNIT}::test_losses_stay_float32_under_bf16_autocast[orthogonality]",
            f"{UNIT}::test_losses_stay_float32_under_bf16_autocast[info_nce]",
        ],
        "autocast reaches into the loss",
    ),
    Sabotage(
        "workbench/losses/precision.py",
        "value.float() if half else value",
        "value",
        [f"{UNIT}::test_losses_stay_float32_under_bf16_autocast[orthogonality]"],
        "a half-precision matrix stays one",
    ),
]
