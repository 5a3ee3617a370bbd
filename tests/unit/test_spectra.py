"""Spectra against an SVD in float64, and what must not change them."""

import numpy as np
import pytest

from workbench.analysis import _moments
from workbench.analysis._moments import isotropic_eigenvalues, moments
from workbench.analysis.collapse import effective_rank
from workbench.analysis.spectra import isotropic_spectrum, singular_spectrum
from workbench.embeddings import Embeddings, load, save

RNG = np.random.default_rng


def cloud(n=90, d=7, seed=0):
    return RNG(seed).normal(size=(n, d)) * np.arange(1, d + 1) ** -1.0 + np.arange(d)


def svd(z):
    return np.linalg.svd(z - z.mean(0), compute_uv=False)


@pytest.mark.parametrize(("n", "d"), [(90, 7), (7, 90), (5, 5), (1, 3), (9000, 3)])
def test_singular_values_of_the_centred_rows(n, d):
    z = cloud(n, d)
    found = singular_spectrum(z)
    expected = np.append(svd(z), np.zeros(max(0, d - n)))
    assert found.values == pytest.approx(expected, abs=1e-6 * max(1, expected[0])) and found.values.shape == (d,)
    assert (found.n, found.d) == (n, d) and np.all(np.diff(found.values) <= 0) and found.values.min() >= 0


def test_what_does_not_change_a_spectrum_and_what_scales_it():
    z, draw = cloud(), RNG(1)
    rotation, _ = np.linalg.qr(draw.normal(size=(7, 7)))
    reference = singular_spectrum(z).values
    for other in (z @ rotation, z[draw.permutation(90)], z[:, draw.permutation(7)], z + 100 * draw.normal(size=7), -z):
        assert singular_spectrum(other).values == pytest.approx(reference, rel=1e-6)
    assert singular_spectrum(3 * z).values == pytest.approx(3 * reference, rel=1e-6)


def test_a_distant_float32_cloud_keeps_its_spectrum():
    """Rows are shifted before they are squared: at 1,000 spreads from the origin nothing is lost."""
    z = cloud(500, 4)
    far = (z + 1e6).astype(np.float64)
    assert singular_spectrum(far).values == pytest.approx(svd(z), rel=1e-6)


def test_a_dead_direction_has_no_singular_value():
    z = cloud()
    z[:, 3] = 5.0
    z[:, 4] = 2 * z[:, 5]
    assert np.all(singular_spectrum(z).values[-2:] == 0)


def test_moments_are_subtracted_not_computed_again():
    z = cloud(200, 5)
    whole = moments(z)
    left = whole.minus(moments(z[:60], whole.shift))
    assert left.scatter() == pytest.approx((200 - 60 - 1) * np.cov(z[60:].T), rel=1e-9)
    assert left.scatter(False) == pytest.approx(z[60:].T @ z[60:], rel=1e-9)
    assert left.mean == pytest.approx(z[60:].mean(0), rel=1e-9)
    assert left.variance == pytest.approx(z[60:].var(0).sum(), rel=1e-9)


def test_blocks_add_up(monkeypatch):
    z = cloud(100, 5)
    whole = moments(z)
    monkeypatch.setattr(_moments, "BLOCK", 33)
    assert moments(z).scatter() == pytest.approx(whole.scatter(), rel=1e-9)


def test_a_stream_is_read_once_from_disk_or_blocks(tmp_path, monkeypatch):
    z = cloud(300, 5).astype(np.float16)
    np.save(tmp_path / "rows.npy", z)
    monkeypatch.setattr(_moments, "BLOCK", 64)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    expected = svd(z.astype(np.float64))
    for source in (mapped, (z[start : start + 70] for start in range(0, 300, 70)), [z[:1], z[1:299], z[299:]]):
        found = singular_spectrum(source)
        assert found.values == pytest.approx(expected, rel=1e-6) and (found.n, found.d, found.trusted) == (300, 5, 5)


