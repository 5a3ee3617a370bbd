"""Breaks of M-FLAG whole, of gradual unfreezing and of the method card, which a test must notice."""

from tests.sabotage import Sabotage

LAYERS, LOOP, SETUP = "training/layers.py", "training/loop.py", "training/setup.py"
WARPS, ACCOUNT, METHOD = "workbench/warps.py", "workbench/account.py", "workbench/methods/mflag.py"
CARDS, CONFIG, LANGUAGE = "workbench/cards.py", "workbench/config.py", "workbench/nn/language.py"
UNIT, CARD = "tests/unit/test_mflag.py", "tests/contract/test_cards.py"
DRAWS, REFERENCE, INPUT = f"{UNIT}::test_what_each_draw_decides", f"{UNIT}::test_turning_and_perspective_are_torchvision_s", f"{UNIT}::test_switches_of_the_input"  # fmt: skip
COUNTS, MECHANISM = f"{UNIT}::test_the_account_of_a_method", f"{UNIT}::test_the_mechanism_in_numbers"
FREEZE = "tests/unit/test_unfreezing.py"
TOP, GONE = f"{FREEZE}::test_the_top_layers_train_and_what_lies_beneath_does_not", f"{FREEZE}::test_layers_that_are_not_there_are_named"
EXACT, HELD = f"{FREEZE}::test_stages_unfreeze_from_the_top_and_a_resume_is_exact[2]", f"{FREEZE}::test_frozen_layers_have_no_gradient_and_no_moments"  # fmt: skip

