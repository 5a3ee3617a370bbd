"""Breaks of the methods, their towers, texts and images that a test must notice."""

from tests.sabotage import Sabotage

TEST, TEXT, IMAGE = "tests/unit/test_methods.py", "tests/unit/test_text.py", "tests/unit/test_transforms.py"
CLIP, MFLAG, LANGUAGE = "workbench/methods/clip.py", "workbench/methods/mflag.py", "workbench/nn/language.py"
TEMPERATURE = "workbench/nn/temperature.py"
PARTS = f"{TEST}::test_equal_parts_of_different_methods_start_equal"
SABOTAGES = [
    Sabotage(CLIP, 'with part("vision")', 'with part("image")', [PARTS], "start weights of its own"),
    Sabotage(
        CLIP,
        "every(x[told]), every(y[told])",
        "every(x[told]), every(x[told])",
        [f"{TEST}::test_clip_is_info_nce_of_its_projections_without_repeated_texts_as_negatives"],
        "compares images with themselves",
    ),
    Sabotage(
        CLIP,
        'told = batch["text_id"] != text.NO_TEXT',
        'told = batch["text_id"] != -1',
        [f"{TEST}::test_a_study_without_report_takes_no_part_in_what_needs_one[clip-contrastive]"],
        "contrasts missing reports",
    ),
    Sabotage(
        TEMPERATURE,
        "clamp_(max=",
        "clamp_(min=",
        [f"{TEST}::test_the_temperature_stays_in_its_range_and_can_be_fixed"],
        "clamps the wrong end",
    ),
    Sabotage(
        TEMPERATURE,
        "(-self.log_scale).exp()",
        "self.log_scale.exp()",
        [f"{TEST}::test_the_temperature_stays_in_its_range_and_can_be_fixed"],
        "the scale for the temperature",
    ),
    Sabotage(
        MFLAG,
        "gathered = z if alone else gather_batch(z)",
        "gathered = x",
        [f"{TEST}::test_mflag_orthogonality_acts_on_the_backbone_and_alignment_on_both_towers"],
        "orthogonality on the projector",
    ),
    Sabotage(
        MFLAG,
        "mflag_alignment(x[told], y[told]) * rows",
        "mflag_alignment(x[told], y[told])",
        [f"{TEST}::test_mflag_alignment_is_a_sum_over_the_rows_it_counts"],
        "a mean where the loop expects a sum",
    ),
    Sabotage(
        MFLAG,
        "mflag_alignment(x[told], y[told])",
        "mflag_alignment(x[told], y[told].detach())",
        [f"{TEST}::test_mflag_orthogonality_acts_on_the_backbone_and_alignment_on_both_towers"],
        "the text projector never learns",
    ),
    Sabotage(
        "workbench/methods/supervised.py",
        'Mean(loss, (~batch["labels"].isnan()).sum())',
        'Mean(loss, batch["labels"].numel())',
        [f"{TEST}::test_supervised_counts_stated_labels_only_and_refuses_other_numbers_of_them"],
        "divides by labels that are not stated",
    ),
    Sabotage(
        "workbench/nn/projectors.py",
        "affine=False",
        "affine=True",
        [f"{TEST}::test_mflag_projector_is_the_official_one"],
        "the BatchNorm at the end may shrink",
    ),
    Sabotage(
        "workbench/nn/vision.py",
        "index_add(0, image_index, z)",
        "index_add(0, image_index.flip(0), z)",
        [f"{TEST}::test_several_images_of_a_study_are_averaged"],
        "images go to another study",
    ),
    Sabotage(
        LANGUAGE,
        "(hidden * weight).sum(1) / weight.sum(1)",
        "hidden.mean(1)",
        [f"{TEXT}::test_pooling_leaves_padding_out_and_gives_unit_rows[mean]"],
        "pads count as tokens",
    ),
    Sabotage(
        LANGUAGE,
        "normalize(hidden[:, 0], dim=1)",
        "hidden[:, 0]",
        [f"{TEXT}::test_pooling_leaves_padding_out_and_gives_unit_rows[first]"],
        "vectors of any length",
    ),
    Sabotage(
        LANGUAGE,
        "/ counts[:, None].astype(np.float32)",
        "/ counts.max()",
        [f"{TEXT}::test_a_report_vector_is_the_mean_of_its_sentences_and_does_not_depend_on_the_batch"],
        "divides every report by the longest",
    ),
    Sabotage(
        "workbench/nn/bert.py",
        "attn_mask=mask[:, None, None, :].bool()",
        "attn_mask=None",
        [f"{TEXT}::test_the_frozen_encoder_equals_transformers"],
        "attends to padding",
    ),
    Sabotage(
        "workbench/nn/vector_store.py",
        "            self.refresh()\n            first",
        "            first",
        [f"{TEXT}::test_processes_share_the_cache_and_a_torn_end_is_dropped"],
        "does not see what others appended",
    ),
    Sabotage(
        "workbench/nn/vector_store.py",
        "file.truncate(len(self.records) * self.record.itemsize)",
        "pass",
        [f"{TEXT}::test_processes_share_the_cache_and_a_torn_end_is_dropped"],
        "appends behind half a record",
    ),
    Sabotage(
        "workbench/text.py",
        "sorted(map(normalise, sentences(text)))",
        "list(map(normalise, sentences(text)))",
        [f"{TEXT}::test_identity_ignores_case_and_space_and_in_sentences_order"],
        "the order of sentences counts",
    ),
    Sabotage(
        "workbench/text.py",
        "text.casefold().split()",
        "text.split()",
        [f"{TEXT}::test_identity_ignores_case_and_space_and_in_sentences_order"],
        "case counts",
    ),
    Sabotage(
        "workbench/transforms.py",
        "np.arange(size) - by, 0, size - 1)",
        "np.arange(size) - by, -size, size - 1)",
        [f"{IMAGE}::test_shifts_repeat_the_border"],
        "wraps around",
    ),
    Sabotage(
        "workbench/transforms.py",
        "return array.take(_sources(height, down), axis=0)",
        "return array[:, ::-1].take(_sources(height, down), axis=0)",
        [f"{IMAGE}::test_shifts_repeat_the_border"],
        "flips left and right",
    ),
    Sabotage(
        "workbench/transforms.py",
        "if array.dtype == np.uint8:\n        return",
        "if False:\n        return",
        [f"{IMAGE}::test_augmentation_is_addressed_and_bounded[shift_gain]"],
        "stretches every film to full contrast",
    ),
]