def test_a_stream_is_refused_with_the_place_of_what_is_wrong(monkeypatch):
    monkeypatch.setattr(_moments, "BLOCK", 40)
    z = cloud()
    for value in (np.nan, np.inf):
        z[44, 2] = value
        with pytest.raises(ValueError, match="1 of the rows 40 to 79"):
            moments(z)
    with pytest.raises(ValueError, match=r"rows 90 to 93 have shape \(4, 1\); the first ones had 7"):
        moments([cloud(), np.ones((4, 1))])
    with pytest.raises(ValueError, match="no rows"):
        moments(iter([]))


def test_float32_products_are_near_and_say_what_they_cannot_tell():
    z = (RNG(6).normal(size=(9000, 6)) @ np.diag([1, 0.3, 0.1, 0.03, 1e-4, 1e-5])).astype(np.float32) + np.float32(0.5)
    exact, quick = singular_spectrum(z), singular_spectrum(z, "float32")
    assert exact.values == pytest.approx(svd(z.astype(np.float64)), rel=1e-6) and exact.trusted == 6
    assert quick.trusted == 4 and quick.values[:4] == pytest.approx(exact.values[:4], rel=2.5e-5)
    assert not np.array_equal(quick.values, exact.values)


def test_a_device_multiplies_the_same():
    """The path that a GPU takes, on the processor; where there is a GPU, on it too."""
    z = cloud(300, 5) - 3
    for device in {"cpu", _moments.gpu() or "cpu"}:
        for precision, near in (("float64", 1e-9), ("float32", 1e-4)):
            found, expected = moments(z, None, precision, device), moments(z, None, precision)
            assert found.total == pytest.approx(expected.total, rel=near, abs=1e-3 * near)
            assert found.cross == pytest.approx(expected.cross, rel=near, abs=near)
    shift = np.full(5, -1.0)
    assert moments(z, shift, device="cpu").total == pytest.approx((z + 1).sum(0), rel=1e-9)
    assert singular_spectrum(z, device="auto").values == pytest.approx(svd(z), rel=1e-6)


def test_isotropic_eigenvalues_are_those_of_gaussian_rows():
    """The bidiagonal form against scatters of real Gaussian rows, more rows than columns and fewer."""
    draw = RNG(2)
    for n, d in ((60, 9), (6, 20)):
        real = np.mean([np.linalg.eigvalsh((x := draw.normal(size=(n, d))).T @ x)[::-1] for _ in range(400)], 0)
        found = isotropic_eigenvalues(n, d, 400).mean(0)
        assert found == pytest.approx(real, rel=0.05, abs=1e-6)
        assert found.sum() == pytest.approx(n * d, rel=0.02)


def test_the_isotropic_reference_has_the_energy_asked_for():
    found = isotropic_spectrum(40, 6, energy=12.0)
    assert np.sum(found.values**2) == pytest.approx(12.0) and found.values[0] < 2 * found.values[-1]
    assert np.array_equal(found.values, isotropic_spectrum(40, 6, energy=12.0).values)
    assert np.all(isotropic_spectrum(1, 6).values == 0)


def test_nothing_is_read_below_the_float16_floor(tmp_path):
    """5,000 rows are stored as float16: a direction 1e-5 of the largest is rounding there, and a real one in float32."""
    draw = RNG(3)
    rotation, _ = np.linalg.qr(draw.normal(size=(5, 5)))
    z = (draw.normal(size=(5000, 5)) * [1, 1, 1, 1e-5, 1e-6]) @ rotation
    names = tuple(map(str, range(5000)))
    save(Embeddings(z.astype(np.float32), names, names, "image.projected", 3, "hash"), tmp_path)
    stored = load(tmp_path)
    assert stored.quantised and np.count_nonzero(singular_spectrum(stored).values) == 3
    assert np.count_nonzero(singular_spectrum(z.astype(np.float32)).values) == 5
    assert singular_spectrum(stored).values[:3] == pytest.approx(svd(z)[:3], rel=1e-3)


def test_bad_features_are_refused():
    z = cloud()
    z[4, 2] = np.nan
    with pytest.raises(ValueError, match="1 of the rows 0 to 89"):
        singular_spectrum(z)
    with pytest.raises(ValueError, match="1 of 90 rows"):
        effective_rank(z)
    with pytest.raises(ValueError, match="1 of 4 rows"):
        singular_spectrum(z[3:7])
    with pytest.raises(ValueError, match="shape"):
        singular_spectrum(np.zeros((0, 4)))