SABOTAGES = [
    Sabotage(LAYERS, "layers[len(layers) - count :]", "layers[:count]", [TOP, EXACT, HELD], "unfreezes from the bottom"),
    Sabotage(LAYERS, "len(layers) > len(found) and", "not found and", [f"{FREEZE}::test_the_longest_list_of_equal_layers_is_the_tower"], "the first list, whatever its length"),
    Sabotage(LAYERS, "if count > len(layers):", "if False:", [GONE], "more layers than there are"),
    Sabotage(LAYERS, "if part not in parts:", "if part not in parts and not hasattr(method, part):", [GONE], "a frozen tower is looked into"),
    Sabotage(SETUP, "[name for name in chosen if name not in frozen]", "chosen", [TOP, EXACT, HELD], "a stage trains every layer"),
    Sabotage(LOOP, "or self.method.unused_parameters or some", "or self.method.unused_parameters", ["tests/unit/test_loop.py::test_two_processes_train_stages_like_one"], "two processes wait for gradients of frozen parts"),
    Sabotage(WARPS, '"official": (0.0, 90.0)', '"official": (0.0, 45.0)', [DRAWS], "turns by half as much"),
    Sabotage(WARPS, '"mild": (-10.0, 10.0)', '"mild": (0.0, 10.0)', [DRAWS], "turns to one side only"),
    Sabotage(WARPS, "MARGIN = 256 / 224", "MARGIN = 1.0", [DRAWS], "nothing is cropped"),
    Sabotage(WARPS, "if draws[3] < 0.5:", "if draws[3] < 0:", [DRAWS], "never perspective"),
    Sabotage(WARPS, "unit_range(found) if draws[12] < 0.5 else found", "found", [DRAWS], "never full contrast"),
    Sabotage(WARPS, "0.5 else found)", "2 else found)", [DRAWS], "always full contrast"),
    Sabotage(WARPS, "1 + GAIN * (2 * draws[3] - 1), OFFSET * (2 * draws[4] - 1)", "1.0, 0.0", [DRAWS], "mild without contrast and brightness"),
    Sabotage(WARPS, "DISTORTION = 0.5", "DISTORTION = 0.25", [f"{UNIT}::test_corners_move_inwards_by_up_to_half_of_half_a_side"], "half the distortion"),
    Sabotage(WARPS, ".rotate(degrees, smooth)", ".rotate(-degrees, smooth)", [REFERENCE, DRAWS], "turns the other way"),
    Sabotage(WARPS, "rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, u]", "rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, v]", [REFERENCE], "another perspective"),
    Sabotage(WARPS, "(256 / (high - low))", "(255 / (high - low))", [f"{UNIT}::test_the_brightest_pixels_turn_black_as_in_the_code", INPUT], "nothing wraps around"),
    Sabotage(ACCOUNT, "found[\"text\"] = (tower.parameter_count(), 0)", "pass", [COUNTS, MECHANISM], "a frozen tower does not count"),
    Sabotage(ACCOUNT, "value.requires_grad if trained is None else name in trained", "value.requires_grad", [COUNTS], "all that could train trains"),
    Sabotage(ACCOUNT, "size(module) if trains else 0", "size(module)", [f"{UNIT}::test_the_paper_s_78_per_cent"], "a frozen model trains"),
    Sabotage(ACCOUNT, "if part.name not in without]", "]", [f"{UNIT}::test_the_paper_s_78_per_cent"], "nothing can be left out of the account"),
    Sabotage(LANGUAGE, 'if "pooler." not in name}', "}", [COUNTS], "the unused pooler counts"),
    Sabotage(METHOD, 'alone = config.gathering == "official" or not', "alone = not", [f"{UNIT}::test_official_processes_do_not_share_their_rows[official]"], "official rows are gathered"),
    Sabotage(METHOD, 'rows = batch_size if config.gathering == "official" else gathered_rows(batch_size)', "rows = batch_size", [f"{UNIT}::test_official_processes_do_not_share_their_rows[fixed]"], "the floor of one process's rows"),
    Sabotage(METHOD, 'rows = batch_size if config.gathering == "official" else', "rows =", [f"{UNIT}::test_official_processes_do_not_share_their_rows[official]"], "the floor of rows that are not shared"),
    Sabotage("workbench/methods/clip.py", "texts = gathered_rows(batch_size)", "texts = batch_size", [f"{UNIT}::test_official_processes_do_not_share_their_rows[fixed]"], "chance among one process's texts"),
    Sabotage("workbench/nn/gather.py", "return own * (dist.get_world_size()", "return own * (1", [f"{UNIT}::test_official_processes_do_not_share_their_rows[fixed]"], "one process's rows"),
    Sabotage(METHOD, 'if self.config.norm_decay == "official" else default_groups(self)', "", [f"{UNIT}::test_norm_decay_puts_all_parameters_in_one_group"], "norms are always decayed"),
    Sabotage(METHOD, 'sections.get("impression", "") + sections.get("findings", "")', 'sections.get("findings", "") + sections.get("impression", "")', [INPUT], "findings before impression"),
    Sabotage(METHOD, 'if not {"impression", "findings"} & set(sections):', "if False:", [INPUT], "a report without sections becomes none"),
    Sabotage(METHOD, 'if config.grey_range == "official":', "if False:", [INPUT], "the brightest stays bright"),
    Sabotage(METHOD, 'if kind == "official" or kind == "mild":', "if False:", [INPUT], "official augmentation is none"),
    Sabotage(METHOD, "svdvals((z - z.mean(0)).float())", "svdvals(z.float())", [MECHANISM], "an uncentred rank"),
    Sabotage(METHOD, "< 0.1 / unit.shape[1] ** 0.5)", "< 0.1 / unit.shape[1])", [MECHANISM], "another alarm"),
    Sabotage(CONFIG, "for base in reversed(cls.__mro__):", "for base in cls.__mro__:", [f"{CARD}::test_origins_reach_into_parts_and_a_class_stands_over_its_bases"], "a base stands over its class"),
    Sabotage(CARDS, "told = origins.get(name, origin)", 'told = origins.get(name, "")', [f"{CARD}::test_origins_reach_into_parts_and_a_class_stands_over_its_bases", f"{CARD}::test_every_field_has_a_meaning_and_a_source[mflag]"], "parts have no source"),
    Sabotage(CARDS, '["method"]["name"] == name', '["method"]["name"].startswith(name)', [f"{CARD}::test_recipes_and_records_are_those_that_name_the_method"], "recipes of longer names"),
    Sabotage(CARDS, "(?![a-z0-9_])\", re.IGNORECASE", "\", re.IGNORECASE", [f"{CARD}::test_recipes_and_records_are_those_that_name_the_method"], "records of longer names"),
    Sabotage(CARDS, "return OFFICIAL in self.choices", "return bool(self.choices)", [f"{CARD}::test_switches_stand_by_themselves"], "every choice is a switch"),
    Sabotage("workbench/methods/mae.py", '"mask_ratio": "He et al., CVPR 2022",', "", [f"{CARD}::test_every_field_has_a_meaning_and_a_source[mae]"], "a default without a source"),
]  # fmt: skip
