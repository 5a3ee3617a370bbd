"""Ranks, scale and offset in closed form; where they must alarm and where they must not."""

import json

import numpy as np
import pytest

from workbench.analysis import collapse
from workbench.analysis.collapse import (
    alignment,
    alpha_req,
    effective_rank,
    explained_area,
    feature_std,
    isoscore,
    modality_gap,
    nesum,
    offset,
    participation_ratio,
    rankme,
    spectral_rank,
    stable_rank,
    summarise,
    uniformity,
    unit_std,
)
from workbench.analysis.spectra import singular_spectrum
from workbench.analysis.statistics import jackknife
from workbench.embeddings import Embeddings

RNG = np.random.default_rng
SINGULAR = np.array([6.0, 3.0, 2.0, 1.0])


def shaped(singular=SINGULAR, n=50, mean=None, seed=0):
    """Rows (n, d) whose centred singular values are exactly `singular`, around `mean`."""
    draw, d = RNG(seed), len(singular)
    u = draw.normal(size=(n, d))
    u, _ = np.linalg.qr(u - u.mean(0))
    v, _ = np.linalg.qr(draw.normal(size=(d, d)))
    return u * singular @ v.T + (0 if mean is None else np.asarray(mean))


def entropy_rank(values):
    share = np.asarray(values) / np.sum(values)
    return np.exp(-np.sum(share * np.log(share)))


def test_closed_forms():
    z, square = shaped(), SINGULAR**2
    assert float(effective_rank(z)) == pytest.approx(entropy_rank(SINGULAR), abs=1e-6)
    assert float(participation_ratio(z)) == pytest.approx(square.sum() ** 2 / np.sum(square**2), abs=1e-6)
    assert float(nesum(z)) == pytest.approx(square.sum() / square[0], abs=1e-6)
    assert float(isoscore(z)) == pytest.approx((square.sum() ** 2 / np.sum(square**2) - 1) / 3, abs=1e-6)
    assert float(feature_std(z)) == pytest.approx(np.sqrt(square.sum() / 50 / 4), abs=1e-6)
    assert float(spectral_rank(z)) == pytest.approx(entropy_rank(square), abs=1e-6)
    assert float(explained_area(z)) == pytest.approx(np.mean(np.cumsum(square) / square.sum()), abs=1e-6)
    assert float(stable_rank(z)) == pytest.approx(square.sum() / square[0], abs=1e-6)
    assert float(effective_rank(shaped(np.ones(4)))) == pytest.approx(4, abs=1e-6)
    assert float(explained_area(shaped(np.ones(4)))) == pytest.approx(5 / 8, abs=1e-6)


def test_closed_forms_off_the_origin():
    mean = np.array([0.3, -0.2, 0.5, 0.1])
    z = shaped(mean=mean)
    uncentred = np.linalg.svd(z, compute_uv=False)
    assert float(effective_rank(z, centred=False)) == pytest.approx(entropy_rank(uncentred), abs=1e-6)
    assert float(effective_rank(z)) == pytest.approx(entropy_rank(SINGULAR), abs=1e-6)
    share = uncentred / uncentred.sum() + 1e-7
    assert float(rankme(z)) == pytest.approx(np.exp(-np.sum(share * np.log(share))), abs=1e-6)
    assert float(feature_std(z)) == pytest.approx(np.sqrt(np.sum(SINGULAR**2) / 50 / 4), abs=1e-6)
    assert float(stable_rank(z)) == pytest.approx(np.sum(uncentred**2) / uncentred[0] ** 2, abs=1e-6)
    square = np.sum(mean**2)
    assert float(offset(z)) == pytest.approx(square / (square + np.sum(SINGULAR**2) / 50), abs=1e-6)


