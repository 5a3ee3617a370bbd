"""Breaks of hidden words, of words and patches, of targets and cosines, and of their pages, that a test must notice."""

from tests.sabotage import Sabotage

FILL, CROSS, MATCH = (f"tests/unit/test_{name}.py" for name in ("filling", "crossing", "compared"))
PAGES = "tests/app/test_report_views.py"
BESIDE = f"{FILL}::test_tokens_are_filled_in_beside_the_own_image_an_empty_film_and_another_s"
HIDDEN, COUNTED = (
    f"{FILL}::test_words_are_hidden_whole_by_share_draw_or_number",
    f"{FILL}::test_what_is_counted_right_and_how_surprised_the_method_is",
)
LIKELY, DRAWN = (
    f"{FILL}::test_the_likeliest_tokens_come_first_with_their_softmax",
    f"{FILL}::test_a_row_a_token_with_marks_and_guesses[light]",
)
NOTEBOOK, KEPT = f"{FILL}::test_a_notebook_hides_words_and_withholds_reports", f"{FILL}::test_rows_hold_no_word_where_reports_may_not_leave"
EXACT, PLACES = (
    f"{CROSS}::test_words_and_patches_are_seen_with_the_exact_weights",
    f"{CROSS}::test_words_are_chosen_by_spelling_or_number_and_what_is_not_there_is_refused",
)
OVER, ASKED = (
    f"{CROSS}::test_the_film_lies_under_what_a_word_sees_and_a_patch_has_its_words[light]",
    f"{CROSS}::test_a_notebook_asks_where_a_word_looks_and_what_a_patch_reads",
)
GIVES, BATCH = (
    f"{MATCH}::test_a_method_gives_what_its_loss_compares_of_whole_images",
    f"{MATCH}::test_a_batch_is_of_validation_and_a_method_without_targets_is_told_which_has",
)
TOP, ALONG = (
    f"{MATCH}::test_the_top_pair_is_the_best_of_rank_one_and_its_sign_is_fixed",
    f"{MATCH}::test_the_pair_is_drawn_along_the_axes[light-targets]",
)
LEAVES = [f"{PAGES}::test_no_word_leaves_data_below_open_terms[{terms}]" for terms in ("credentialed", "registered")]
CLICKED = f"{PAGES}::test_words_are_hidden_by_share_draw_and_click"
CHOSEN, OTHERS = f"{PAGES}::test_a_word_a_patch_a_layer_and_a_head_are_chosen", f"{PAGES}::test_uploads_and_other_methods_have_no_words"

