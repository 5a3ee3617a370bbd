"""Breaks of the thorax's patients in time, films, words, questions, variants and edits that a test must notice."""

from tests.sabotage import Sabotage

HERE, UNIT = "workbench/phantom/thorax", "tests/unit/test_thorax_"


def broken(file: str, before: str, after: str, why: str, *tests: str) -> Sabotage:
    """A break of a file of the engine; tests as `course::test_…`."""
    target = file if "/" in file else f"{HERE}/{file}"
    return Sabotage(target, before, after, [UNIT + test.replace("::", ".py::", 1) for test in tests], why)


SABOTAGES = [
    broken(
        "course.py",
        "return Visit(whole * len(ROUND) + own,",
        "return Visit(whole * (len(ROUND) - 1) + own,",
        "two rounds share a patient",
        "course::test_a_patient_has_one_to_five_studies_and_is_in_one_split",
    ),
    broken(
        "course.py",
        "kept * steps[:, place - 1] + math.sqrt(1 - kept * kept) * steps[:, place]",
        "kept * steps[:, place - 1] + steps[:, place]",
        "findings pile up at the ends with time",
        "course::test_follow_up_changes_no_prevalence_and_the_population_is_that_of_the_studies",
    ),
    broken(
        "course.py",
        "began = {name: began.get(name, study.number) for name in named}",
        "began = {name: study.number for name in named}",
        "a finding jumps to another side",
        "course::test_findings_appear_grow_shrink_and_clear_and_keep_their_side",
    ),
    broken(
        "course.py",
        '"pacemaker": math.inf',
        '"pacemaker": 5.0',
        "pacemakers come and go",
        "course::test_what_lasts_long_stays_and_what_is_put_in_for_days_goes",
    ),
    broken(
        "course.py",
        "worse = TREND * progression * place",
        "worse = -TREND * progression * place",
        "illness against its progression",
        "course::test_illness_follows_its_progression",
    ),
    broken(
        "prevalence.py",
        "expit(own + shift).mean() - targets[name]",
        "expit(shift).mean() - targets[name]",
        "stated prevalence of findings that stand alone",
        "course::test_a_stated_prevalence_is_met_and_the_other_findings_stay",
    ),
    broken(
        "prevalence.py",
        "if other == name and one in found), 0.0)",
        "if other == name and one not in found), 0.0)",
        "findings that never come together",
        "course::test_follow_up_changes_no_prevalence_and_the_population_is_that_of_the_studies",
    ),
    broken(
        "prevalence.py",
        "not 0 < share < 1",
        "not 0 <= share <= 1",
        "a share of 1",
        "bad_input::test_the_table_of_prevalences_is_checked_wherever_it_is_used",
    ),
    broken(
        "films.py",
        "film=number,",
        "film=0,",
        "the noise of the first film in all",
        "course::test_a_study_has_one_to_four_films_with_another_pose_and_noise_and_the_same_findings",
    ),
    broken(
        "films.py",
        '"PA": (0.75, 0.05), "AP": (0.06, 0.30)',
        '"PA": (0.06, 0.30), "AP": (0.75, 0.05)',
        "bedridden patients filmed from the side",
        "course::test_a_study_has_one_to_four_films_with_another_pose_and_noise_and_the_same_findings",
    ),
    broken(
        "rows.py",
        "return len(further_films(drawn_study(seed, index, Variant.read(variant))))",
        "return 1",
        "as many films as if all had two",
        "variants::test_a_study_has_the_films_of_its_plan_with_masks_and_boxes_of_their_own",
    ),
    broken(
        "workbench/data/phantoms.py",
        "enumerate(rows, begins[place])",
        "enumerate(rows, place)",
        "films of another study",
        "variants::test_a_study_has_the_films_of_its_plan_with_masks_and_boxes_of_their_own",
    ),
    broken(
        "workbench/data/phantoms.py",
        '"film_masks": [Masks(planes, MASKS) for _, planes, _ in films]',
        '"film_masks": [Masks(films[0][1], MASKS) for _ in films]',
        "the first film's masks on all",
        "variants::test_a_study_has_the_films_of_its_plan_with_masks_and_boxes_of_their_own",
    ),
    broken(
        "workbench/phantom/store.py",
        'words = [self.reports] if self.part == "words" else []',
        "words = [self.reports]",
        "other words render all films again",
        "variants::test_only_what_changes_pixels_renders_films_again",
    ),
    broken(
        "workbench/phantom/store.py",
        "LAYOUT, *self[:5], own, *words]",
        "LAYOUT, *self[:5], *words]",
        "films of one variant taken for another's",
        "variants::test_only_what_changes_pixels_renders_films_again",
    ),
    broken(
        "workbench/data/phantoms.py",
        'own.unbiased if split == "test" else own',
        "own",
        "the shortcut in the test split",
        "variants::test_the_test_split_is_free_of_shortcuts",
    ),
    broken(
        "variants.py",
        "INITIALS[tossed(study",
        "INITIALS[1 - tossed(study",
        "the other letter",
        "variants::test_the_letter_predicts_the_finding_and_is_all_that_changes",
    ),
    broken(
        "variants.py",
        "[1 - tossed(study",
        "[tossed(study",
        "the other scanner",
        "variants::test_two_scanners_are_a_source_that_tells_the_finding",
    ),
    broken(
        "course.py",
        "if level < chance * variant.share_kept(name):",
        "if level < variant.share_kept(name):",
        "a tail that thins out nothing",
        "variants::test_a_long_tail_thins_out_the_rare_and_keeps_the_commonest",
    ),
    broken(
        "workbench/phantom/styles.yaml",
        "(external|overlying) monitoring leads.",
        "old <rib fracture>.",
        "boiler-plate that names findings",
        "reports::test_annotations_agree_with_text_and_latents",
    ),
    broken(
        "workbench/phantom/report.py",
        'noun.replace("<", "<!") if gone else noun',
        "noun",
        "what has gone is still there",
        "reports::test_annotations_agree_with_text_and_latents",
    ),
    broken(
        "workbench/phantom/comparison.py",
        "if now[0].name in DEVICES or abs(grown) < NOTICED:",
        "if now[0].name not in devices or abs(grown) < NOTICED:",
        "all that grows is unchanged",
        "reports::test_changes_by_hand",
    ),
    broken(
        "workbench/phantom/styles.py",
        "if name not in DEVICES and author.chance(",
        "if author.chance(",
        "devices in doubt",
        "reports::test_doubt_and_typos_are_as_frequent_as_stated",
    ),
    broken(
        "workbench/phantom/speech.py",
        "[grade:{grade_of(worst)}]",
        "[grade:mild]",
        "every oedema is mild",
        "reports::test_measurements_zones_and_grades_are_those_of_the_latents",
    ),
    broken(
        "workbench/phantom/questions.py",
        "asked = draw.random() < share / (1 - share)",
        "asked = draw.random() < 1",
        "no is the better guess",
        "questions::test_presence_is_the_label_and_balanced",
    ),
    broken(
        "workbench/phantom/questions.py",
        'yield posed(draw, "change", how, name, of(study, name), CHANGES)',
        'yield posed(draw, "change", "unchanged", name, of(study, name), CHANGES)',
        "nothing ever changes",
        "questions::test_changes_devices_and_lists_are_those_of_the_studies",
    ),
    broken(
        "counterfactual.py",
        "for each in (study, base))",
        "for each in (study, study))",
        "an edit forgotten when a factor is set",
        "counterfactual::test_a_finding_is_compared_at_the_factor_that_is_set",
    ),
    broken(
        "counterfactual.py",
        "if zone is not None and severity == 0:",
        "if False:",
        "contradictions pass",
        "bad_input::test_an_edit_that_cannot_be_is_refused",
    ),
    broken(
        "counterfactual.py",
        "None if self.study == self.base else self.base",
        "None",
        "each edit with a window of its own",
        "counterfactual::test_an_edited_finding_changes_its_own_neighbourhood_only",
    ),
]
