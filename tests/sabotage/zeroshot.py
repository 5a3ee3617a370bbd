"""Breaks of prompts, decisions, calibration, subgroups, the evaluation and its page that a test must notice."""

from tests.sabotage import Sabotage

DECISIONS, CALIBRATION, GROUPS, ZERO, BOOT = (
    f"workbench/analysis/{name}.py" for name in ("decisions", "calibration", "groups", "zeroshot", "_bootstrap")
)
BANK, PROMPTS, CONTROLS, CAPABLE = (f"workbench/{name}.py" for name in ("prompt_bank", "prompts", "controls", "capable"))
SUITE, JOB, FOREST, PAGE = (
    "workbench/evaluation/zero_shot.py",
    "training/jobs/prompts.py",
    "workbench/figures/zeroshot.py",
    "app/prompted.py",
)
FILES = {
    DECISIONS: "unit/test_decisions",
    BOOT: "unit/test_decisions",
    CALIBRATION: "unit/test_calibration",
    GROUPS: "unit/test_groups",
    ZERO: "unit/test_zeroshot",
    BANK: "unit/test_prompt_bank",
    FOREST: "unit/test_figures_zeroshot",
    PAGE: "app/test_zero_shot",
}


def broken(target: str, find: str, replace: str, why: str, *tests: str) -> Sabotage:
    file = f"tests/{FILES.get(target, 'unit/test_evaluation')}.py"
    return Sabotage(target, find, replace, [f"{file}::test_{test}" for test in tests], why)


