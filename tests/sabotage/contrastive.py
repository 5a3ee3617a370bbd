"""Breaks of the contrastive losses and of the supervised one that a test must notice."""

from tests.sabotage import Sabotage

TARGET, UNIT, GOLDEN = "workbench/losses/contrastive.py", "tests/unit/test_losses.py", "tests/golden/test_losses.py"
EQUATION = f"{UNIT}::test_info_nce_follows_its_equation"
SABOTAGES = [
    Sabotage(
        TARGET, "T / temperature", "T * temperature", [f"{GOLDEN}::test_info_nce", f"{EQUATION}[hard]"], "multiplies by the temperature"
    ),
    Sabotage(TARGET, "_cross_entropy(logits.T, back)", "_cross_entropy(logits, back)", [f"{GOLDEN}::test_info_nce"], "one direction twice"),
    Sabotage(
        TARGET, "back)) / 2", "back))", [f"{GOLDEN}::test_info_nce", f"{GOLDEN}::test_soft_clip_with_dot_products"], "sum of the directions"
    ),
    Sabotage(TARGET, "return -(targets", "return (targets", [f"{GOLDEN}::test_info_nce"], "sign flipped"),
    Sabotage(TARGET, "sum(1).mean()", "sum(1).sum()", [f"{EQUATION}[hard]"], "sum over the batch"),
    Sabotage(TARGET, "told_apart(normalize(x, dim=1) @", "told_apart(x @", [f"{EQUATION}[hard]"], "images not scaled to unit length"),
    Sabotage(
        TARGET,
        "same & (targets == 0)",
        "same",
        [f"{EQUATION}[drop_duplicates]"],
        "drops the pair itself",
    ),
    Sabotage(
        TARGET,
        "same & (targets == 0), -torch.inf",
        "same & (targets == 0), 0",
        [f"{EQUATION}[drop_duplicates]", f"{UNIT}::test_hard_mode_is_wrong_where_texts_repeat"],
        "a dropped pair still counts",
    ),
    Sabotage(
        TARGET,
        "text_ids[:, None] == text_ids",
        "text_ids[:, None] != text_ids",
        [f"{EQUATION}[soft_targets]"],
        "different texts called equal",
    ),
    Sabotage(TARGET, "/ same.sum(1, keepdim=True)", "/ 1", [f"{EQUATION}[soft_targets]"], "targets that do not sum to one"),
    Sabotage(
        TARGET, "targets.T.softmax(1)", "targets.softmax(1)", [f"{UNIT}::test_soft_clip_follows_its_equation"], "targets not transposed"
    ),
    Sabotage(
        TARGET,
        "targets.softmax(1), targets.T",
        "targets, targets.T",
        [f"{GOLDEN}::test_soft_clip_with_cosines"],
        "raw similarities as targets",
    ),
    Sabotage(TARGET, "logits = scale *", "logits = 1 / scale *", [f"{GOLDEN}::test_soft_clip_with_dot_products"], "divides by the scale"),
    Sabotage(
        "workbench/losses/classification.py",
        "(each * stated).sum()",
        "each.sum()",
        [f"{UNIT}::test_labels_not_stated_do_not_count"],
        "a label not stated counts as absent",
    ),
]