def test_isoscore_as_published():
    """Rudman et al., steps 3 to 6: normalised PCA variances, isotropy defect, fraction of dimensions, rescaled."""
    variance, d = SINGULAR**2, 4
    defect = np.linalg.norm(np.sqrt(d) * variance / np.linalg.norm(variance) - 1) / np.sqrt(2 * (d - np.sqrt(d)))
    used = (d - defect**2 * (d - np.sqrt(d))) ** 2 / d**2
    assert float(isoscore(shaped())) == pytest.approx((d * used - 1) / (d - 1), abs=1e-6)


def test_alpha_req_is_the_exponent_of_a_power_law():
    for exponent in (0.5, 1.0, 2.5):
        z = shaped(np.arange(1, 9) ** (-exponent / 2), n=64)
        assert float(alpha_req(z)) == pytest.approx(exponent, abs=1e-6)
    assert float(alpha_req(np.c_[shaped(np.arange(1, 9) ** -0.5, n=64), np.zeros(64)])) == pytest.approx(1, abs=1e-6)
    assert np.isnan(float(alpha_req(np.ones((5, 3)))))


def test_pairs_on_the_sphere():
    draw = RNG(1)
    x, y = draw.normal(size=(23, 5)), draw.normal(size=(23, 5))
    a, b = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (x, y))
    apart = np.array([np.sum((a[i] - a[j]) ** 2) for i in range(23) for j in range(23) if i != j])
    assert float(uniformity(x)) == pytest.approx(np.log(np.mean(np.exp(-2 * apart))), abs=1e-9)
    assert float(uniformity(x, t=3.0)) == pytest.approx(np.log(np.mean(np.exp(-3 * apart))), abs=1e-9)
    assert float(uniformity(x, pairs=200_000)) == pytest.approx(float(uniformity(x)), abs=0.01)
    assert float(alignment(x, y)) == pytest.approx(np.mean(np.sum((a - b) ** 2, 1)), abs=1e-12)
    assert float(alignment(x, 3 * x)) == pytest.approx(0, abs=1e-12) and float(alignment(x, -x)) == pytest.approx(4, abs=1e-12)
    assert float(modality_gap(x, y[:9])) == pytest.approx(np.linalg.norm(a.mean(0) - b[:9].mean(0)), abs=1e-12)
    assert float(modality_gap(x, x + 2, normalise=False)) == pytest.approx(2 * np.sqrt(5), abs=1e-9)
    with pytest.raises(ValueError, match="equal shapes"):
        alignment(x, y[:9])


RANKS = (effective_rank, participation_ratio, nesum, isoscore, alpha_req, lambda z: effective_rank(z, centred=False), rankme)
RANKS += (stable_rank, spectral_rank, explained_area)


@pytest.mark.parametrize("statistic", RANKS)
def test_ranks_ignore_scale_rotation_and_order(statistic):
    z, draw = shaped(mean=[1, 2, 0, 0.5]), RNG(2)
    rotation, _ = np.linalg.qr(draw.normal(size=(4, 4)))
    for other in (7.0 * z, z @ rotation, z[draw.permutation(50)]):
        assert float(statistic(other)) == pytest.approx(float(statistic(z)), rel=1e-6)


def test_scale_follows_scale_and_centred_ranks_ignore_the_mean():
    z = shaped()
    assert float(feature_std(5 * z)) == pytest.approx(5 * float(feature_std(z)), rel=1e-9)
    for statistic in (effective_rank, participation_ratio, nesum, isoscore, feature_std):
        assert float(statistic(z + np.array([40, -10, 0, 5]))) == pytest.approx(float(statistic(z)), rel=1e-6)


def test_a_point_with_noise_alarms_in_scale_and_offset_though_its_centred_rank_is_full():
    """The trap: the centred rank alone calls a collapsed network healthy."""
    noise = RNG(3).normal(size=(400, 20))
    found = summarise(1.0 + 1e-6 * noise, np.arange(400))
    assert float(found.effective_rank) > 19 and float(found.uncentred_rank) < 1.001
    assert float(found.feature_std) == pytest.approx(1e-6, rel=0.05) and float(found.offset) > 0.999999
    healthy = summarise(noise, np.arange(400))
    assert float(healthy.uncentred_rank) > 19 and float(healthy.offset) < 0.01 and float(healthy.feature_std) == pytest.approx(1, rel=0.05)


