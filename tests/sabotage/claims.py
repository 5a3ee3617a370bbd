"""Breaks of claims and study files that a test must notice."""

from tests.sabotage import Sabotage

ANALYSIS, MEASURES, PAIRED, PLANS = "workbench/analysis/claims.py", "training/measures.py", "training/paired.py", "training/plans.py"
STUDY, ARMS, ASKED, STUDIES = "training/studies/claims.py", "training/arms.py", "training/asked.py", "training/studies/__init__.py"
UNIT, FILES, OF = "tests/unit/test_claims.py", "tests/unit/test_study_files.py", "tests/unit/test_measures.py"
PAIRED_T, ONE_CONTROL = f"{UNIT}::test_the_gain_is_the_paired_t_of_each_seed_against_itself", f"{FILES}::test_rows_are_judged_against_one_control_of_their_method"  # fmt: skip
LOW, WITHHELD = f"{UNIT}::test_what_is_better_when_low_gains_by_falling", f"{UNIT}::test_what_t_cannot_tell_is_withheld_with_the_reason"
COUNTS, STARTS, ORDER = f"{UNIT}::test_a_row_counts_as_run_only_for_the_claim_it_was_run_for", f"{FILES}::test_a_run_that_started_otherwise_is_not_paired", f"{FILES}::test_seeds_of_a_row_and_its_control_start_alike_and_see_the_same_order"  # fmt: skip
NOT_RUN, TABLE, APART, PLAN = f"{FILES}::test_what_did_not_run_says_so_and_a_finished_table_trains_nothing", f"{FILES}::test_a_table_that_cannot_be_run_is_refused_when_it_is_read", f"{FILES}::test_what_is_tried_out_lies_apart_and_is_no_result", f"{FILES}::test_a_study_file_runs_from_training_to_its_table"  # fmt: skip
ADDS, KEPT, SAME, THERE = f"{OF}::test_what_one_side_adds_to_the_other_is_taken_from_the_mechanism_report", f"{OF}::test_a_measure_is_kept_and_one_that_is_no_number_is_refused", f"{OF}::test_every_arm_is_asked_for_the_same_hidden_words_and_patches", f"{FILES}::test_what_is_asked_of_a_study_must_be_there"  # fmt: skip
MARGINS, SINGULAR, GEOMETRY, READ = f"{OF}::test_margins_and_retrieval_are_of_test_films_and_their_reports", f"{OF}::test_singular_measures_follow_their_equations", f"{OF}::test_geometry_is_of_the_backbone_and_of_the_projection", f"{OF}::test_probe_and_zero_shot_are_judged_on_test"  # fmt: skip

