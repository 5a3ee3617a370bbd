"""Curves over N: whole patients, nested, the same every time; intervals or the reason."""

from itertools import pairwise

import numpy as np
import pytest

from workbench.analysis.classes import lidar
from workbench.analysis.collapse import effective_rank, feature_std, nesum
from workbench.analysis.statistics import jackknife
from workbench.analysis.subsampling import nested, over_n

RNG = np.random.default_rng


def test_subsamples_are_nested_and_hold_whole_patients():
    patients = RNG(0).integers(0, 40, size=150)
    found = nested(patients, [20, 60, 150])
    for smaller, larger in pairwise(found):
        assert set(smaller) < set(larger)
    for kept, size in zip(found, [20, 60, 150]):
        assert size - 12 < len(kept) <= size and not set(patients[kept]) & set(np.delete(patients, kept))
    assert all(np.array_equal(a, b) for a, b in zip(found, nested(patients, [20, 60, 150])))
    assert not np.array_equal(found[0], nested(patients, [20], seed=1)[0])
    with pytest.raises(ValueError, match="no subsample of 151 rows"):
        nested(patients, [151])
    with pytest.raises(ValueError, match="the first patient has 10"):
        nested(np.repeat([0, 1], 10), [9])


def test_a_rank_climbs_with_rows_beside_its_ceiling():
    z, patients = RNG(1).normal(size=(320, 16)), np.arange(320) // 2
    found = over_n(effective_rank, z, patients, [16, 40, 80, 320])
    assert (
        np.all(np.diff(found.values) > 0)
        and np.array_equal(found.rows, [16, 40, 80, 320])
        and np.array_equal(found.patients, [8, 20, 40, 160])
    )
    assert found.values == pytest.approx(found.ceilings, rel=0.05), "an isotropic cloud reads its ceiling at every size"
    assert found.values[-1] == float(effective_rank(z)) and (found.statistic, found.d) == ("effective_rank", 16)
    kept = nested(patients, [80])[0]
    alone = jackknife(effective_rank, z[kept], patients[kept])
    assert (found.intervals[2].low, found.intervals[2].high) == pytest.approx((alone.low, alone.high))


def test_no_interval_without_its_reason():
    z, patients = RNG(2).normal(size=(200, 16)), np.arange(200)
    ranks, scale = over_n(effective_rank, z, patients, [40, 200]), over_n(feature_std, z, patients, [10, 40])
    assert ranks.intervals[0].low is None and "40 rows for 16 dimensions" in ranks.intervals[0].why and ranks.intervals[1].low is not None
    assert "10 patients" in scale.intervals[0].why and scale.intervals[1].low is not None and np.all(np.isnan(scale.ceilings))
    groups = over_n(lidar, z, patients // 4, [100, 200], labels=patients // 4)
    assert "no coverage" in groups.intervals[1].why and groups.values[1] == float(lidar(z, patients // 4))
    assert over_n(nesum, z, patients, [200]).values[0] == float(nesum(z))
    with pytest.raises(ValueError, match="199 patients for 200 rows"):
        over_n(nesum, z, patients[1:], [100])
