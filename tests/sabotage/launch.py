"""Breaks of the page Launch, of the pre-flight and of how a run begins that a test must notice."""

from tests.sabotage import Sabotage

PAGE, FLIGHT, BEGIN = "tests/app/test_launch.py", "tests/unit/test_preflight.py", "tests/unit/test_begin.py"
SABOTAGES = [
    Sabotage(
        "app/launch.py",
        "disabled=config is None or refused is not None,",
        "disabled=config is None,",
        [f"{PAGE}::test_a_refusal_of_the_pre_flight_turns_the_button_off"],
        "starts what cannot fit",
    ),
    Sabotage(
        "app/launch.py",
        "fresh = plain is not None and asked == plain",
        "fresh = plain is not None and asked is not None",
        [f"{PAGE}::test_a_refusal_of_the_pre_flight_turns_the_button_off"],
        "shows a measurement of another configuration",
    ),
    Sabotage(
        "app/launch_form.py",
        "        draft.put(leaf.path, value)\n",
        "        draft.put(leaf.path[-1:], value)\n",
        [f"{PAGE}::test_the_command_and_the_yaml_describe_one_run"],
        "a field changes another one",
    ),
    Sabotage(
        "app/launch_form.py",
        "and (not self.changed or differs(leaf))",
        "",
        [f"{PAGE}::test_search_and_the_changed_view_hide_what_does_not_pass_and_lose_nothing"],
        "the changed view shows everything",
    ),
    Sabotage(
        "app/draft.py",
        "    if st.session_state.get(BROKEN):\n",
        "    if False:\n",
        [f"{PAGE}::test_what_cannot_be_started_says_why_and_its_button_is_off"],
        "starts without a line that could not be read",
    ),
    Sabotage(
        "app/actions.py",
        "if data and not any(path.is_relative_to(folder) for folder in roots):",
        "if False:",
        [f"{PAGE}::test_what_cannot_be_started_says_why_and_its_button_is_off"],
        "a page reads any file",
    ),
    Sabotage(
        "app/form.py",
        'as_kind(part[name]) for name in ("minimum", "maximum")',
        'as_kind(part[name]) for name in ("maximum", "minimum")',
        [f"{PAGE}::test_the_form_holds_every_field_of_run_method_and_data_with_its_bounds"],
        "bounds the wrong way round",
    ),
    Sabotage(
        "training/preflight.py",
        "fits = int((limit - fixed) // each) if each > 0 else 0",
        "fits = int(limit // each) if each > 0 else 0",
        [f"{FLIGHT}::test_what_does_not_fit_is_refused_with_the_largest_batch_that_does"],
        "forgets what the network itself holds",
    ),
    Sabotage(
        "training/preflight.py",
        "    if made.disk > made.disk_free:\n",
        "    if False:\n",
        [f"{FLIGHT}::test_a_disk_that_is_too_small_is_said"],
        "fills the disk",
    ),
    Sabotage(
        "training/preflight.py",
        "* config.batch * config.accumulate if steps",
        "* config.batch if steps",
        [f"{FLIGHT}::test_what_fits_is_measured_at_the_full_batch_and_the_rest_follows"],
        "counts one micro-batch for the step",
    ),
    Sabotage(
        "training/preflight.py",
        ".rss > cap:",
        ".rss < 0:",
        [f"{FLIGHT}::test_the_child_is_ended_where_it_holds_more_than_it_may"],
        "the child may hold what it likes",
    ),
    Sabotage(
        "training/control.py",
        "            delete_run(run)\n",
        "            pass\n",
        [f"{BEGIN}::test_a_run_that_cannot_begin_leaves_no_folder"],
        "leaves an empty folder",
    ),
    Sabotage(
        "training/control.py",
        'if run.status["state"] == "queued":',
        "if True:",
        [f"{BEGIN}::test_a_run_that_fails_after_it_began_keeps_its_folder"],
        "deletes a run that failed",
    ),
    Sabotage(
        "training/recorder.py",
        'if self.status.get("pid") != os.getpid():',
        "if False:",
        [f"{BEGIN}::test_a_run_resumed_by_hand_is_in_no_slot"],
        "keeps the slot of an earlier process",
    ),
    Sabotage(
        "training/setup.py",
        "    if whole != run.config:\n",
        "    if False:\n",
        [f"{BEGIN}::test_a_started_run_has_its_defaults_written_down_before_its_first_step"],
        "config.yaml does not say what ran",
    ),
    Sabotage(
        "training/__main__.py",
        "(settings if inside else rest).append(each)",
        "settings.__setitem__(slice(None), [each]) if inside else rest.append(each)",
        ["tests/unit/test_bad_input.py::test_every_set_counts"],
        "the last setting alone counts",
    ),
]