def test_isotropic_noise_of_768_columns_has_no_more_ranks():
    """Where an epsilon of 1e-5 is added after normalising, this reads 797."""
    z = RNG(10).normal(size=(4 * 768, 768))
    singular = singular_spectrum(z).values
    share = singular / singular.sum() + 1e-5
    assert np.exp(-np.sum(share * np.log(share))) > 768, "the trap is one"
    for statistic in (effective_rank, lambda rows: effective_rank(rows, centred=False), spectral_rank, participation_ratio, nesum, rankme):
        found = statistic(z)
        assert found.value <= 768 and found.value == pytest.approx(found.ceiling, rel=0.005)


def test_a_constant_with_noise_is_not_healthy():
    """1,024 rows of a constant and 1e-6 noise: .12 on a scale where 1 is collapse, as healthy data reads, where only the mean is taken off."""
    noise = RNG(11).normal(size=(1024, 768))
    healthy, collapsed = summarise(noise, None), summarise(1.0 + 1e-6 * noise, None)
    assert collapsed.effective_rank.value == pytest.approx(healthy.effective_rank.value, rel=1e-3), "the trap: the centred rank cannot tell"
    for statistic, of_collapsed, of_healthy in (
        (offset, 1, 1 / 1024),
        (stable_rank, 1, stable_rank(noise).ceiling),
        (unit_std, 0, 1 / np.sqrt(768)),
        (feature_std, 1e-6, 1),
    ):
        assert float(statistic(1.0 + 1e-6 * noise)) == pytest.approx(of_collapsed, abs=1e-5)
        assert float(statistic(noise)) == pytest.approx(of_healthy, rel=0.1)
    assert collapsed.uncentred_rank.value < 1.1 < 600 < healthy.uncentred_rank.value


def test_the_scale_of_normalised_rows():
    z = shaped(mean=[0.3, -0.2, 0.5, 0.1])
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    assert float(unit_std(z * RNG(9).uniform(1, 5, size=(50, 1)))) == pytest.approx(unit.std(0).mean(), abs=1e-9)
    assert float(unit_std(z[::-1])) == pytest.approx(unit.std(0).mean(), abs=1e-9)
    assert float(unit_std(np.tile([1.0, 2, 3], (5, 1)))) == pytest.approx(0, abs=1e-9)


def test_a_line_alarms_in_every_rank():
    z = RNG(4).normal(size=(200, 1)) * np.arange(1, 7)
    for statistic in (effective_rank, participation_ratio, nesum, stable_rank, spectral_rank, explained_area):
        assert float(statistic(z)) == pytest.approx(1, abs=1e-6)
    assert float(isoscore(z)) == pytest.approx(0, abs=1e-6)


def test_nothing_moves_reads_zero():
    found = summarise(np.ones((60, 3)), np.arange(60))
    assert float(found.effective_rank) == float(found.participation_ratio) == float(found.feature_std) == 0
    assert float(found.offset) == 1 and np.all(found.spectrum == 0)
    assert float(nesum(np.zeros((5, 2)))) == 0


