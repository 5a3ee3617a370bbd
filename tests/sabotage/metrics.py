"""Breaks of the curves that a test must notice."""

from tests.sabotage import Sabotage

TARGET, TEST = "workbench/analysis/metrics.py", "tests/unit/test_metrics.py"
SABOTAGES = [
    Sabotage(
        TARGET,
        "file.seek(self.cursor)",
        "file.seek(0)",
        [f"{TEST}::test_only_new_bytes_are_read_and_a_torn_line_waits"],
        "reads everything again",
    ),
    Sabotage(
        TARGET,
        'data[: data.rfind(b"\\n") + 1]',
        "data",
        [f"{TEST}::test_only_new_bytes_are_read_and_a_torn_line_waits"],
        "takes half a line for a whole one",
    ),
    Sabotage(
        TARGET,
        '(steps > event["step"])',
        '(steps >= event["step"])',
        [f"{TEST}::test_a_resume_supersedes_what_came_after_its_checkpoint_like_the_metrics_view"],
        "drops the step of the checkpoint itself",
    ),
    Sabotage(
        TARGET,
        "np.argmin(stretch[finite])",
        "0",
        [f"{TEST}::test_down_sampling_keeps_ends_and_spikes"],
        "keeps the first of a stretch, not its smallest",
    ),
    Sabotage(
        TARGET,
        "if size < self.cursor:",
        "if False:",
        [f"{TEST}::test_a_shorter_file_is_read_from_its_start"],
        "never notices a replaced file",
    ),
    Sabotage(
        TARGET,
        "run.probe(0).get(key.name",
        "run.probe(0).get(key.group",
        [f"{TEST}::test_levels_and_kinds_of_a_metric"],
        "no untrained level",
    ),
    Sabotage(TARGET, "len(recent) / recent.sum()", "recent.sum() / len(recent)", [f"{TEST}::test_rate_and_progress"], "seconds per step"),
]
