"""Breaks of sets of studies that a test must notice: who is inside, what a condition holds, what separates, what is kept."""

from tests.sabotage import Sabotage

POLYGON, QUERIES, COLUMNS = "workbench/analysis/polygon.py", "workbench/queries.py", "workbench/columns.py"
RESOLVING = "workbench/resolving.py"
SUBSET, SUBCLOUD, DESCRIBED = "workbench/analysis/subset.py", "workbench/analysis/subcloud.py", "workbench/described.py"
LASSO, SETS, WHAT, PAGE = (
    *("tests/unit/test_polygon.py", "tests/unit/test_queries.py"),
    *("tests/unit/test_subset.py", "tests/app/test_sets.py"),
)
EXACT, SLANTED = f"{LASSO}::test_points_are_sorted_as_rational_arithmetic_does", f"{LASSO}::test_a_slanted_edge_is_exact_at_every_scale"
CELLS, REFUSED = f"{LASSO}::test_many_points_go_through_the_grid_and_come_out_the_same", f"{LASSO}::test_what_encloses_nothing_is_refused"
DRAWN, FILTERS = f"{SETS}::test_a_lasso_gives_the_same_keys_on_the_page_in_a_notebook_and_saved", f"{SETS}::test_filters_hold_what_they_say"
KEPT, GUIDE = f"{SETS}::test_nothing_that_was_saved_is_lost", f"{SETS}::test_a_lasso_keeps_the_look_its_axes_agreed_with"
FISHER, SEVERAL = f"{WHAT}::test_shares_and_p_of_one_study_a_patient_are_fishers", f"{WHAT}::test_patients_with_several_studies_count_less"
PURE, SPECTRUM = f"{WHAT}::test_purity_is_what_a_loop_counts", f"{WHAT}::test_the_spectrum_is_that_of_the_rows_in_the_set"
SABOTAGES = [
    Sabotage(POLYGON, "sign[unsure] = exactly(a, b, x[unsure], y[unsure])", "sign[unsure] = 0", [f"{SLANTED}[1.0]"], "what float64 leaves open counts as on the edge"),
    Sabotage(POLYGON, "(height < top)", "(height <= top)", [f"{EXACT}[corners at the height of points]"], "a corner belongs to two edges"),
    Sabotage(POLYGON, "edge[start + between] |= side == 0", "edge[start + between] |= side > 1", [f"{EXACT}[a square whose edges hold points]"], "points on edges lie outside"),
    Sabotage(POLYGON, "odd[start:stop] ^=", "odd[start:stop] |=", [f"{EXACT}[a square with a hole]"], "holes are filled"),
    Sabotage(POLYGON, "for i in range(3) for j in range(3)", "for i in (1,) for j in (1,)", [CELLS], "cells beside an edge are not compared with it"),
    Sabotage(POLYGON, "if len(np.unique(ring, axis=0)) < 3:", "if False:", [REFUSED], "a lasso of two points"),
    Sabotage(RESOLVING, "projection.pca(run.embeddings(feature, step), guide, False)", "projection.pca(run.embeddings(feature, step), None, False)", [GUIDE], "axes of a lasso's map not turned"),
    Sabotage(QUERIES, "        aside(path)\n    ", "        pass\n    ", [KEPT], "a replaced set is lost"),
    Sabotage(RESOLVING, "== (asked.op == \"says\")", "== True", [FILTERS], "what a report does not say"),
    Sabotage(QUERIES, "if not NAME.fullmatch(name):", "if False:", [f"{SETS}::test_a_name_never_leaves_the_folder"], "a name with slashes"),
    Sabotage(QUERIES, "if self.data_hash != other.data_hash:", "if False:", [f"{SETS}::test_sets_combine_and_go_through_json"], "sets of different data combined"),
    Sabotage(COLUMNS, "(numbers >= low) & (numbers <= high)", "(numbers > low) & (numbers <= high)", [f"{SETS}::test_filters_hold_what_they_say"], "bounds"),
    Sabotage(SUBSET, "np.minimum(1, 2 * (", "np.minimum(1, 1 * (", [FISHER], "one tail"),
    Sabotage(SUBSET, "return max(1.0, together / alone) if alone > 0 else 1.0", "return 1.0", [SEVERAL], "studies of one patient count as patients"),
    Sabotage(SUBSET, "np.maximum.accumulate(p[order] * (m - np.arange(m)))", "p[order] * (m - np.arange(m))", [f"{WHAT}::test_holm_is_holm"], "corrected p not in order"),
    Sabotage(SUBSET, "ranks = rankdata(x) if given", "ranks = x if given", [f"{WHAT}::test_numbers_are_compared_by_ranks_and_their_means_shown"], "an outlier decides"),
    Sabotage(SUBSET, "few >= FEW else", "few >= 0 else", [f"{WHAT}::test_sets_that_cannot_be_compared_are_said"], "six patients are compared"),
    Sabotage(SUBCLOUD, "line[order[begins[patient] : begins[patient + 1]]] = -np.inf", "line[line.argmax()] = -np.inf", [PURE], "the same patient's studies are neighbours"),
    Sabotage(SUBCLOUD, "found = summarise(z[own],", "found = summarise(z[: len(own)],", [SPECTRUM], "the first rows instead of the set's"),
    Sabotage(SUBCLOUD, "if len(own) < LEAST:", "if False:", [SPECTRUM], "a spectrum of four studies"),
    Sabotage(DESCRIBED, "gone = sum(key not in here for key in query.keys)", "gone = 0", [f"{SETS}::test_a_set_is_described_with_what_is_gone_and_how_it_was_made"], "studies that are gone are not counted"),
    Sabotage("app/sets.py", "st.session_state[\"row_set\"] = wanted if wanted in there else NONE", "st.session_state[\"row_set\"] = NONE", [f"{PAGE}::test_a_named_set_in_the_address_is_described"], "the row does not show the set"),
]  # fmt: skip