SABOTAGES = [
    Sabotage(ANALYSIS, "sign * (other[seed] - control[seed]) for seed in sorted(control)", "sign * (a - b) for a, b in zip(other.values(), control.values())", [PAIRED_T], "pairing broken: values in the order given"),
    Sabotage(ANALYSIS, "sign * (other[seed]", "(other[seed]", [LOW], "the sign of what is better when low lost"),
    Sabotage(ANALYSIS, "student.ppf((1 + level) / 2, count - 1)", "student.ppf((1 + level) / 2, count)", [PAIRED_T], "one degree of freedom too many"),
    Sabotage(ANALYSIS, "if set(control) != set(other) or not control:", "if False:", [f"{UNIT}::test_seeds_that_do_not_pair_are_refused"], "other seeds compared"),
    Sabotage(ANALYSIS, "if not np.isfinite(difference).all():", "if False:", [f"{UNIT}::test_seeds_that_do_not_pair_are_refused"], "a seed that is no number"),
    Sabotage(ANALYSIS, "if count < 2:", "if False:", [WITHHELD], "a claim from one seed"),
    Sabotage(ANALYSIS, "if spread == 0:", "if False:", [WITHHELD], "an interval of no width"),
    Sabotage(ANALYSIS, 'return "up" if low > 0', 'return "up" if high > 0', [f"{UNIT}::test_a_mechanism_that_works_and_does_not_help_is_said_in_words"], "up without telling zero apart"),
    Sabotage(ANALYSIS, "mechanism {mechanism} and outcome {outcome}", "mechanism {outcome} and outcome {mechanism}", [f"{UNIT}::test_a_mechanism_that_works_and_does_not_help_is_said_in_words"], "mechanism and outcome exchanged"),
    Sabotage(ANALYSIS, 'told["claim"] == claim', 'told["claim"]["name"] == claim["name"]', [COUNTS], "a result of another claim"),
    Sabotage(ANALYSIS, '"shared": table.get("settings", {})', '"shared": {}', [COUNTS], "what every run shares is forgotten"),
    Sabotage(ANALYSIS, "except (KeyError, TypeError) as error:", "except ZeroDivisionError as error:", [f"{UNIT}::test_a_record_of_another_kind_is_refused"], "a record of another kind raises nothing useful"),
    Sabotage("workbench/notebook.py", 'REPOSITORY / "docs/results/claims.json" if record is None else Path(record)', 'REPOSITORY / "docs/results/claims.json"', [f"{UNIT}::test_the_front_door_reads_a_record"], "the named record is not read"),
    Sabotage(PAIRED, "if control.config[key] != other.config[key]:", "if False:", [ORDER], "other seeds or data paired"),
    Sabotage(PAIRED, "    if moved:\n", "    if False:\n", [STARTS], "other start weights paired"),
    Sabotage(PAIRED, "for arm in (control, other)]", "for arm in (other, control)]", [ONE_CONTROL, PLAN], "sign flipped: the control for the arm"),
    Sabotage(PAIRED, "paired_seeds(without, added, measure.sign)", "paired_seeds(without, added)", [ONE_CONTROL, PLAN], "low is called worse"),
    Sabotage(PAIRED, 'model_copy(update={"seed": seed})', 'model_copy(update={"seed": seeds[0]})', [ONE_CONTROL], "one seed for all"),
    Sabotage(PAIRED, 'if each.get("name") == name]', "]", [ONE_CONTROL], "settings of other rows counted"),
    Sabotage(STUDY, "claims.configured(row.method, {}, asked.settings)", "claims.configured(next(iter(claims.controls)), {}, asked.settings)", [ONE_CONTROL], "control of another method"),
    Sabotage(STUDY, "if row.name in chosen:", "if True:", [NOT_RUN], "rows run that nobody asked for"),
    Sabotage(STUDY, 'if (root / RECORD).is_file() else {"rows": {}}', 'if False else {"rows": {}}', [NOT_RUN], "earlier rows forgotten"),
    Sabotage(PLANS, "if method not in registry.names", "if False and method not in registry.names", [TABLE], "an unknown method"),
    Sabotage(PLANS, "if own != method:", "if False:", [TABLE], "a control of another method's recipe"),
    Sabotage(PLANS, "if row.method not in claims.controls:", "if False:", [TABLE], "a row without a control"),
    Sabotage(PLANS, "if outside:", "if False:", [TABLE], "a row changes the batch"),
    Sabotage(PLANS, "if names.count(row.name) > 1:", "if False:", [TABLE], "two rows of one name"),
    Sabotage(PLANS, "max_length=MOST_ROWS", "max_length=10**9", [TABLE], "more than twelve rows"),
    Sabotage(PLANS, "== checked(claims.configured(row.method, {}), where):", "== 0:", [TABLE], "a row that is its control"),
    Sabotage(PLANS, "if plan.control not in plan.arms:", "if False:", [f"{FILES}::test_a_study_that_cannot_be_run_is_refused_when_it_is_read"], "a control there is not"),
    Sabotage(ARMS, "if name != plan.control]", "]", [PLAN], "the control compared with itself"),
    Sabotage(ASKED, "if wrong:", "if False:", [THERE], "a row there is not"),
    Sabotage(ASKED, "and not 1 <= self.seeds <= len(seeds):", "and False:", [THERE], "more seeds than there are"),
    Sabotage(ASKED, "if self.only or self.changed():", "if False:", [THERE], "options that are not taken are taken in silence"),
    Sabotage(STUDIES, "if asked.results is not None and asked.changed():", "if False:", [APART], "changed settings recorded as a result"),
    Sabotage(STUDIES, '("-changed" if asked.changed() else "")', '""', [APART], "what was tried out takes a result's place"),
    Sabotage("training/records.py", 'parse_float=lambda text: float(f"{float(text):.6g}")', "parse_float=lambda text: 0.0", [f"{FILES}::test_a_copied_record_keeps_six_digits"], "numbers lost in the copy"),
    Sabotage("training/recipe.py", "{path}={json.dumps(value)}", "{path}={value}", [f"{FILES}::test_settings_reach_the_recipe_as_they_were_written"], "true and null as Python spells them"),
    Sabotage(MEASURES, 'self.dataset.split("test")[:JUDGED]', 'self.dataset.split("val")[:JUDGED]', [MARGINS, READ], "judged on validation"),
    Sabotage(MEASURES, "{name: value for name, value in FIXED.items() if name in type(config).model_fields}", "{}", [SAME], "every arm under its own mask ratio"),
    Sabotage(MEASURES, "<= 10).mean()", "<= 1).mean()", [MARGINS], "recall at 1 called recall at 10"),
    Sabotage(MEASURES, "cosines.diagonal().mean() - cosines[~same].mean()", "cosines.diagonal().mean() - cosines.mean()", [f"{OF}::test_a_pair_is_not_among_the_others_it_is_held_against"], "pairs among the others"),
    Sabotage(MEASURES, "cosines[alike].mean() - cosines[~alike].mean()", "cosines[alike].mean()", [MARGINS], "a cone has a margin"),
    Sabotage(MEASURES, "return 1 - float(svd_masked(cosines, alike))", "return float(svd_masked(cosines, alike))", [SINGULAR], "the loss for the gap"),
    Sabotage(MEASURES, "return -float(svd_global(", "return float(svd_global(", [SINGULAR], "the share with the other sign"),
    Sabotage(MEASURES, "found[~np.eye(len(found), dtype=bool)]", "found", [GEOMETRY], "the diagonal counted"),
    Sabotage(MEASURES, "z[:, z.std(0) > STILL]", "z", [f"{OF}::test_features_that_do_not_vary_are_not_called_uncorrelated"], "dead features in the mean"),
    Sabotage(MEASURES, 'participation_ratio(judged.shared["image.projected"]', "participation_ratio(judged.shared[judged.method.embeds]", [GEOMETRY], "the backbone for the projection"),
    Sabotage(MEASURES, 'train = judged.dataset.split("train")[:PROBED]', 'train = judged.dataset.split("val")[:PROBED]', [READ], "the ridge fitted on validation"),
    Sabotage(MEASURES, "np.quantile(found[len(found) // 4 :], FAST)", "np.quantile(found, FAST)", [f"{OF}::test_step_seconds_leave_the_first_quarter_out"], "warm-up counted"),
    Sabotage(MEASURES, "painted.error[masks].sum()", "painted.error.sum()", [f"{OF}::test_hidden_patches_are_held_against_the_mean_patch"], "visible patches counted"),
    Sabotage(MEASURES, """ - judged.reported["hidden words right, another's image"]""", "", [ADDS], "words that need no image counted"),
    Sabotage(MEASURES, """return 1 - judged.reported["error of hidden patches, its own report"]""", """return judged.reported["error of hidden patches, its own report"]""", [ADDS], "error for what is saved"),
    Sabotage(MEASURES, '"init_from.pair": str(run.path), ', "", [f"{OF}::test_questions_are_asked_after_fine_tuning_from_the_run"], "questions from random weights"),
    Sabotage(MEASURES, "if not np.isfinite(value):", "if False:", [KEPT], "a number that is none is kept"),
    Sabotage(MEASURES, "if path.is_file():\n        return", "if False:\n        return", [KEPT], "measured again and again"),
    Sabotage(MEASURES, "if not len(found):", "if False:", [f"{OF}::test_data_without_test_studies_are_refused"], "no test studies"),
    Sabotage(MEASURES, "if name not in known:", "if False:", [f"{OF}::test_a_method_is_asked_only_for_what_it_has"], "a measure the method cannot give"),
]  # fmt: skip
