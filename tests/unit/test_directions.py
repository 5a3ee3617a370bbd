"""What a singular direction means: shares against closed forms, matches against planted rotations, lives of planted births, turns and deaths."""

import json

import numpy as np
import pytest

import workbench as wb
from workbench.analysis import directions as module
from workbench.analysis.directions import (
    Directions,
    Life,
    as_states,
    following,
    lives,
    matched,
    named_words,
    of_run,
    ordered,
    spoken,
    unit_scores,
)
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.figures import directions as figures
from workbench.figures import theme

RNG = np.random.default_rng
N = 200


def cloud(scales, mix=None, seed=0):
    """Rows (N, d) whose principal scores are orthonormal columns times `scales`, turned by `mix` in sample space where given."""
    basis = RNG(seed).normal(size=(N, 8))
    basis = np.linalg.qr(basis - basis.mean(0))[0]
    scores = basis[:, : len(scales)] if mix is None else basis[:, : len(mix)] @ mix
    turn = np.linalg.qr(RNG(seed + 1).normal(size=(len(scales), len(scales))))[0]
    return (scores * np.asarray(scales, float)) @ turn


def look(z, step):
    keys = tuple(map(str, range(N)))
    return Embeddings(z.astype(np.float32), keys, keys, "image.projected", step, "hash")


def test_scores_have_length_one_and_shares_are_those_of_the_variance():
    z = cloud([3, 2, 1])
    units, shares = unit_scores(z + 5)
    assert np.allclose(units.T @ units, np.eye(3), atol=1e-9) and np.allclose(shares, np.array([9, 4, 1]) / 14)
    for place in range(3):
        assert following(z + 5, 7 * units[:, place] + 2) == pytest.approx(shares[place], abs=1e-9)


def test_scores_of_no_meaning_are_followed_by_one_in_n():
    z, draws = RNG(0).normal(size=(N, 6)), RNG(1).normal(size=(400, N))
    assert np.mean([following(z, u) for u in draws]) == pytest.approx(1 / (N - 1), rel=0.05)
    assert following(np.ones((N, 3)), draws[0]) == 0


def test_directions_that_swap_places_are_matched_and_two_never_continue_as_one():
    a = unit_scores(cloud([3, 2, 1]))[0]
    b = unit_scores(cloud([1, 3, 2]))[0]
    place, quality = matched(a, b)
    assert list(place) == [2, 0, 1] and np.allclose(quality, 1)
    twins = np.stack([a[:, 0], 0.9 * a[:, 0] + np.sqrt(1 - 0.81) * a[:, 1]], 1)
    place, quality = matched(twins, a[:, :2])
    assert sorted(place) == [0, 1] and quality[0] == pytest.approx(1)
    place, quality = matched(a, a[:, :1])
    assert list(place) == [0, -1, -1] and list(quality[1:]) == [0, 0]


def test_a_birth_a_turn_and_a_death_are_dated():
    c, s = np.cos(np.pi / 4), np.sin(np.pi / 4)
    turned = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    weak, there = cloud([0.2, 3, 1]), cloud([3, 2.9, 1])
    looks = [look(weak, 0), look(there, 10), look(cloud([3, 2.9, 1], turned), 20), look(there, 40), look(cloud([0.1, 3, 1]), 80)]
    own = lives(looks, 3, 2)[0]
    assert own.share[3] == pytest.approx(9 / (9 + 2.9**2 + 1)) and own.match[3] == 1 and own.place[3] == 1
    assert (own.born, own.died) == (10, 80)
    assert own.match[2] == pytest.approx(c, abs=0.02) and c > module.KEPT, "a turn by 45 degrees is not yet one"
    sharper = Life(own.steps, own.share, own.place, (1, 1, 0.6, 1, 1))
    assert sharper.turned == (20,) and Life(own.steps, own.share, own.place, (0.1, 1, 1, 1, 0.1)).turned == ()


def test_a_direction_that_stays_was_there_from_the_first_look_and_is_at_the_last():
    own = lives([look(cloud([3, 2, 1]), step) for step in (0, 5, 9)], 1, 1)[0]
    assert (own.born, own.died, own.turned) == (0, None, ()) and np.allclose(own.match, 1, atol=1e-6)
    gap = Life((0, 1, 2, 3, 4), (0.3, 0.1, 0.4, 0.1, 0.3), (1,) * 5, (1,) * 5)
    assert (gap.born, gap.died) == (2, None), "what went and came again was born when it came to stay"


def test_factors_are_ordered_by_distance_from_chance_and_mirrored():
    score, patients = RNG(0).normal(size=N), np.arange(N)
    states = as_states(
        {"age": score + 0.1, "view": np.where(score > 0, "PA", "AP"), "noise": RNG(1).normal(size=N), "constant": np.ones(N)}
    )
    assert set(states) == {"age", "view: PA", "noise"}
    found = ordered(score, states, patients)
    assert [each.name for each in found][2] == "noise" and found[0].interval.value == 1
    noise, turned = found[2].interval, ordered(-score, {"noise": states["noise"]}, patients)[0].interval
    mirrored = found[2].mirrored.interval
    assert mirrored.value == pytest.approx(turned.value) and mirrored.low == pytest.approx(1 - noise.high) and mirrored.low < mirrored.high
    three = as_states({"source": np.array(["a", "b", "c"] * 50)})
    assert set(three) == {"source: a", "source: b", "source: c"} and three["source: b"].sum() == 50


