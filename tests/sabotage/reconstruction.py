"""Breaks of masks, MAE, its weights' names, the guesses, the doctor, the painting job and the page that a test must notice."""

from tests.sabotage import Sabotage

LOSS, VIT, MAE = "workbench/losses/reconstruction.py", "workbench/nn/vit.py", "workbench/methods/mae.py"
MASKED = "workbench/nn/masked.py"
MASKING, INTEROP, COLOURS = "workbench/masking.py", "workbench/interop/mae.py", "workbench/nn/colours.py"
GUESSES, ANALYSIS, FIGURES = "workbench/analysis/_guesses.py", "workbench/analysis/reconstruction.py", "workbench/figures/reconstruction.py"
PAINTING, JOB, MASKS, PAGE = "workbench/painting.py", "training/jobs/reconstruction.py", "app/masks.py", "app/reconstruct.py"
GOLDEN, UNIT, OF_MASKS = "tests/golden/test_mae.py", "tests/unit/test_mae.py", "tests/unit/test_masking.py"
OWN, SHOWN = "tests/unit/test_reconstruction.py", "tests/app/test_reconstruction.py"
LIVE = f"{UNIT}::test_a_turned_mask_ratio_takes_effect_in_its_step_and_survives_a_resume"
EQUAL, PUBLISHED = f"{GOLDEN}::test_loss_and_output_equal_transformers", f"{GOLDEN}::test_published_values_of_the_loss"