def test_the_ceiling_is_what_an_isotropic_cloud_reaches():
    draw, n, d = RNG(5), 48, 16
    clouds = [draw.normal(size=(n, d)) for _ in range(60)]
    for statistic, name in (
        (effective_rank, "effective_rank"),
        (participation_ratio, "participation_ratio"),
        (nesum, "nesum"),
        (lambda z: effective_rank(z, centred=False), "uncentred_rank"),
        (offset, "offset"),
        (stable_rank, "stable_rank"),
        (spectral_rank, "spectral_rank"),
        (explained_area, "explained_area"),
        (isoscore, "isoscore"),
        (alpha_req, "alpha_req"),
    ):
        found = np.mean([float(statistic(z)) for z in clouds])
        assert collapse.ceiling(name, n, d) == pytest.approx(found, rel=0.12 if name == "offset" else 0.02)
        assert statistic(clouds[0]).ceiling == collapse.ceiling(name, n, d)
    assert collapse.ceiling("feature_std", n, d) is None
    assert unit_std(clouds[0]).ceiling == pytest.approx(np.mean([float(unit_std(z)) for z in clouds]), rel=0.02)
    assert rankme(clouds[0]).ceiling == pytest.approx(np.mean([float(rankme(z)) for z in clouds]), rel=0.02)
    assert collapse.ceiling("participation_ratio", n, d) < 0.8 * d, "an isotropic cloud of few rows does not reach d"


def test_a_look_says_the_same_as_each_function():
    z, patients = shaped(np.arange(8, 0, -1.0), n=300, mean=np.full(8, 0.3)), np.arange(300) // 2
    found = summarise(z, patients)
    for name, statistic in (
        ("effective_rank", effective_rank),
        ("participation_ratio", participation_ratio),
        ("uncentred_rank", lambda rows: effective_rank(rows, centred=False)),
        ("feature_std", feature_std),
        ("offset", offset),
    ):
        alone = jackknife(statistic, z, patients)
        together = getattr(found, name)
        assert (together.value, together.low, together.high) == pytest.approx((alone.value, alone.low, alone.high), rel=1e-6), name
    assert found.spectrum == pytest.approx(singular_spectrum(z).values, rel=1e-9)
    assert found.mean_norm == pytest.approx(np.linalg.norm(z.mean(0)), rel=1e-9)
    assert (found.n, found.d, found.patients, found.limited) == (300, 8, 150, False)


def test_an_even_cloud_gets_the_same_corrected_interval_both_ways():
    z = RNG(6).normal(size=(120, 5))
    found, alone = summarise(z, np.arange(120)).participation_ratio, jackknife(participation_ratio, z, np.arange(120))
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high), rel=1e-9)


def test_as_dict_is_json_with_null_where_withheld():
    z = RNG(7).normal(size=(60, 12)).astype(np.float32)
    for patients in (np.arange(60), None, np.arange(60) // 10):
        document = json.loads(json.dumps(summarise(z, patients).as_dict(), allow_nan=False))
        assert {"n", "d", "patients", "procedure", "row_kurtosis", "row_fourth", "mean_norm", "spectrum", *collapse.STATISTICS} == set(
            document
        )
        for name in collapse.STATISTICS:
            assert set(document[name]) == {"value", "low", "high", "why", "ceiling"}
            assert (document[name]["low"] is None) == bool(document[name]["why"])
    assert document["patients"] == 6 and "6 patients" in document["offset"]["why"] and document["procedure"] == ""


def test_below_four_rows_a_dimension_ranks_have_no_interval():
    found = summarise(RNG(8).normal(size=(30, 50)), np.arange(30))
    assert found.effective_rank.low is None and "30 rows for 50 dimensions" in found.participation_ratio.why and found.limited
    assert found.feature_std.low is not None and found.offset.low is not None
    assert np.count_nonzero(found.spectrum) == 29 and len(found.spectrum) == 50
    for n, given in ((47, False), (48, True)):
        found = summarise(RNG(8).normal(size=(n, 12)), np.arange(n))
        assert (found.uncentred_rank.low is not None) == given == (not found.limited)


def test_embeddings_are_features_too():
    z = shaped().astype(np.float32)
    names = tuple(map(str, range(50)))
    found = Embeddings(z, names, names, "image.projected", 0, "hash")
    assert float(effective_rank(found)) == float(effective_rank(z))
    assert summarise(found, found.patients).as_dict() == summarise(z, names).as_dict()
