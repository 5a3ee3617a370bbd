"""Reports as rows: sentences, identity, the cache on disk, and the frozen encoder against transformers' own."""

import json
import multiprocessing

import numpy as np
import pytest
import torch

from workbench import text
from workbench.errors import UserError
from workbench.nn import language
from workbench.nn.vector_store import VectorStore
from workbench.text import TextFields, row, sentences, sequences, text_batch, text_id

REPORT = "Findings:\nNo pleural effusion. Nodule of 2.4 cm (approx. 1 in.) in the\nright lower lobe! Dr. Who was told.\n\nImpression\n\n1. Heart normal.\n2. (Cardiomegaly?) Stable."


class Owner:
    """What text_batch asks of a method."""

    def __init__(self, **fields):
        self.config = TextFields(**fields)


def test_sentences_end_where_sentences_end():
    assert sentences(REPORT) == [
        "Findings: No pleural effusion.",
        "Nodule of 2.4 cm (approx. 1 in.) in the right lower lobe!",
        "Dr. Who was told.",
        "Impression",
        "1. Heart normal.",
        "2. (Cardiomegaly?)",
        "Stable.",
    ]
    assert sentences(" \n ") == []


def test_identity_ignores_case_and_space_and_in_sentences_order():
    assert text_id("No  effusion.\n") == text_id("no effusion.") != text_id("effusion.")
    assert text_id("A b. C d.") != text_id("C d. A b.")
    assert text_id("A b. C d.", "sentences") == text_id("c d.  a b.", "sentences") != text_id("A b. C e.", "sentences")
    assert text_id("  ") == text.NO_TEXT and 0 < text_id("x") < 2**63


def test_a_row_holds_every_sentence_from_mark_to_mark():
    config = TextFields(text_tokens=6)
    ids = row("Heart normal. There is no evidence of a large pleural effusion.", config)["input_ids"]
    batch = text_batch(Owner(text_tokens=6), ["Heart normal. There is no evidence of a large pleural effusion.", "Clear."])
    parts = sequences(batch["input_ids"].numpy(), batch["attention_mask"].sum(1).tolist(), "sentences")
    assert [len(part) for part in parts] == [2, 1]
    first, second = (np.frombuffer(part, np.int64) for part in parts[0])
    assert first.tolist() + second.tolist() == ids.tolist()
    assert first[0] == second[0] and first[-1] == second[-1] and len(second) == 6  # cut, but closed


def test_a_report_vector_is_the_mean_of_its_sentences_and_does_not_depend_on_the_batch():
    tower = language.text_tower(TextFields())

    def vectors(*texts):
        batch = text_batch(Owner(), texts)
        return tower(batch["input_ids"], batch["attention_mask"])

    both, first, second = vectors("Heart normal. No effusion.", "Heart normal.", "No effusion.")
    torch.testing.assert_close(both, (first + second) / 2)
    torch.testing.assert_close(first.norm(), torch.tensor(1.0))
    torch.testing.assert_close(
        vectors("Heart normal.", "A much longer sentence about many other things. And one more.")[0], first, rtol=0, atol=0
    )
    close, far = vectors("The heart is of normal size.", "Left pneumothorax.")
    assert first @ close > first @ far + 0.1


