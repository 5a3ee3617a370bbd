"""Likeness of meaning from labels, concepts and vectors."""

import math

import numpy as np
import pytest
import torch

from workbench.losses.semantic import concept_vectors, label_vectors, positive_pairs, semantic_similarity

NAN = math.nan
LABELS = torch.tensor([[1, 0, NAN], [0, 0, NAN], [NAN, NAN, NAN], [1, 1, 0], [0, 0, 0]])


def test_labels_not_stated_are_no_likeness_and_no_finding_is_one():
    assert label_vectors(LABELS, no_finding=False).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert label_vectors(LABELS)[:, 3].tolist() == [0, 1, 0, 0, 1]


def test_concepts_are_columns_whatever_their_numbers_and_order():
    ids = torch.tensor([[2**62, 7, 0, 0], [7, 5, 2**62, 0], [0, 0, 0, 0], [5, 5, 0, 0]])
    vectors = concept_vectors(ids)
    assert vectors.shape == (4, 3)
    assert (vectors @ vectors.T).tolist() == [[2, 2, 0, 0], [2, 3, 0, 1], [0, 0, 0, 0], [0, 1, 0, 1]]


def test_similarities():
    a, b = np.array([[1.0, 1, 0], [0, 0, 0]]), np.array([[1.0, 0, 0], [0, 2, 0], [0, 0, 3]])
    given = torch.from_numpy(a), torch.from_numpy(b)
    assert semantic_similarity(*given, "dot").tolist() == (a @ b.T).tolist()
    half = math.sqrt(0.5)
    np.testing.assert_allclose(semantic_similarity(*given).numpy(), [[half, half, 0], [0, 0, 0]])


@pytest.mark.parametrize(("above", "wanted"), [(0.0, 7), (0.6, 5)])
def test_positive_pairs_hold_every_study_s_own_text_and_equal_texts(above, wanted):
    similarity = torch.tensor([[0.0, 0.5, 0], [0.5, 1, 0], [0, 0, 0.7]])
    found = positive_pairs(similarity, above, torch.tensor([3, 4, 3]))
    assert found.diagonal().all() and found[0, 2] and found[2, 0]
    assert int(found.sum()) == wanted
