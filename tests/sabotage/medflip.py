"""Breaks of the Medical-SVD, of semantic targets, of MedFLIP and of stages that set live fields, which a test must notice."""

from tests.sabotage import Sabotage

GEOMETRY, SINGULAR, SEMANTIC = "workbench/losses/geometry.py", "workbench/losses/singular.py", "workbench/losses/semantic.py"
CONTRASTIVE, MEANING, METHOD = "workbench/losses/contrastive.py", "workbench/nn/meaning.py", "workbench/methods/medflip.py"
LANGUAGE, TEXT, LOOP, KNOBS = "workbench/nn/language.py", "workbench/text.py", "training/loop.py", "training/knobs.py"
SVD, LIKE, UNIT, GOLDEN = "tests/unit/test_losses_svd.py", "tests/unit/test_losses_semantic.py", "tests/unit/test_medflip.py", "tests/golden/test_losses.py"  # fmt: skip
FORM_A, FORM_B = f"{SVD}::test_form_a_is_the_contrast_of_singular_values[16]", f"{SVD}::test_form_b_follows_its_equation[relu]"
LARGE = f"{SVD}::test_above_the_exact_size_iterations_find_the_same[noise]"
TWO, ONE_VIEW = (
    f"{UNIT}::test_two_processes_with_unequal_shares_equal_one_value_and_gradient",
    f"{UNIT}::test_one_masked_view_is_reconstructed_and_compared_with_its_text",
)
EXCLUDE, END = (
    f"{UNIT}::test_settings_that_exclude_each_other_are_refused_before_the_run",
    f"{UNIT}::test_the_unmasked_end_is_a_stage_and_a_resume_within_it_is_exact[0]",
)