SABOTAGES = [
    Sabotage(LOSS, "(error * removed).sum()", "error.sum()", [PUBLISHED, f"{UNIT}::test_the_loss_is_the_mean_over_removed_patches"], "visible patches count"),
    Sabotage(LOSS, "torch.var_mean(target, dim=-1, keepdim=True)", "torch.var_mean(target, dim=-1, keepdim=True, correction=0)", [PUBLISHED], "biased variance"),
    Sabotage(LOSS, "EPSILON = 1e-6", "EPSILON = 1e-2", [PUBLISHED], "another epsilon"),
    Sabotage(LOSS, "@in_float32\n", "", [f"{UNIT}::test_the_loss_is_float32_for_half_precision"], "a loss in bf16"),
    Sabotage(LOSS, ".clamp(min=1)", "", [f"{UNIT}::test_the_loss_is_the_mean_over_removed_patches"], "NaN where nothing is hidden"),
    Sabotage(VIT, "for axis in (x, y)", "for axis in (y, x)", [f"{GOLDEN}::test_position_tables_equal_the_official_ones"], "rows before columns"),
    Sabotage(VIT, "hidden = (self.mask_token + self.pos_embed[:, 1:])[0]", "hidden = self.mask_token.expand_as(self.pos_embed[:, 1:])[0]", [EQUAL], "hidden tokens without place"),
    Sabotage(VIT, "start = first if number == len(layers) - 1 else 0", "start = first", [f"{UNIT}::test_the_fast_decoder_equals_every_block_on_every_token"], "every block forgets the visible"),
    Sabotage(VIT, "projected = block.attn.qkv(block.norm1(hidden))", "projected = block.attn.qkv(hidden)", [EQUAL], "shared queries without their norm"),
    Sabotage(VIT, "torch.cat([kept, removed], 1).argsort(1)", "torch.cat([kept, removed], 1)", [EQUAL], "patches in the decoder's order"),
    Sabotage(VIT, "pixels, positions = pick(pixels, kept), torch", "pixels, positions = pick(pixels, kept.flip(1)), torch", [EQUAL], "positions of other patches"),
    Sabotage(VIT, "* block.attn.scale, -1)", ", -1)", [f"{UNIT}::test_attention_is_the_softmax_of_queries_and_keys_of_each_layer"], "attention without its scale"),
    Sabotage(VIT, "            x = block(x)\n        return torch.stack(found)", "        return torch.stack(found)", [f"{UNIT}::test_attention_is_the_softmax_of_queries_and_keys_of_each_layer"], "every layer looks at the first one's input"),
    Sabotage(VIT, "if len(count) and not bool((count == count[0]).all()):", "if False:", [f"{UNIT}::test_masks_of_one_batch_hide_equally_many"], "unequal masks pass"),
    Sabotage(VIT, 'return self.token if pooling == "class" or', "return self.token if", [f"{UNIT}::test_the_class_token_can_stand_for_the_image"], "always the mean"),
    Sabotage(MAE, "mask = random_mask((config.image_size // config.patch_size) ** 2, config.mask_ratio, rng)", "rng.random(); mask = random_mask((config.image_size // config.patch_size) ** 2, 0.75, rng)", [f"{UNIT}::test_the_mask_is_a_function_of_seed_step_and_key_and_each_batch_carries_its_ratio"], "the ratio is not the config's"),
    Sabotage(MAE, "Mean(loss * removed.numel(), removed.numel())", "Mean(loss * len(removed), len(removed))", [f"{UNIT}::test_images_of_a_study_share_its_mask_and_are_averaged"], "counts images, not patches"),
    Sabotage(MAE, "        masked.check_sizes(config, \"mae\")\n", "", [f"{UNIT}::test_sizes_that_do_not_fit_are_named"], "sizes unchecked"),
    Sabotage(VIT, "return unpatchify(prediction * deviation + mean", "return unpatchify(prediction * deviation", [f"{UNIT}::test_the_reconstruction_is_in_the_image_s_units_and_its_error_in_the_loss_s"], "pixels without their mean"),
    Sabotage(MASKED, '"value": 1 - 1 / count', '"value": 1.0', [f"{UNIT}::test_trivial_levels"], "the level of a biased variance"),
    Sabotage(MASKING, "patches * (1 - ratio) + ROUNDING", "patches * (1 - ratio)", [f"{OF_MASKS}::test_the_count_is_rounded_down_and_rounding_errors_take_no_patch"], "a rounding error takes a patch"),
    Sabotage(MASKING, "if not 0 <= ratio <= 1:", "if ratio > 9:", [f"{OF_MASKS}::test_a_ratio_that_is_no_share_is_refused"], "a ratio of 7"),
    Sabotage(MASKING, "rng.permutation(patches)[", "np.arange(patches)[", [f"{OF_MASKS}::test_a_random_mask_hides_the_share_asked_for_and_is_a_function_of_its_generator"], "always the first patches"),
    Sabotage(MASKING, "if wrong:", "if False:", [f"{OF_MASKS}::test_given_patches_are_hidden_and_others_are_refused"], "patches that are not there"),
    Sabotage(MASKING, "mask[rows * side // height, columns * side // width]", "mask[columns * side // width, rows * side // height]", [f"{OF_MASKS}::test_a_region_hides_every_patch_it_touches_row_by_row"], "rows and columns exchanged"),
    Sabotage(MASKING, "max(top + 1, int(np.ceil(y + h)))", "int(np.ceil(y + h))", [f"{OF_MASKS}::test_boxes_cover_their_pixels_and_the_smallest_covers_one"], "an empty box"),
    Sabotage(INTEROP, 'for letter, part in zip("qkv", value.chunk(3)):', 'for letter, part in zip("kqv", value.chunk(3)):', [f"{GOLDEN}::test_weights_go_both_ways"], "queries and keys exchanged"),
    Sabotage(INTEROP, 'name.removeprefix("module.")', "name", [f"{GOLDEN}::test_an_official_checkpoint_without_decoder_and_one_that_is_no_mae"], "weights of a parallel training"),
    Sabotage(INTEROP, 'missing = [] if any(name.startswith("decoder.") for name in found) else ["decoder"]', "missing = []", [f"{GOLDEN}::test_an_official_checkpoint_without_decoder_and_one_that_is_no_mae"], "a missing decoder goes unsaid"),
    Sabotage(COLOURS, "return (images * STD + MEAN - mean) / deviation", "return (images - mean) / deviation", [f"{UNIT}::test_grey_values_survive_the_way_to_the_network_and_back"], "units of another network"),
    Sabotage(GUESSES, "patches[~hidden].mean(0)", "patches.mean(0)", [f"{OWN}::test_each_guess_is_what_it_says"], "the mean patch saw the hidden ones"),
    Sabotage(GUESSES, "return seen[distance.argmin(1)]", "return seen[distance.argmax(1)]", [f"{OWN}::test_each_guess_is_what_it_says", f"{OWN}::test_the_nearest_visible_patch_on_a_grid"], "the farthest patch"),
    Sabotage(GUESSES, "seen = ~away & binary_dilation", "seen = binary_dilation", [f"{OWN}::test_cubic_interpolation_looks_at_visible_pixels_only_and_is_exact_on_planes"], "cubic looks under the mask"),
    Sabotage(GUESSES, 'griddata(at, values, wanted[outside], method="nearest")', "0.0", [f"{OWN}::test_beyond_the_hull_of_what_is_visible_cubic_is_the_nearest_pixel"], "black beyond the hull"),
    Sabotage(ANALYSIS, "in_space(guess, norm_pix) - target", "guess - target", [f"{OWN}::test_in_standardised_space_truth_and_guess_are_standardised_by_themselves"], "guesses in another space"),
    Sabotage(ANALYSIS, "values = self.errors[who][self.mask]", "values = self.errors[who]", [f"{OWN}::test_skill_is_one_less_the_ratio_of_errors_over_hidden_patches"], "visible patches in the error"),
    Sabotage(ANALYSIS, "else 1 - own / other", "else own / other", [f"{OWN}::test_skill_is_one_less_the_ratio_of_errors_over_hidden_patches"], "skill upside down"),
    Sabotage(ANALYSIS, "return np.where(self.hidden_pixels, self.painted, self.original)", "return self.painted", [f"{OWN}::test_skill_is_one_less_the_ratio_of_errors_over_hidden_patches"], "pasted shows what was visible as painted"),
    Sabotage(ANALYSIS, "member, count = members(patients)\n    sums = np.stack([np.bincount(member, weights", "member, count = np.arange(len(patients)), len(patients)\n    sums = np.stack([np.bincount(member, weights", [f"{OWN}::test_the_interval_of_a_skill_resamples_patients"], "images resampled, not patients"),
    Sabotage(ANALYSIS, "if count < FEWEST:", "if count < 2:", [f"{OWN}::test_the_interval_of_a_skill_resamples_patients"], "an interval from fifteen patients"),
    Sabotage(ANALYSIS, "if other > own + 0.15 and other > 0.05:", "if False:", [f"{OWN}::test_the_doctor_knows_what_is_wrong"], "blind to the other space"),
    Sabotage(ANALYSIS, "if fitted > 0.5:", "if fitted > 2:", [f"{OWN}::test_the_doctor_knows_what_is_wrong"], "blind to wrong units"),
    Sabotage(ANALYSIS, "if own > 0.05:", "if own > 2:", [f"{OWN}::test_the_doctor_says_nothing_of_what_is_better_than_trivial"], "treats the healthy"),
    Sabotage(FIGURES, "np.where(found.mask, found.errors[METHOD], np.nan)", "found.errors[METHOD]", [f"{OWN}::test_the_row_shows_five_panels_and_errors_of_hidden_patches_only"], "errors where nothing was hidden"),
    Sabotage(FIGURES, "(found.painted, ~hidden)", "(found.painted, None)", [f"{OWN}::test_what_is_hidden_is_covered_and_what_was_visible_is_not_shown_as_painted"], "shows what no loss taught"),
    Sabotage("workbench/single.py", "augment=False", "augment=True", [f"{SHOWN}::test_the_same_request_paints_the_same_film"], "a view that is augmented"),
    Sabotage(PAINTING, "if name not in known:", "if False:", [f"{SHOWN}::test_an_upload_is_painted_and_wrong_parameters_are_refused"], "a region that is not there"),
    Sabotage(JOB, "if not steps or len(steps) > MOST:", "if False:", [f"{SHOWN}::test_an_upload_is_painted_and_wrong_parameters_are_refused"], "no snapshot asked for"),
    Sabotage(MASKS, "or bits >> side**2:", "or False:", [f"{SHOWN}::test_masks_survive_the_address"], "bits of patches that are not there"),
    Sabotage("app/studies.py", 'else "nothing"', 'else "screen"', ["tests/app/test_restricted.py::test_no_page_carries_a_film_or_a_sentence_until_asked"], "films of a credentialed set on every page"),
    Sabotage("app/place.py", 'if allowed == "nothing":', "if False:", ["tests/app/test_restricted.py::test_no_page_carries_a_film_or_a_sentence_until_asked"], "the figure ignores that nothing is allowed"),
    Sabotage("app/place.py", 'config(key) if allowed == "all" else {"displayModeBar": False}', "config(key)", [f"{SHOWN}::test_films_that_may_not_leave_have_no_camera"], "films of restricted data can be saved"),
    Sabotage(PAGE, "if not each.hidden:", "if False:", [f"{SHOWN}::test_empty_full_and_one_patch_masks_are_said_in_words"], "nothing hidden goes unsaid"),
    Sabotage("app/able.py", "if capability in (run.status", "if capability not in (run.status", [f"{SHOWN}::test_a_run_waits_for_the_worker_then_shows_films_and_skill"], "asks a method for what it cannot"),
    Sabotage("training/feed.py", "            self.rows.config = config\n", "", [LIVE], "the turned ratio never reaches the data"),
    Sabotage("training/knobs.py", "| {rest: value}, path)", "| {rest: min(value, 0.9)}, path)", [LIVE], "a ratio out of bounds is bent"),
    Sabotage("workbench/dataset.py", "every[place] if place < len(every) else {}", "every[0]", [f"{SHOWN}::test_a_film_taken_alone_has_the_masks_of_no_other"], "the second film is hidden where the heart is in the first"),
    Sabotage(ANALYSIS, "total[2] / total[3] - total[0] / total[1]", "total[0] / total[1] - total[2] / total[3]", [f"{OWN}::test_a_set_that_is_painted_worse_is_told_and_one_at_random_is_not"], "difference with the other sign"),
    Sabotage(ANALYSIS, "(dataset.keys[place] in held) is side]", "(dataset.keys[place] in held) is not side]", [f"{OWN}::test_a_set_is_painted_beside_studies_that_no_run_trained_on"], "the others as the set"),
    Sabotage(PAINTING, "float(row[mask].sum())", "float(row.sum())", [f"{OWN}::test_a_set_is_painted_beside_studies_that_no_run_trained_on"], "visible patches count"),
]  # fmt: skip
