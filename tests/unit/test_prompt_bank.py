"""A bank of prompts as people write it, and everything it may not hold, said in a sentence."""

import pytest

from workbench import prompt_bank
from workbench.errors import UserError
from workbench.phantom.report import prompts as phantom_prompts

LABELS = ["effusion", "Pleural_Thickening", "COVID-19"]
PAIR = {"positive": ["There is an effusion."], "negative": ["No effusion."]}


def read(text: str) -> prompt_bank.Bank:
    return prompt_bank.read(text.encode(), "bank.yaml", LABELS)


def test_pairs_and_templates():
    assert read("effusion: {positive: [A b., ' A  b. '], negative: C.}") == {"effusion": {"positive": ["A b."], "negative": ["C."]}}
    found = read("templates: {positive: ['There is {}.', '{} is seen.'], negative: ['No {}.']}")
    assert list(found) == LABELS
    assert found["Pleural_Thickening"]["positive"] == ["There is pleural thickening.", "Pleural thickening is seen."]
    assert found["COVID-19"]["negative"] == ["No COVID-19."]
    named = read("{templates: {positive: ['a {} b'], negative: ['no {}']}, findings: {effusion: pleural fluid}}")
    assert named == {"effusion": {"positive": ["a pleural fluid b"], "negative": ["no pleural fluid"]}}
    assert list(read("{templates: {positive: ['{}'], negative: ['no {}']}, findings: [effusion]}")) == ["effusion"]


def test_a_template_fills_one_slot_and_evaluates_nothing():
    found = read("templates: {positive: ['{} {0.__class__} {x}'], negative: ['no {}']}")
    assert found["effusion"]["positive"] == ["Effusion {0.__class__} {x}"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected findings"),
        ("[1, 2]", "expected findings"),
        ("effusion: {positive: [''], negative: [a]}", "prompt 1: the prompt is empty"),
        ("effusion: {positive: ['   '], negative: [a]}", "the prompt is empty"),
        ("effusion: {positive: [a], negative: []}", "expected a list of prompts"),
        ("effusion: {positive: [a]}", "expected the keys positive and negative"),
        ("effusion: {positive: [7], negative: [a]}", "expected a text, found int"),
        (f"effusion: {{positive: [{'x' * 10_000}], negative: [a]}}", "a prompt of 10,000 characters; at most 1,000"),
        ('effusion: {positive: ["a\\u0000b"], negative: [a]}', "control characters"),
        ("gout: {positive: [a], negative: [b]}", "'gout' is no label of this data; its labels are effusion"),
        ("templates: {positive: [There is one.], negative: ['no {}']}", "has no {}"),
        ("{templates: {positive: ['{}'], negative: ['no {}']}, other: 1}", "unknown key 'other'"),
        ("effusion: {positive: !!python/object/apply:os.system [ls], negative: [a]}", "not readable as YAML"),
        ("a: [", "not readable as YAML"),
        ("[" * 3000, "not readable as YAML"),
        ("effusion: {positive: [" + ",".join(f"p{i}" for i in range(51)) + "], negative: [a]}", "51 prompts; at most 50"),
    ],
)
def test_what_is_no_bank_is_refused_in_a_sentence(text, told):
    with pytest.raises(UserError, match=r"bank\.yaml") as caught:
        read(text)
    assert told in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_a_file_that_multiplies_itself_is_cheap_to_refuse():
    """Nine levels of nine aliases each: a billion strings if anyone wrote them out."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    with pytest.raises(UserError, match="is no label"):
        read("\n".join(levels))
    nested = "effusion: {positive: [&a [x, x]], negative: [[*a, *a], b]}"
    with pytest.raises(UserError, match="expected a text, found list"):
        read(nested)
    with pytest.raises(UserError, match="at most 200,000"):
        read("# " + "x" * 200_001)


def test_another_script_and_html_are_texts_like_any(tmp_path):
    for text in ("胸腔积液", "плевральный выпот", "<b>effusion</b>"):
        assert prompt_bank.prompt(text, "typed") == text
    path = tmp_path / "bank.yaml"
    path.write_text("effusion: {positive: [a], negative: [b]}")
    assert prompt_bank.read_file(path, LABELS)["effusion"]["positive"] == ["a"]
    with pytest.raises(UserError, match="no such file"):
        prompt_bank.read_file(tmp_path / "none.yaml", LABELS)


def test_the_data_sets_own_and_what_lacks_them():
    class Data:
        label_names = ("effusion", "nodule")
        prompts = phantom_prompts()

    own = prompt_bank.own(Data(), "run")
    assert list(own) == ["effusion", "nodule"] and prompt_bank.parse(own, "again", list(own)) == own
    assert prompt_bank.texts(own) == sorted({text for pair in own.values() for side in pair.values() for text in side})
    assert prompt_bank.digest(own) != prompt_bank.digest(own | {"effusion": PAIR})
    Data.prompts = {}
    with pytest.raises(UserError, match="brings no prompts"):
        prompt_bank.own(Data(), "run")
    Data.label_names = ()
    with pytest.raises(UserError, match="no labels, so prompts have nothing to be judged by"):
        prompt_bank.own(Data(), "run")
