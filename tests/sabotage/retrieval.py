"""Breaks of retrieval and search."""

from tests.sabotage import Sabotage

TESTS, RANKING, SEARCH = "tests/unit/test_retrieval.py", "tests/unit/test_ranking.py", "tests/unit/test_search.py"
RETRIEVAL, RANKS, HUBS = "workbench/analysis/retrieval.py", "workbench/analysis/ranking.py", "workbench/analysis/hubs.py"
INDEX, RETRIEVED, ANSWERS = "workbench/analysis/search.py", "workbench/analysis/retrieved.py", "workbench/analysis/answers.py"
ACROSS, WITHIN = ([f"{RANKING}::test_every_number_of_a_direction_is_that_of_loops[{way}]"] for way in ("image to report", "image to image"))
RUNS = "tests/unit/test_searching.py"
WHO = [f"{RANKING}::test_who_cannot_be_compared_is_left_out"]
STAR = [f"{RANKING}::test_hubs_of_a_star_and_of_isotropic_clouds"]
MEDIAN, SHARED_PLACES = [f"{RANKING}::test_the_median_rank_and_its_chance"], [f"{RANKING}::test_equal_scores_share_the_places_left"]
CHANCE = [f"{RANKING}::test_unrelated_towers_are_at_chance_and_the_untrained_stand_beside"]
GRAPH = [f"{SEARCH}::test_a_graph_is_asked_beyond_a_size_and_its_recall_is_measured"]
LABELS = [f"{SEARCH}::test_shared_labels_are_held_against_drawing_without_replacement"]
NOWHERE = [f"{SEARCH}::test_rows_without_a_direction_are_never_found_and_counted"]
USUAL = [f"{SEARCH}::test_what_is_usual_is_of_two_patients"]
QUERIES = [f"{RUNS}::test_words_a_study_and_an_image_find_the_nearest_of_a_look"]
SABOTAGES = [
    Sabotage(RETRIEVAL, "0.5 * (wrong & (scores == best)).sum(1)", "0.0 * (wrong & (scores == best)).sum(1)", [f"{TESTS}::test_a_rank_counts_what_scores_higher_and_half_of_what_ties"], "a constant score finds everything first"),
    Sabotage(RETRIEVAL, "member, count = members(patients)\n    hits", "member, count = members(range(n))\n    hits", [f"{TESTS}::test_the_interval_is_over_patients_not_queries"], "films of one patient count as independent"),
    Sabotage(RETRIEVAL, "1 - comb(m - int(c), min(k, m)) / comb(m, min(k, m))", "min(k, m) / m", [f"{TESTS}::test_recall_and_its_interval"], "chance forgets that a text may be correct for several"),
    Sabotage(RETRIEVAL, "gammaln(candidates - places + 1.0)", "gammaln(candidates - places + 2.0)", MEDIAN, "another chance of the median rank"),
    Sabotage(RETRIEVAL, "apart = np.bincount(member, below - below.mean(), count)", "apart = (below - below.mean())", MEDIAN, "films of one patient count as independent in the median"),
    Sabotage(RETRIEVAL, "(left / np.maximum(level.sum(1, keepdims=True), 1))", "1", SHARED_PLACES, "equal scores all have a place"),
    Sabotage(RETRIEVAL, "(apart == 0) & (both > 0)", "apart == 0", SHARED_PLACES, "studies that state nothing agree with all"),
    Sabotage(RANKS, "texts) if text.strip()}", "texts)}", WHO, "studies without a report are compared"),
    Sabotage(RANKS, "patients[at, None] != patients if within", "at[:, None] != np.arange(len(y)) if within", WITHIN, "a patient's own films answer"),
    Sabotage(RANKS, "same = rows.texts[at, None] == rows.texts", "same = at[:, None] == np.arange(n)", ACROSS, "only the own report is right"),
    Sabotage(RANKS, "asks = present[:, place]", "asks = np.ones(len(present), bool)", ACROSS, "all ask for each label"),
    Sabotage(HUBS, "count.mean() + 2 * count.std()", "count.mean() - 2 * count.std()", STAR, "everything is a hub"),
    Sabotage(HUBS, "inside = stays & (np.cumsum(stays, 1) <= k)", "inside = stays", STAR, "lists of any length without a group"),
    Sabotage(HUBS, "found[found >= 0]", "np.abs(found)", STAR, "empty places count as answers"),
    Sabotage(HUBS, "if value > STEEP:", "if value > 99:", STAR, "an interval where it covers too rarely"),
    Sabotage(INDEX, "kept = np.concatenate([above, np.flatnonzero(similarity == edge)[: k - len(above)]])", "kept = np.flatnonzero(similarity >= edge)[:k]", [f"{SEARCH}::test_the_nearest_are_those_of_a_loop_and_equal_ones_keep_their_order"], "an earlier equal row drops a nearer one"),
    Sabotage(INDEX, "np.isfinite(rows).all(1) & np.any(rows != 0, 1)", "np.isfinite(rows).all(1)", NOWHERE, "rows of zeros are found"),
    Sabotage(INDEX, "for short in np.flatnonzero(found[:, -1] < 0):", "for short in ():", GRAPH, "lists that the graph leaves short"),
    Sabotage(INDEX, "pairs = zip(self._by_graph(sample, k)[0], self._compared(sample, k)[0])", "pairs = zip(self._compared(sample, k)[0], self._compared(sample, k)[0])", GRAPH, "a recall that is not measured"),
    Sabotage(INDEX, "embeddings.keys[row] not in leave_out][:k]", "True][:k]", [f"{SEARCH}::test_near_leaves_out_who_asks"], "a study finds itself"),
    Sabotage(INDEX, "best = np.where(other, cosine, -np.inf).max(1)", "best = cosine.max(1)", USUAL, "the best answer is the own film"),
    Sabotage(INDEX, "hypergeom.sf(hits - 1,", "hypergeom.sf(hits,", LABELS, "chance of more, not of as many"),
    Sabotage(INDEX, "each.chance * (len(found) - place)", "each.chance", LABELS, "many labels, no correction"),
    Sabotage(RETRIEVED, "untrained=level.get((one.kind, one.k))", "untrained=one.interval.value", CHANCE, "the trained network stands for the untrained"),
    Sabotage(RETRIEVED, "np.lexsort((way.own[known], -way.rank[known]))", "np.lexsort((way.own[known], way.rank[known]))", [f"{RANKING}::test_the_worst_and_the_best_queries"], "the best are shown as the worst"),
    Sabotage(ANSWERS, "rank = int(1 + np.sum(similarity > similarity[place[0]]))", "rank = 1", QUERIES, "the own report always ranks first"),
    Sabotage("workbench/searching.py", "leave_out = [own] if own is not None and kind == \"image\" else []", "leave_out = []", QUERIES, "a study is its own neighbour"),
    Sabotage("workbench/retrieving.py", "return [text.normalise(text.report(dataset[int(place)])) for place in places]", "return [text.report(dataset[int(place)]) for place in places]", [f"{RUNS}::test_case_and_white_space_do_not_tell_reports_apart"], "white space tells two reports apart"),
    Sabotage(RETRIEVED, "own, rest = known & inside, known & ~inside", "own, rest = known & ~inside, known & inside", [f"{RANKING}::test_a_sets_queries_are_counted_beside_the_others_among_all_candidates"], "the others as the set"),
]  # fmt: skip
