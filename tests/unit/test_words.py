"""Words and their masking: the published collator to the letter, the mended one for WordPiece and byte-level BPE, a vocabulary of one's own."""

import json
import math

import numpy as np
import pytest

from training.data_commands import vocabulary as trained_vocabulary
from workbench import words
from workbench.errors import UserError

REPORTS = ["There is no pneumothorax.", "No pneumothorax, no effusion.", "The heart is enlarged; effusion on the left."] * 3


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The name of a text tower on a WordPiece vocabulary of the reports above."""
    folder = tmp_path_factory.mktemp("own")
    words.train_wordpiece(REPORTS, folder, 60)
    return words.OWN + str(folder)


@pytest.fixture(scope="module")
def bytes_tower(tmp_path_factory):
    """A byte-level BPE vocabulary as RoBERTa has it."""
    from tokenizers import ByteLevelBPETokenizer, Tokenizer, processors

    folder = tmp_path_factory.mktemp("bytes")
    made = ByteLevelBPETokenizer(add_prefix_space=True)
    made.train_from_iterator(REPORTS, vocab_size=290, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False)
    made.save(str(folder / "tokenizer.json"))
    fast = Tokenizer.from_file(str(folder / "tokenizer.json"))
    fast.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=True)
    fast.save(str(folder / "tokenizer.json"))
    return words.OWN + str(folder)


def pieces(tower, text):
    known, ids = words.vocabulary(tower), words.row(text, tower, 64)["input_ids"]
    return ids, known, [[known.pieces[ids[place]] for place in word] for word in words.words_of(ids, known)]


def spoken(word):
    return "".join(piece.removeprefix("##").removeprefix("Ġ") for piece in word)


@pytest.mark.parametrize("tower", ["own", "bytes_tower", "minilm", "words:phantoms"])
def test_the_tokens_of_a_word_belong_together_whatever_the_tokenizer(tower, request):
    tower = request.getfixturevalue(tower) if tower in ("own", "bytes_tower") else tower
    ids, known, found = pieces(tower, "no pneumothoraxes, effusion.")
    assert [spoken(word) for word in found] == ["no", "pneumothoraxes", ",", "effusion", "."] and len(found[1]) > 1
    assert known.special[ids].tolist() == [True] + [False] * (len(ids) - 2) + [True]
    if tower != "minilm":
        assert known.pieces[known.mark] in ("[MASK]", "<mask>")


@pytest.mark.parametrize("tower", ["own", "bytes_tower"])
def test_fixed_masking_hides_whole_words_of_the_text_and_at_least_one(tower, request):
    tower = request.getfixturevalue(tower)
    ids, known, _ = pieces(tower, "xyzzy pneumothorax qwerty. The heart is enlarged; no effusion.")
    groups, shares = words.words_of(ids, known), []
    assert max(map(len, groups)) > 1
    for seed in range(200):
        hidden = words.hidden_places(ids, known, 0.3, 96, "fixed", np.random.default_rng(seed))
        assert all(hidden[group].all() or not hidden[group].any() for group in groups)
        assert not hidden[len(ids) :].any() and not hidden[: len(ids)][known.special[ids]].any()
        shares.append(hidden.sum())
    text = sum(map(len, groups))
    assert max(shares) == round(0.3 * text) and np.mean(shares) > 0.25 * text
    few = [words.hidden_places(ids[:4], known, 0.02, 96, "fixed", np.random.default_rng(seed)).sum() for seed in range(20)]
    assert min(few) >= 1
    assert not words.hidden_places(ids[[0, -1]], known, 0.5, 96, "fixed", np.random.default_rng(0)).any(), "no word, nothing to hide"


@pytest.mark.parametrize(("tokens", "nothing"), [(5, 0.41), (10, 0.16), (20, 0.016)])
def test_official_masking_hides_nothing_as_often_as_published(tokens, nothing, bytes_tower):
    """Ten of 64 places are drawn, padding and marks among them: (64 - n choose 10) / (64 choose 10) for n tokens of text."""
    known = words.vocabulary(bytes_tower)
    exact = math.comb(64 - tokens, 10) / math.comb(64, 10)
    assert exact == pytest.approx(nothing, abs=0.005)
    ids = np.array([0, *range(10, 10 + tokens), 2])
    draws = [words.hidden_places(ids, known, 0.15, 64, "official", np.random.default_rng(seed)) for seed in range(2000)]
    assert np.mean([not each.any() for each in draws]) == pytest.approx(exact, abs=0.035)
    assert np.mean([each.sum() for each in draws]) == pytest.approx(10 * tokens / 64, rel=0.05)
    short = [words.hidden_places(np.array([0, 10, 11, 2]), known, 0.5, 4, "official", np.random.default_rng(seed)) for seed in range(300)]
    assert np.mean([each.sum() == 2 for each in short]) == pytest.approx(1 / 6, abs=0.06), "<s> and </s> are drawn, too"


def test_official_masking_keeps_wordpiece_words_whole_and_never_hides_a_mark(own):
    ids, known, _ = pieces(own, "xyzzy pneumothorax enlarged")
    groups = words.words_of(ids, known)
    for seed in range(100):
        hidden = words.hidden_places(ids, known, 0.3, 64, "official", np.random.default_rng(seed))
        assert all(hidden[group].all() or not hidden[group].any() for group in groups)
        assert not hidden[0] and not hidden[len(ids) - 1 :].any()


def test_hidden_words_are_marked_replaced_or_kept_eight_to_one_to_one(own):
    known = words.vocabulary(own)
    ids = np.full(20_000, 7)
    hidden = np.arange(len(ids)) % 2 == 0
    shown = words.hide(ids, hidden, known, np.random.default_rng(0))
    assert (shown[~hidden] == 7).all()
    at = shown[hidden]
    other = 0.1 * (1 - 2 / known.size)
    assert np.mean(at == known.mark) == pytest.approx(0.8, abs=0.015)
    assert np.mean((at != known.mark) & (at != 7)) == pytest.approx(other, abs=0.01)
    assert np.mean(at == 7) == pytest.approx(0.1, abs=0.012)


def test_a_vocabulary_of_ones_own_knows_the_words_of_its_reports(own, tmp_path):
    _, known, found = pieces(own, "The HEART is enlarged")
    assert [spoken(word) for word in found] == ["the", "heart", "is", "enlarged"] and known.size <= 60
    with pytest.raises(UserError, match="no word that occurs twice"):
        words.train_wordpiece([], tmp_path / "none")


def test_a_row_is_cut_at_its_length_and_no_text_is_told(own):
    row = words.row("the heart is enlarged on the left", own, 5)
    assert len(row["input_ids"]) == 5 and row["text_id"] == words.row("THE heart  is enlarged on the left", own, 64)["text_id"]
    assert words.row("  ", own, 5)["text_id"] == 0


def test_the_command_reads_training_texts_only(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    settings = ["level=teaching", "size=32", "train=40", "val=4", "test=0"]
    document, said = trained_vocabulary(["phantoms"], tmp_path / "made", 300, None, settings)
    assert document["tokens"] <= 300 and f"method.text=words:{tmp_path / 'made'}" in said
    assert words.vocabulary(words.OWN + str(tmp_path / "made")).size == document["tokens"]
    with pytest.raises(UserError, match="no data set named"):
        trained_vocabulary([], tmp_path / "made", 300, None, [])


def test_a_tower_without_tokenizer_or_mask_is_refused(tmp_path, own):
    with pytest.raises(UserError, match=r"needs a tokenizer .*workbench data vocabulary"):
        words.vocabulary(words.OWN + str(tmp_path / "nowhere"))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match=r"holds no tokenizer.json; save its fast tokenizer"):
        words.vocabulary(str(tmp_path))
    told = json.loads((words.folder_of(own) / "tokenizer.json").read_text())
    told["added_tokens"] = [each for each in told["added_tokens"] if each["content"] != "[MASK]"]
    told["model"]["vocab"] = {("hidden" if piece == "[MASK]" else piece): place for piece, place in told["model"]["vocab"].items()}
    (tmp_path / "tokenizer.json").write_text(json.dumps(told))
    with pytest.raises(UserError, match="so no word can be hidden"):
        words.vocabulary(words.OWN + str(tmp_path))