SABOTAGES = [
    Sabotage("workbench/filling.py", 'batch["images"][1] = 0.0', 'batch["images"][1] = batch["images"][0]', [BESIDE], "the empty film is the own one"),
    Sabotage("workbench/filling.py", '"images": other["images"][:1]}', '"images": sample["images"][:1]}', [BESIDE], "another's image is the own one"),
    Sabotage("workbench/filling.py", 'if each["patient"] != sample["patient"]', "", [f"{FILL}::test_another_s_image_is_of_another_patient"], "another's image is the patient's own, of another day"),
    Sabotage("workbench/filling.py", "logits = method.fill(batch, torch.from_numpy(hidden)", "logits = method.fill(batch, torch.from_numpy(~hidden)", [BESIDE], "hides what is shown"),
    Sabotage("workbench/filling.py", "np.arange(len(wanted)), wanted]", "np.arange(len(wanted)), wanted * 0]", [BESIDE], "the probability of another token"),
    Sabotage("workbench/filling.py", "hidden[groups[word]] = True", "hidden[groups[word][:1]] = True", [f"{FILL}::test_a_word_of_several_tokens_is_hidden_whole"], "half a word left to read"),
    Sabotage("workbench/filling.py", "not 0 <= word < len(groups):", "False:", [HIDDEN], "words that are not there"),
    Sabotage("workbench/filling.py", "if not 0 <= ratio <= 1:", "if False:", [HIDDEN], "a share above 1"),
    Sabotage("workbench/filling.py", "if ratio else np.zeros(len(ids), bool)", "", [HIDDEN], "a share of 0 hides a word"),
    Sabotage("workbench/filling.py", 'if not report(sample).strip():', "if False:", [HIDDEN], "words of no report"),
    Sabotage("workbench/filling.py", "if not isinstance(method, FillsWords):", "if False:", [f"{FILL}::test_other_methods_are_told_which_fill_in_words"], "a method without words"),
    Sabotage("workbench/words.py", '.removeprefix("##").lstrip', ".lstrip", [f"{FILL}::test_a_word_is_spelt_without_the_marks_of_its_pieces"], "words with marks in them"),
    Sabotage("workbench/analysis/filling.py", "each[0] == token", "token in each", [COUNTED], "right is what is among the guesses"),
    Sabotage("workbench/analysis/filling.py", "return float(-np.log(", "return float(np.log(", [COUNTED], "surprise below zero"),
    Sabotage("workbench/analysis/filling.py", "set(word) <= set(self.hidden)", "set(word) & set(self.hidden)", [COUNTED], "a word half hidden counts as hidden"),
    Sabotage("workbench/analysis/filling.py", "return float(np.log(self.vocabulary))", "return float(np.log2(self.vocabulary))", [COUNTED], "bits for nats"),
    Sabotage("workbench/analysis/filling.py", "np.argsort(-p, axis=1", "np.argsort(p, axis=1", [LIKELY], "the unlikeliest first"),
    Sabotage("workbench/analysis/filling.py", "shifted / shifted.sum(1, keepdims=True)", "shifted", [LIKELY], "no softmax"),
    Sabotage("workbench/analysis/filling.py", 'for name in ("truth", "chances")}', 'for name in ("truth",)}', [f"{FILL}::test_what_is_written_is_read"], "probabilities that JSON cannot hold"),
    Sabotage("workbench/analysis/filling.py", "tuple(tuple(each) for each in rows) for", "rows for", [f"{FILL}::test_what_is_written_is_read"], "lists for tuples"),
    Sabotage("workbench/figures/filling.py", "for name in GUESSED)\n    return", "for name in reversed(GUESSED))\n    return", [DRAWN], "with and without exchanged in the title"),
    Sabotage("workbench/figures/filling.py", "theme.plain(theme.clip(token, 14))", "theme.clip(token, 14)", [DRAWN], "a word is read as markup"),
    Sabotage("workbench/figures/filling.py", '({"hidden": found.wanted[row]} if spelt else {})', '{"hidden": found.wanted[row]}', [KEPT], "hidden words in numbers that may leave"),
    Sabotage("workbench/figures/filling.py", "found.best[name][row][0]} if spelt else {}", "found.best[name][row][0]}", [KEPT], "guesses in numbers that may leave"),
    Sabotage("workbench/figures/reconstruction.py", "each = both[place % 2]", "each = both[place // 2]", [NOTEBOOK], "with and without exchanged"),
    Sabotage("workbench/figures/reconstruction.py", '{"zmax": top, "showscale": place == 3}', '{"showscale": place == 3}', [NOTEBOOK], "two errors on two scales"),
    Sabotage("workbench/painting.py", 'return {**sample, "texts": []}', "return sample", [NOTEBOOK], "the report is read all the same"),
    Sabotage("workbench/painting.py", "has no report to withhold; choose another study", "nothing", [NOTEBOOK], "another sentence"),
    Sabotage("training/jobs/reconstruction.py", 'bool(task.parameters.get("report", True))', "True", [OTHERS], "a withheld report is read"),
    Sabotage("workbench/nn/fusion.py", "layer.after_self(each.image, None), each.text, each.there)", "each.image, each.text, each.there)", [EXACT], "patches ask before they looked at each other"),
    Sabotage("workbench/nn/fusion.py", "            yield streams\n            streams = self.one_layer(streams, number)", "            streams = self.one_layer(streams, number)\n            yield streams", [EXACT], "each layer's maps are the next one's"),
    Sabotage("workbench/crossing.py", 'swapaxes(-1, -2), groups, mean=True)', 'swapaxes(-1, -2), groups, mean=False)', [EXACT], "rows of long words sum to more than 1"),
    Sabotage("workbench/crossing.py", 'found["patches"][:, 0].float().numpy(), groups, mean=False)', 'found["patches"][:, 0].float().numpy(), groups, mean=True)', [EXACT], "long words look less seen"),
    Sabotage("workbench/crossing.py", "random = spread(maps_of(untrained, batch)[0])", "random = spread(maps_of(method, batch)[0])", [f"{PAGES}::test_what_is_written_for_the_worker_is_what_the_notebook_computes"], "the untrained network is the trained one"),
    Sabotage("workbench/crossing.py", 'if not report(sample).strip():', "if False:", [ASKED], "words of no report"),
    Sabotage("workbench/analysis/crossing.py", "maps[..., word].mean(-1) if mean", "maps[..., word].sum(-1) if mean", [f"{CROSS}::test_tokens_are_brought_together_to_words"], "sums for means"),
    Sabotage("workbench/analysis/crossing.py", "return np.exp(-(a", "return (-(a", [f"{CROSS}::test_spread_counts_tokens"], "nats for tokens"),
    Sabotage("workbench/analysis/crossing.py", "rows.mean(0) if head is None", "rows[0] if head is None", [f"{CROSS}::test_spread_counts_tokens"], "the first head for their mean"),
    Sabotage("workbench/analysis/crossing.py", "[word, self.prefix :]", "[word, : self.side**2]", [f"{CROSS}::test_spread_counts_tokens"], "the class token is the first patch"),
    Sabotage("workbench/analysis/crossing.py", "[self.prefix + patch]", "[patch]", [f"{CROSS}::test_spread_counts_tokens"], "the patch before"),
    Sabotage("workbench/figures/crossing.py", "order = np.argsort(-seen", "order = np.argsort(seen", [OVER], "the least seen words on top"),
    Sabotage("workbench/figures/crossing.py", "level = 1 / max(1, len(seen))", "level = 1 / found.count", [OVER], "equal attention of another length"),
    Sabotage("workbench/figures/crossing.py", "theme.plain(called(found, int(each)))", "called(found, int(each))", [OVER], "a word is read as markup"),
    Sabotage("workbench/figures/crossing.py", '({"spelt": each} if spelt else {})', '{"spelt": each}', [f"{CROSS}::test_rows_hold_no_word_where_reports_may_not_leave"], "words in numbers that may leave"),
    Sabotage("workbench/figures/crossing.py", "if value is not None and not first <= value < first + count:", "if False:", [PLACES], "a layer that is not there"),
    Sabotage("workbench/figures/crossing.py", "if word.casefold() not in said:", "if False:", [PLACES], "a word that is not there"),
    Sabotage("workbench/figures/crossing.py", "spread(layer).argmin())", "spread(layer).argmax())", [PLACES], "the vaguest word at first"),
    Sabotage("workbench/figures/crossing.py", "found.of_word(layer, head, word).argmax())", "found.of_word(layer, head, word).argmin())", [PLACES], "the patch that it sees least"),
    Sabotage("workbench/notebook.py", "if image is not None:\n            raise", "if False:\n            raise", [ASKED], "an upload gets the first study's words"),
    Sabotage("workbench/methods/medflip.py", '"targets": meaning.soft_targets(alike, positives, self.config)', '"targets": alike', [GIVES], "likeness for targets"),
    Sabotage("workbench/methods/medflip.py", "self.project_image(batch)[told] @", "self.project_image(batch)[told].flip(0) @", [GIVES], "images of other studies"),
    Sabotage("workbench/nn/meaning.py", "positives.float().log() if alike is None", "positives.float() if alike is None", [GIVES], "hard targets gone soft"),
    Sabotage("workbench/comparing.py", 'held = dataset.split("val")', 'held = dataset.split("train")', [BATCH], "a batch that was trained on"),
    Sabotage("workbench/comparing.py", "if len(rows) < 2 or count < 2:", "if False:", [BATCH], "a batch of one"),
    Sabotage("workbench/comparing.py", "if len(told) < 2:", "if False:", [BATCH], "one report"),
    Sabotage("workbench/comparing.py", 'zip(samples, found["told"].tolist()) if has]', 'zip(samples, found["told"].tolist())]', [BATCH], "names of studies that were left out"),
    Sabotage("workbench/comparing.py", 'top_pair(before["cosines"]', 'top_pair(found["cosines"]', [f"{MATCH}::test_a_notebook_draws_both_matrices"], "the untrained network is the trained one"),
    Sabotage("workbench/comparing.py", "if not isinstance(method, Compares) or not isinstance(untrained, Compares):", "if False:", [BATCH], "a method without targets"),
    Sabotage("workbench/analysis/compared.py", "sign = -1.0 if right[0].sum() < 0 else 1.0", "sign = 1.0", [TOP], "bars that point where LAPACK likes"),
    Sabotage("workbench/analysis/compared.py", "sign * left[:, 0], sign * right[0]", "sign * left[0], sign * right[0]", [TOP], "a row for a vector"),
    Sabotage("workbench/analysis/compared.py", "if not a.size or not a.any():", "if False:", [TOP], "the pair of nothing"),
    Sabotage("workbench/analysis/compared.py", "values[0] * (1 - TIE)", "values[0]", [TOP], "no value ever ties"),
    Sabotage("workbench/analysis/compared.py", "order.append(max(left,", "order.append(min(left,", [f"{MATCH}::test_alike_studies_come_to_stand_together"], "unlike studies together"),
    Sabotage("workbench/analysis/compared.py", "getattr(self, name)[np.ix_(order, order)]", "getattr(self, name)[order]", [f"{MATCH}::test_alike_studies_come_to_stand_together"], "rows moved, columns not"),
    Sabotage("workbench/analysis/compared.py", "np.maximum(self.cosines, 0) * mask", "self.cosines * mask", [f"{MATCH}::test_shares_are_those_of_the_svd_loss"], "negative cosines count"),
    Sabotage("workbench/analysis/compared.py", "/ most if most else None", "if most else None", [f"{MATCH}::test_shares_are_those_of_the_svd_loss"], "a value for a share"),
    Sabotage("workbench/analysis/compared.py", "self.cosines[self.positives if positive", "self.cosines[~self.positives if positive", [f"{MATCH}::test_shares_are_those_of_the_svd_loss"], "the others for the pairs"),
    Sabotage("workbench/figures/compared.py", '"x": pair.left,', '"x": pair.right,', [ALONG], "the right vector beside the rows"),
    Sabotage("workbench/figures/compared.py", 'tied = f", {pair.ties} as large" if pair.ties > 1 else ""', 'tied = ""', [ALONG], "one choice of many, not said"),
    Sabotage("workbench/figures/compared.py", "if keys is None:", "if False:", [ALONG], "keys of data that may not be passed on"),
    Sabotage("app/told.py", 'spelt=allowed == "all"', "spelt=True", LEAVES, "words in a CSV below open terms"),
    Sabotage("app/told.py", '    if allowed != "nothing":\n        click', '    if True:\n        click', LEAVES[:1], "a report of credentialed data on the page"),
    Sabotage("app/crossed.py", "    if allowed != \"nothing\":\n        choose_word", "    if True:\n        choose_word", LEAVES[:1], "a report of credentialed data on the page"),
    Sabotage("app/crossed.py", 'figures.patch_rows(found, layer, head, patch, allowed == "all")', "figures.patch_rows(found, layer, head, patch)", LEAVES, "words in a CSV below open terms"),
    Sabotage("app/alike.py", "return found.keys if loaded and loaded.open else None", "return found.keys", LEAVES, "keys below open terms"),
    Sabotage("app/told.py", '".".join(map(str, st.session_state[key])) or NONE', '".".join(map(str, st.session_state[key])) or None', [CLICKED], "showing the last word draws anew"),
    Sabotage("app/told.py", "    state.put(\"hidden\", None)\n    state.put(\"words\"", "    state.put(\"words\"", [CLICKED], "the share does nothing once a word was clicked"),
    Sabotage("app/told.py", "st.session_state.setdefault(HIDDEN_OF, study) != study", "False", [f"{PAGES}::test_clicked_words_are_of_one_study_and_an_address_beyond_the_report_is_told"], "places of another report's words"),
    Sabotage("app/crossed.py", 'None if value in (None, "mean") else int(value)', 'int(value or 0) if value != "mean" else 0', [CHOSEN], "the mean of the heads is the first"),
    Sabotage("app/alike.py", "if able(run) and run.steps_of", "if run.steps_of", [f"{PAGES}::test_the_contrast_is_compared_once_asked_for"], "asked of methods without a contrast"),
]  # fmt: skip
