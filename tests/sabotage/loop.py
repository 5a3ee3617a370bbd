"""Breaks of the training loop that a test must notice."""

from tests.sabotage import Sabotage

LOOP, DEMO = "tests/unit/test_loop.py", "tests/unit/test_demo.py"
SABOTAGES = [
    Sabotage(
        "training/step.py",
        "loss + getattr(self.method.weight, name) * term.sum * self.world / totals[name]",
        "loss + getattr(self.method.weight, name) * term.sum / totals[name]",
        [f"{LOOP}::test_two_processes_train_like_one"],
        "forgets that DDP averages",
    ),
    Sabotage(
        "training/step.py",
        "            if final:\n                norms.append",
        "            if True:\n                norms.append",
        [f"{LOOP}::test_three_passes_sharing_an_optimizer_take_one_step_on_the_summed_gradient"],
        "steps after every phase of a shared optimizer",
    ),
    Sabotage(
        "training/loop.py",
        "if not skip:\n                raise",
        "if False:\n                raise",
        [f"{LOOP}::test_a_loss_that_is_not_finite_leaves_a_black_box"],
        "goes on after a NaN",
    ),
    Sabotage(
        "training/loop.py",
        "buffer.copy_(before[name])",
        "buffer.copy_(buffer)",
        [f"{LOOP}::test_skipping_goes_on_after_a_loss_that_is_not_finite"],
        "leaves the NaN in the batch statistics",
    ),
    Sabotage(
        "training/loop.py",
        'optimizer.load_state_dict(state["optimizers"][name])',
        "optimizer.state_dict()",
        [f"{LOOP}::test_resume_equals_the_uninterrupted_run_to_the_bit", f"{DEMO}::test_an_arm_of_the_demo_resumes_to_the_bit"],
        "resumes without the moments",
    ),
    Sabotage(
        "training/order.py",
        "[batch * share : (batch + 1) * share]",
        "[0:share]",
        [f"{LOOP}::test_the_order_visits_every_study_once_an_epoch"],
        "shows the first batch at every step",
    ),
    Sabotage(
        "training/demo.py",
        "for low, high in itertools.pairwise(order) for seed in range(seeds)",
        "for low, high in itertools.pairwise(order) for seed in range(1)",
        [f"{DEMO}::test_an_order_is_told_only_where_every_seed_shows_it"],
        "claims an order that one seed shows",
    ),
]