SABOTAGES = [
    broken(
        DECISIONS,
        'last = np.searchsorted(group, holding, side="right")',
        'last = np.searchsorted(group, holding, side="left") + 1',
        "ties are taken one by one",
        "average_precision_is_the_sum_of_recall_steps_times_precision_ties_as_one",
    ),
    broken(
        DECISIONS,
        "found / np.maximum(listed, 1)",
        "found / np.maximum(listed + 1, 1)",
        "one more listed than there is",
        "patients_drawn_twice_count_twice",
    ),
    broken(
        DECISIONS,
        "self.rows = np.bincount(member, minlength=count).astype(float)",
        "self.rows = np.ones(count)",
        "patients with many rows count once",
        "patients_drawn_twice_count_twice",
    ),
    broken(
        DECISIONS,
        "effective = n / max(1.0, variance / alone) if alone > 0 else float(count)",
        "effective = float(n)",
        "rows of one patient as if of many",
        "intervals_hold_the_value_and_widen_with_clustering",
        "wilsons_interval_at_one_row_a_patient_and_its_coverage_with_clusters",
    ),
    broken(
        DECISIONS,
        "    if too_few(*classes):",
        "    if False:",
        "an interval from nine patients",
        "too_few_patients_are_counts_and_few_are_flagged",
    ),
    broken(
        DECISIONS,
        "best = int(np.argmax(sensitivity - alarms))",
        "best = int(np.argmax(sensitivity))",
        "everything is called positive",
        "the_threshold_has_the_largest_sum_of_sensitivity_and_specificity",
    ),
    broken(
        DECISIONS,
        "return float((last + below) / 2)",
        "return float(last)",
        "the cut on a score itself",
        "the_threshold_has_the_largest_sum_of_sensitivity_and_specificity",
    ),
    broken(
        DECISIONS,
        "found = [fit(scores[fold != each], labels[fold != each])",
        "found = [fit(scores[fold == each], labels[fold == each])",
        "fitted on the patients it judges",
        "what_is_crossfitted_never_saw_the_patient",
    ),
    broken(
        DECISIONS,
        "value = float(np.mean([values[label] for label in included]))",
        "value = float(np.mean(values))",
        "labels with too few patients in the mean",
        "a_macro_score_is_the_mean_with_patients_drawn_jointly",
    ),
    broken(
        BOOT,
        'return times_drawn(rng(seed, "bootstrap", 0, count), count, resamples)',
        'return times_drawn(rng(seed, "bootstrap", 0, count), count, resamples) * 0 + 1',
        "no patient is drawn",
        "intervals_hold_the_value_and_widen_with_clustering",
    ),
    broken(
        CALIBRATION,
        "target = np.where(positive, (positive.sum() + 1) / (positive.sum() + 2), 1 / ((~positive).sum() + 2))",
        "target = positive.astype(float)",
        "targets of 0 and 1",
        "the_logistic_map_has_the_largest_likelihood_of_platts_targets",
    ),
    broken(
        CALIBRATION,
        "found[1] - found[0] * x.mean() / spread",
        "found[1]",
        "the intercept of centred scores",
        "the_logistic_map_has_the_largest_likelihood_of_platts_targets",
    ),
    broken(
        CALIBRATION,
        "return float(np.sum(gaps * rows) / len(predicted))",
        "return float(np.mean(gaps))",
        "small bins count as much as large ones",
        "ties_share_a_bin_and_gaps_are_left_out",
    ),
    broken(
        CALIBRATION,
        "random((200, len(predicted))) < predicted",
        "random((200, len(predicted))) < predicted.mean()",
        "the floor of a model that says the same to all",
        "a_calibrated_model_reads_about_its_floor_and_an_overconfident_one_more",
    ),
    broken(
        CALIBRATION,
        'np.unique(np.searchsorted(edges, predicted, side="right"), return_inverse=True)[1]',
        'np.argsort(np.argsort(predicted, kind="stable"), kind="stable") * bins // len(predicted)',
        "ties are torn apart",
        "ties_share_a_bin_and_gaps_are_left_out",
    ),
    broken(GROUPS, "if border <= age", "if border < age", "forty is under forty", "bands_meet_without_gap"),
    broken(
        GROUPS,
        "values = np.asarray(covariates[kind])[studies]",
        "values = np.asarray(covariates[kind])[: len(studies)]",
        "the covariates of other studies",
        "every_study_is_in_one_group_of_a_kind_or_its_value_is_not_known",
    ),
    broken(
        GROUPS,
        "share_interval(~called[absent]",
        "share_interval(called[absent]",
        "false alarms as specificity",
        "numbers_of_a_group_are_those_of_its_studies",
    ),
    broken(
        ZERO,
        "fits = (decisions.thresholds, calibration.platts)\n    if crossfit:",
        "fits = (decisions.thresholds, calibration.platts)\n    if False:",
        "cut where the judged patients like it best",
        "on_validation_itself_the_cut_comes_from_other_patients",
    ),
    broken(
        ZERO,
        "self.among((self.labels > 0.5).sum(1) == 1)",
        "self.among((self.labels > 0.5).sum(1) >= 1)",
        "studies of two classes kept",
        "classes_keep_the_studies_of_exactly_one_and_the_largest_decides",
    ),
    broken(ZERO, "(label + shift) % k", "label", "the label's own prompts", "exchanged_prompts_read_chance_where_findings_are_independent"),
    broken(
        ZERO,
        "return order[known[order] < 0.5][:count]",
        "return order[known[order] > 0.5][:count]",
        "the right ones as the worst",
        "the_worst_are_the_highest_without_and_the_lowest_with",
    ),
    broken(
        ZERO,
        "labels = np.where(np.isfinite(thresholds)",
        "labels = np.where(np.isfinite(margin)",
        "without a threshold everything is called absent",
        "few_studies_or_one_sided_validation_are_counts_and_no_error",
    ),
    broken(
        ZERO,
        'return expit(found / temperature) if mode == "findings"',
        'return expit(found) if mode == "findings"',
        "the temperature left out",
        "classes_are_scored_by_their_own_prompts_and_softmax",
    ),
    broken(
        ZERO,
        "np.maximum(self.prevalence, 1 - self.prevalence)",
        "self.prevalence",
        "the rarer answer as the trivial one",
        "the_table_has_a_row_a_label_and_the_macro_last",
    ),
    broken(BANK, "if not said:", "if False:", "an empty prompt", "what_is_no_bank_is_refused_in_a_sentence"),
    broken(BANK, "if len(said) > CHARACTERS:", "if False:", "a prompt of any length", "what_is_no_bank_is_refused_in_a_sentence"),
    broken(BANK, "if not said.isprintable():", "if False:", "control characters", "what_is_no_bank_is_refused_in_a_sentence"),
    broken(BANK, "if label not in labels:", "if False:", "a finding nobody labelled", "what_is_no_bank_is_refused_in_a_sentence"),
    broken(
        BANK,
        "template.replace(SLOT, words)",
        "template.format(words, x=words)",
        "a template is evaluated",
        "a_template_fills_one_slot_and_evaluates_nothing",
    ),
    broken(BANK, "if len(data) > BYTES:", "if False:", "a file of any size", "a_file_that_multiplies_itself_is_cheap_to_refuse"),
    broken(
        BANK,
        "yaml.safe_load(data.decode())",
        "yaml.unsafe_load(data.decode())",
        "a file may run code",
        "what_is_no_bank_is_refused_in_a_sentence",
    ),
    broken(
        PROMPTS,
        "    method.train(training)\n    return found\n",
        "    return found\n",
        "training goes on in eval mode",
        "prompts_leave_a_method_in_training_as_it_was",
    ),
    broken(
        PROMPTS, "    method.eval()\n", "    method.train()\n", "prompts move the BatchNorm", "prompts_leave_a_method_in_training_as_it_was"
    ),
    broken(
        PROMPTS,
        "(part == unknown).sum()",
        "(part != unknown).sum()",
        "known words as unknown",
        "the_job_gives_each_prompt_its_vector_and_says_what_it_could_not_read",
    ),
    broken(
        JOB,
        'texts = [prompt_bank.prompt(text, f"prompt {place + 1}") for place, text in enumerate(given)]',
        "texts = list(given)",
        "the worker takes any text",
        "the_job_gives_each_prompt_its_vector_and_says_what_it_could_not_read",
    ),
    broken(
        CONTROLS,
        'all(source.get("texts") == "shuffled" for',
        "any(True for",
        "any run as the control",
        "the_shuffled_control_differs_by_its_texts_alone",
    ),
    broken(
        CONTROLS,
        "if shuffled(each) and settings(each) == settings(run)",
        "if shuffled(each)",
        "a control of another width",
        "the_shuffled_control_differs_by_its_texts_alone",
    ),
    broken(
        CONTROLS,
        'and status["state"] == "finished"',
        "and True",
        "a control that never trained",
        "the_shuffled_control_differs_by_its_texts_alone",
    ),
    broken(
        CAPABLE,
        '    if capability in (status.get("capabilities") or []):\n        return\n',
        "    return\n",
        "prompts for a method without text",
        "a_run_without_the_capability_names_those_that_have_it",
    ),
    broken(
        SUITE,
        "    if given is None:\n        return own",
        "    if True:\n        return own",
        "the file is never read",
        "prompts_of_a_file_and_what_is_refused",
    ),
    broken(
        FOREST,
        "theme.plain(theme.clip(name, 22))",
        "theme.clip(name, 22)",
        "a label's markup is read",
        "a_forest_holds_every_number_and_its_chance",
    ),
    broken(
        FOREST,
        '{"color": colour if bounds else canvas.palette.paper,',
        '{"color": colour,',
        "a number without interval looks like one with",
        "a_number_without_interval_is_hollow",
    ),
    broken(
        PAGE,
        'if loaded.allowed == "nothing":',
        "if False:",
        "films on the page against their terms",
        "films_stay_off_the_page_where_terms_are_credentialed",
    ),
    broken(
        PAGE,
        "shown = keys if loaded.open else studies.hashed(keys)",
        "shown = keys",
        "keys in the open",
        "films_stay_off_the_page_where_terms_are_credentialed",
    ),
]