SABOTAGES = [
    Sabotage(GEOMETRY, "else (1 + similarity) / 2", "else 1 + similarity", [f"{SVD}::test_signs"], "shifted cosines up to 2"),
    Sabotage(GEOMETRY, 'if sign == "relu" else', 'if sign == "shift" else', [f"{SVD}::test_signs", FORM_B], "signs exchanged"),
    Sabotage(GEOMETRY, "_rise(values, 1 - mask)", "_rise(values, mask)", [FORM_B, f"{GOLDEN}::test_svd_masked"], "positives called negatives"),
    Sabotage(GEOMETRY, "return 1 - largest_singular(values * mask) / largest_singular(mask)", "return 1 - largest_singular(values * mask) / mask.sum()", [FORM_B], "divided by the number of positives"),
    Sabotage(GEOMETRY, "values.diagonal().mean()", "values.diagonal().amax()", [f"{SVD}::test_with_pairs_alone_form_b_moves_one_pair_and_the_mean_moves_all"], "the best pair alone learns"),
    Sabotage(GEOMETRY, "* word_mask[..., None]", "", [FORM_A], "padding compared as words"),
    Sabotage(GEOMETRY, ".to(singular.dtype).sqrt()", ".to(singular.dtype)", [FORM_A, f"{GOLDEN}::test_svd_tokens"], "another bound than the Frobenius norm's"),
    Sabotage(GEOMETRY, "told_apart(affinity, text_ids, duplicates)", "told_apart(affinity)", [FORM_A], "equal texts are negatives"),
    Sabotage(GEOMETRY, "return -largest_singular(similarity)", "return largest_singular(similarity)", [f"{SVD}::test_form_c_is_least_at_collapse"], "form C with the other sign"),
    Sabotage(GEOMETRY, "(similarity / temperature).softmax(1)", "(similarity / temperature).softmax(0)", [f"{SVD}::test_form_d_follows_its_equation"], "softmax over images"),
    Sabotage(GEOMETRY, "if int(positives.sum()) == len(positives):", "if False:", [f"{UNIT}::test_pairs_alone_take_the_mean_over_pairs"], "the maximum where only pairs match"),
    Sabotage(SINGULAR, "matrix.sum() * torch.nan", "matrix.sum() * 0", [f"{SVD}::test_what_is_not_finite_gives_nan_and_raises_nothing[nan]"], "infinity read as nothing"),
    Sabotage(SINGULAR, "SQUARINGS = 16", "SQUARINGS = 1", [f"{SVD}::test_value_and_gradient_are_those_of_svdvals[shape3]"], "stops long before the top vector"),
    Sabotage(SINGULAR, "RESIDUAL = 1e-6", "RESIDUAL = 1e-1", [LARGE], "iterations stop early"),
    Sabotage(SINGULAR, "<= EXACT else lanczos", "<= 2 * EXACT else lanczos", [f"{SVD}::test_large_matrices_are_not_decomposed_whole"], "large matrices squared"),
    Sabotage(SINGULAR, "    if not matrix.numel():\n        return matrix.sum()\n", "", [f"{SVD}::test_ties_zeros_and_empty_matrices_have_finite_gradients[5]"], "an empty matrix raises"),
    Sabotage(SINGULAR, "v = top_vectors(fixed)", "v = top_vectors(matrix.T)", [f"{SVD}::test_value_and_gradient_are_those_of_svdvals[shape0]"], "the left vector for the right"),
    Sabotage(SEMANTIC, "~labels.isnan().all(1", "~labels.isnan().any(1", [f"{LIKE}::test_labels_not_stated_are_no_likeness_and_no_finding_is_one"], "one unstated label hides a normal study"),
    Sabotage(SEMANTIC, "found[:, known != 0]", "found", [f"{LIKE}::test_concepts_are_columns_whatever_their_numbers_and_order"], "padding is a concept"),
    Sabotage(SEMANTIC, 'if measure == "cosine" else', 'if measure == "dot" else', [f"{LIKE}::test_similarities"], "cosine and dot exchanged"),
    Sabotage(SEMANTIC, "(similarity > above) | (text_ids", "(similarity > above) & (text_ids", [f"{LIKE}::test_positive_pairs_hold_every_study_s_own_text_and_equal_texts"], "only equal texts that are alike"),
    Sabotage(CONTRASTIVE, ".sum() / (2 * len(targets))", ".sum()", [f"{UNIT}::test_hard_targets_call_equal_texts_wrong_and_soft_ones_do_not"], "a floor that grows with the batch"),
    Sabotage(MEANING, '"text": 0.85', '"text": 0.0', [f"{UNIT}::test_what_makes_a_positive"], "every pair of texts a positive"),
    Sabotage(MEANING, "if len(alike) and not bool(alike.any()):", "if False:", [f"{UNIT}::test_a_study_like_nothing_keeps_its_own_text_and_none_alike_is_refused"], "uniform targets in silence"),
    Sabotage(MEANING, "return alike + torch.diag((alike.diagonal() == 0).to(alike.dtype))", "return alike", [f"{UNIT}::test_a_study_like_nothing_keeps_its_own_text_and_none_alike_is_refused"], "a study without labels is not like its text"),
    Sabotage(MEANING, "and sample.get(config.targets) is None", "and False", [f"{UNIT}::test_targets_that_the_data_lack_are_named"], "targets that the data lack"),
    Sabotage(MEANING, 'if config.duplicates == "hard" else text_ids', 'if config.duplicates != "hard" else text_ids', [f"{UNIT}::test_pairs_alone_take_the_mean_over_pairs"], "equal texts the other way round"),
    Sabotage(TEXT, 'each["assertion"] == "present" and each["label"]', 'each["label"]', [f"{UNIT}::test_targets_from_text_and_from_what_reports_affirm"], "what a report denies counts"),
    Sabotage(METHOD, "kept if removed.shape[1] else None", "None", [ONE_VIEW], "the contrast sees whole images"),
    Sabotage(METHOD, "encoded = self.encode(self.shown(batch))", 'encoded = self.encode(self.shown(batch), split_mask(batch["extra"]["mask"])[0])', [f"{UNIT}::test_evaluation_sees_whole_images"], "evaluation sees half"),
    Sabotage(METHOD, "Mean(loss * removed.numel(), removed.numel())", "Mean(loss, 1)", [ONE_VIEW, TWO], "a mean where the loop expects a sum"),
    Sabotage(METHOD, "soft_clip(u, v, alike / config.target_temperature,", "soft_clip(u, v, alike,", [ONE_VIEW], "targets at temperature 1"),
    Sabotage(METHOD, "texts = gathered_rows(batch_size)", "texts = batch_size", [TWO], "chance among one process's texts"),
    Sabotage(METHOD, "u, v = every(x[told]), every(y[told])", "u, v = x[told], y[told]", [TWO], "the batch of one process"),
    Sabotage(METHOD, "if self.vision != VIT and self.mask_ratio:", "if False:", [EXCLUDE], "a tower that cannot drop patches is masked"),
    Sabotage(METHOD, "if not config.mask_ratio and config.weights.pixels:", "if False:", [EXCLUDE], "reconstruction of nothing"),
    Sabotage(METHOD, "if float(self.weight.pixels):", "if True:", [f"{UNIT}::test_terms_of_weight_zero_cost_nothing"], "the decoder works for nothing"),
    Sabotage(METHOD, "cosines.relu() * mask) / most", "cosines.relu()) / most", [f"{UNIT}::test_the_mechanism_in_numbers"], "one singular value for both"),
    Sabotage(METHOD, "affinity[others].mean()", "affinity.mean()", [f"{UNIT}::test_the_mechanism_of_tokens_compares_own_reports_with_others"], "own reports among the others"),
    Sabotage(METHOD, "largest_singular(cosines) / max(len(cosines), 1)", "largest_singular(cosines)", [f"{UNIT}::test_the_mechanism_in_numbers"], "grows with the batch"),
    Sabotage(LANGUAGE, "found[1 : length - 1]", "found[:length]", [f"{UNIT}::test_words_are_the_hidden_states_between_the_marks"], "marks are words"),
    Sabotage(LOOP, "self.method.config = of_stage(stage, self.base_method)", "pass", [END], "a stage's mask ratio is ignored"),
    Sabotage(KNOBS, "wrong = [name for name in stage.method if name not in live]", "wrong = []", [f"{UNIT}::test_a_stage_sets_live_fields_within_bounds_only[given0-method.depth: not a live field]"], "a stage changes the architecture"),
]  # fmt: skip