def test_words_that_one_end_says_are_found_and_no_others():
    score, patients = RNG(0).normal(size=N), np.arange(N).astype(str)
    said = RNG(1).random((N, 30)) < 0.5
    texts = [
        f"{'Effusion seen' if value > 0.3 else 'clear'} " + " ".join(f"word{chr(97 + k)}" for k in np.flatnonzero(row))
        for value, row in zip(score, said[:, :20])
    ]
    words = spoken(texts, patients)
    assert "effusion" in words and words["effusion"].sum() == (score > 0.3).sum()
    found = {each.name: each.interval.value for each in named_words(score, words, patients)}
    assert set(found) == {"effusion", "seen", "clear"} and found["clear"] < 0.5 < found["effusion"]
    assert "rare" not in spoken([*texts[:-9], *["rare"] * 9], patients) and named_words(score, {}, patients) == ()


def test_structureless_scores_say_no_word_in_most_draws():
    patients = np.arange(N).astype(str)
    words = spoken([" ".join(f"word{chr(97 + k)}" for k in np.flatnonzero(row)) for row in RNG(0).random((N, 24)) < 0.4], patients)
    spoke = sum(bool(named_words(RNG(seed).normal(size=N), words, patients)) for seed in range(40))
    assert len(words) == 24 and spoke <= 6, "one family in twenty by chance"


def test_a_run_is_read_and_what_was_read_goes_through_json(small_run):
    found = of_run(small_run, "image.projected", 3, wb.open_run(small_run.path).dataset())
    assert Directions.of_dict(json.loads(json.dumps(found.as_dict()))) == found
    assert found.n == 96 and len(found.directions) == module.FIRST and not found.why
    shares = [each.share for each in found.directions]
    assert shares == sorted(shares, reverse=True) and all(each.life.match[-1] == 1 for each in found.directions)
    first = found.directions[0]
    keys = small_run.embeddings("image.projected", 3).keys
    scores = unit_scores(small_run.embeddings("image.projected", 3).features)[0][:, 0]
    assert {first.low[0], first.high[0]} == {keys[scores.argmin()], keys[scores.argmax()]}
    assert first.factors[0].interval.value >= 0.5 and not set(first.low) & set(first.high)
    fig = figures.orders(found, first, theme.LIGHT.accent)
    assert len(theme.clip(figures.title(first))) <= 60 and fig.layout.yaxis.ticktext[0] == theme.plain(
        theme.clip(first.factors[0].name, 22)
    )
    drawn = figures.life(found, first, theme.LIGHT.accent)
    assert tuple(drawn.data[0].y) == first.life.share and len(figures.life_rows(found)) == sum(
        len(each.life.steps) for each in found.directions
    )
    view = wb.open_run(small_run.path).direction("image.projected", 3, 2, "life")
    assert view.data == found
    with pytest.raises(UserError, match="counted from 1 to 6"):
        wb.open_run(small_run.path).direction("image.projected", 3, 7)


def test_a_point_has_no_directions_and_credentialed_words_are_not_read(small_run, monkeypatch):
    dataset = wb.open_run(small_run.path).dataset()
    words, why = module.words_of(type("Closed", (), {"terms": "credentialed"})(), np.arange(3), np.arange(3))
    assert words == {} and "credentialed" in why
    stored = small_run.embeddings("image.projected", 3)
    point = Embeddings(np.ones_like(stored.features), stored.keys, stored.patients, stored.feature, 3, stored.data_hash)
    monkeypatch.setattr(type(small_run), "embeddings", lambda self, feature, step: point)
    with pytest.raises(UserError, match="a point has no directions"):
        of_run(small_run, "image.projected", 3, dataset)


def test_the_high_end_has_more_of_what_is_ordered_best(small_run):
    dataset = wb.open_run(small_run.path).dataset()
    found = of_run(small_run, "image.projected", 3, dataset)
    stored = small_run.embeddings("image.projected", 3)
    places = module.placed(small_run, stored, dataset)
    scores = unit_scores(stored.features)[0]
    states = as_states({name: values[places] for name, values in module.factors_of(dataset).items()})
    flipped = 0
    for each in found.directions:
        values, score = states.get(each.factors[0].name), scores[:, each.place - 1]
        score = score if stored.keys[score.argmax()] == each.high[0] else -score
        flipped += score is not scores[:, each.place - 1] and not np.shares_memory(score, scores)
        if values is not None:
            assert module.concordance(score, values, np.asarray(stored.patients)).value >= 0.5
    assert flipped > 0