def test_no_sentence_runs_twice_and_the_model_stays_unloaded_when_all_are_known(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    ran = []
    monkeypatch.setattr(
        language.FrozenText, "run", lambda self, parts, device: (ran.append(len(parts)), np.ones((len(parts), 384), np.float32))[1]
    )

    def embed(texts):
        batch = text_batch(Owner(), texts)
        language.text_tower(TextFields())(batch["input_ids"], batch["attention_mask"])

    embed(["Heart normal. No effusion.", "No effusion. No effusion."])
    embed(["No effusion. Heart normal.", "Bones intact."])
    assert ran == [2, 1]
    language._store.cache_clear()  # as in another process
    embed(["Bones intact. Heart normal."])
    assert ran == [2, 1]


def appended(folder, start):
    """A process that stores keys start to start + 30 one after the other."""
    store = VectorStore(folder, 3)
    for value in range(start, start + 30):
        store.find([value.to_bytes(16, "little")], lambda places, value=value: np.full((1, 3), value, np.float32))


def test_processes_share_the_cache_and_a_torn_end_is_dropped(tmp_path):
    processes = [multiprocessing.get_context("fork").Process(target=appended, args=(tmp_path, start)) for start in (0, 15)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert int((tmp_path / "count").read_text()) == 45  # 15 in common, stored once
    with open(tmp_path / "vectors", "ab") as file:
        file.write(b"half a record")
    store = VectorStore(tmp_path, 3)
    keys = [value.to_bytes(16, "little") for value in (44, 3, 45)]
    places = store.find(keys, lambda missing: np.full((len(missing), 3), 45, np.float32) if missing == [2] else pytest.fail(str(missing)))
    np.testing.assert_array_equal(store.vectors(places), np.array([[44] * 3, [3] * 3, [45] * 3], np.float32))


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"text cache cannot be written .* WORKBENCH_CACHE"):
        VectorStore(tmp_path / "file" / "folder", 3).find([b"k" * 16], lambda places: np.zeros((1, 3)))


@pytest.fixture(scope="module")
def small_bert(tmp_path_factory):
    """A folder with a random two-layer BERT and its tokenizer."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "heart", "normal", "no", "effusion", "."]
    tokens = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    tokens.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokens.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    tokens.save(str(folder / "tokenizer.json"))
    sizes = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 20}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=40, initializer_range=0.5, **sizes)).eval()
    model.save_pretrained(folder)
    return folder, model


def test_the_frozen_encoder_equals_transformers(small_bert):
    folder, model = small_bert
    ids = torch.tensor([[1, 4, 5, 8, 2], [1, 6, 2, 0, 0], [1, 7, 4, 2, 0]])
    mask = (ids != 0).long()
    with torch.no_grad():
        wanted = model(input_ids=ids, attention_mask=mask).last_hidden_state
    found = language._frozen_model(folder, torch.device("cpu"))(ids, mask)
    assert isinstance(language._frozen_model(folder, torch.device("cpu")), language.bert.FrozenBert)
    torch.testing.assert_close(found[mask.bool()], wanted[mask.bool()], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("token_pooling", ["mean", "first"])
def test_frozen_and_trainable_towers_start_equal(small_bert, token_pooling):
    folder, _ = small_bert
    fields = {"text": str(folder), "token_pooling": token_pooling}
    batch = text_batch(Owner(**fields), ["Heart normal. No effusion.", "No effusion."])
    frozen = language.text_tower(TextFields(**fields))
    trainable = language.text_tower(TextFields(**fields, text_trainable=True)).eval()
    assert frozen.width == trainable.width == 12
    found = trainable(batch["input_ids"], batch["attention_mask"])
    torch.testing.assert_close(found, frozen(batch["input_ids"], batch["attention_mask"]), rtol=1e-4, atol=1e-5)
    found[:, :5].square().sum().backward()
    largest = {name: float(value.grad.abs().max()) for name, value in trainable.named_parameters() if value.grad is not None}
    assert set(largest) == {name for name, _ in trainable.named_parameters()}
    free = [name for name, value in largest.items() if value < 1e-6 * max(largest.values())]
    assert sorted(free) == sorted(trainable.gradient_free) and len(free) == 2


@pytest.mark.parametrize("token_pooling", ["mean", "first"])
def test_pooling_leaves_padding_out_and_gives_unit_rows(token_pooling):
    hidden = np.random.default_rng(0).normal(size=(2, 4, 3))
    lengths = [4, 2]
    wanted = np.stack([part[: 1 if token_pooling == "first" else length].mean(0) for part, length in zip(hidden, lengths)])
    wanted /= np.sqrt((wanted**2).sum(1, keepdims=True))
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    np.testing.assert_allclose(language.pool(torch.from_numpy(hidden), mask, token_pooling).numpy(), wanted, rtol=1e-12)


def test_what_cannot_be_loaded_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no config.json in this folder"):
        text.model_folder(str(tmp_path / "empty"))
    with pytest.raises(UserError, match=r"nobody/nothing is no folder here .* give its folder"):
        text.model_folder("nobody/nothing")
    (tmp_path / "empty/config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": 4}))
    with pytest.raises(UserError, match="no text encoder could be read"):
        language.load_encoder(tmp_path / "empty")
    for texts in ([], ["a", " "]):
        with pytest.raises(UserError, match="the list is empty or holds an empty text"):
            text_batch(Owner(), texts)
