"""How far would a spectral statistic move under another draw of patients? Delete-group jackknife, corrected where it is too wide."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.special import stdtrit

from workbench.analysis._coverage import of_spectra
from workbench.analysis._interval import Interval, withheld
from workbench.analysis._moments import Moments, moments
from workbench.randomness import rng

GROUPS = 20
HEAVY = 8.0  # kurtosis of row norms; above, the interval of a spectral statistic is withheld
Statistic = Callable[[np.ndarray], float]


def group_rows(groups: Sequence[object] | np.ndarray, n_groups: int = GROUPS) -> np.ndarray | None:
    """Part (n,) in 0..n_groups-1 of each row: whole patients, equal shares of rows; None where there are fewer patients than parts."""
    _, member, count = np.unique(np.asarray(groups).astype(str), return_inverse=True, return_counts=True)
    if len(count) < n_groups:
        return None
    shuffled = rng(0, "jackknife groups", 0, len(count)).permutation(len(count))
    order = shuffled[np.argsort(-count[shuffled], kind="stable")]  # the largest first, dealt there and back: equal shares
    place = np.arange(len(count)) % (2 * n_groups)
    part = np.empty(len(count), np.int64)
    part[order] = np.where(place < n_groups, place, 2 * n_groups - 1 - place)
    return part[member]


def row_kurtosis(rows: np.ndarray) -> float:
    """Kurtosis (3 for a Gaussian) of the norms of the centred rows (n, d): a heavy tail makes the jackknife too short."""
    norms = np.linalg.norm(rows - rows.mean(0), axis=1)
    deviation = norms - norms.mean()
    square = np.mean(deviation**2) ** 2  # 0 for a point, and where so small a number has none
    return float(np.mean(deviation**4) / square) if square > 0 else 3.0


def row_fourth(rows: np.ndarray) -> float:
    """Mean |x|^4 over (mean |x|^2)^2 of the centred rows (n, d): 1 + 2 / participation ratio for a Gaussian, more for heavy tails."""
    squares = np.sum((rows - rows.mean(0, dtype=np.float64)) ** 2, 1)
    largest = squares.max()  # 0 for a point; small numbers are not squared twice
    return float(np.mean((squares / largest) ** 2) / np.mean(squares / largest) ** 2) if largest > 0 else 1.0


def reason(rows: np.ndarray, part: np.ndarray | None, n_groups: int, patients: int) -> str:
    """Why no interval can be given; empty where one can."""
    if part is None:
        return f"{patients} patients, fewer than the {n_groups} groups of the jackknife"
    kurtosis = row_kurtosis(rows)
    return f"heavy tails: kurtosis of row norms {kurtosis:.3g}, above {HEAVY:g}" if kurtosis > HEAVY else ""


def procedure(n_groups: int, level: float, patients: int, several: bool) -> str:
    """How the interval was made, and the coverage measured for it where patients are few; `several`: more images than patients."""
    return f"delete-group jackknife, {n_groups} groups of patients, t, {100 * level:.0f} %{of_spectra(patients, several)}"


def pairs_of(n_groups: int) -> list[tuple[int, int]]:
    """Two neighbours for every group, in a ring: enough pairs to see how much of a variance is of second order."""
    return [(g, (g + step) % n_groups) for step in (1, 2) for g in range(n_groups)]


class Parts:
    """Moments of rows (n, d) without some of the groups, by subtraction; cross products are kept where they are small."""

    def __init__(self, rows: np.ndarray, part: np.ndarray) -> None:
        self.rows, self.part, self.whole = rows, part, moments(rows)
        self.sizes = np.bincount(part).astype(float)
        self.kept: dict[int, Moments] = {}

    def group(self, each: int) -> Moments:
        found = self.kept.get(each) or moments(self.rows[self.part == each], self.whole.shift)
        if self.whole.d <= 512:
            self.kept[each] = found
        return found

    def without(self, sets: Sequence[Sequence[int]]) -> Iterator[Moments]:
        for left_out in sets:
            remaining = self.whole
            for each in left_out:
                remaining = remaining.minus(self.group(each))
            yield remaining

    @property
    def singles(self) -> list[tuple[int]]:
        return [(each,) for each in range(len(self.sizes))]

    def evenness(self) -> float:
        """0 where the participation ratio's variance is of first order, as it is for all but near-isotropic clouds; up to 1 there."""
        pairs = pairs_of(len(self.sizes))
        value = self.whole.participation_ratio
        one = np.array([found.participation_ratio for found in self.without(self.singles)])
        first, second = orders(value, one, np.array([found.participation_ratio for found in self.without(pairs)]), self.sizes)
        return float(np.clip((second / first - 0.2) / 0.2, 0, 1)) if first > 0 else 0.0


def orders(value: np.ndarray | float, one: np.ndarray, two: np.ndarray | None, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variance of a statistic, first and second order: from it without each group (g, …) and without each of `pairs_of` (p, …).

    The first is the delete-m_j jackknife (Busing, Meijer and van der Leeden, Statistics and Computing 1999): groups may differ
    in rows. It counts a second-order part twice (Efron and Stein, Annals of Statistics 1981); the second estimates that part.
    """
    g, n = len(one), sizes.sum()
    size = sizes.reshape(-1, *(1,) * (one.ndim - 1))
    share = n / size
    pseudo = share * value - (share - 1) * one
    first = np.mean((pseudo - pseudo.mean(0)) ** 2 / (share - 1), 0)
    if two is None:
        return first, np.zeros_like(first)
    a, b = np.array(pairs_of(g)).T
    interaction = n * value - (n - size[a]) * one[a] - (n - size[b]) * one[b] + (n - size[a] - size[b]) * two
    return first, np.var(interaction / (n / g), axis=0, ddof=1) / 2


def standard_error(value: np.ndarray | float, one: np.ndarray, two: np.ndarray | None, sizes: np.ndarray, evenness: float) -> np.ndarray:
    """Root of the first-order variance, less a part of the second in an even cloud.

    Six tenths of it, since a difference of two estimates is noisier than either; measured in docs/results/coverage.json.
    """
    first, second = orders(value, one, two, sizes)
    return np.sqrt(np.maximum(first - 0.6 * evenness * second, first / 2))


def around(value: float, error: float, n_groups: int, level: float, name: str) -> Interval:
    reach = stdtrit(n_groups - 1, (1 + level) / 2) * error
    return Interval(float(value), float(value - reach), float(value + reach), name)


def jackknife(
    statistic: Statistic, rows: np.ndarray, groups: Sequence[object] | np.ndarray, n_groups: int = GROUPS, level: float = 0.95
) -> Interval:
    """Interval of the expected value of `statistic` at this many rows (n, d) under this sampling of `groups` (patients)."""
    return resampled(lambda kept: float(statistic(rows[kept])), [np.asarray(rows)], groups, n_groups, level, "")


def paired_jackknife(
    statistic: Statistic,
    rows_a: np.ndarray,
    rows_b: np.ndarray,
    groups: Sequence[object] | np.ndarray,
    n_groups: int = GROUPS,
    level: float = 0.95,
) -> Interval:
    """Interval of statistic(b) - statistic(a) of two checkpoints or runs whose rows (n, d) have the same keys in the same order."""
    a, b = np.asarray(rows_a), np.asarray(rows_b)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} rows: a difference needs the same keys in the same order")
    return resampled(lambda kept: float(statistic(b[kept])) - float(statistic(a[kept])), [a, b], groups, n_groups, level, "difference, ")


def resampled(
    of_kept: Callable[[np.ndarray], float],
    clouds: list[np.ndarray],
    groups: Sequence[object] | np.ndarray,
    n_groups: int,
    level: float,
    kind: str,
) -> Interval:
    """The jackknife of a function of the rows kept (n,) bool; `clouds` are the features it reads."""
    if len(groups) != len(clouds[0]):
        raise ValueError(f"{len(groups)} groups for {len(clouds[0])} rows; expected one a row")
    clouds = [rows.reshape(len(rows), -1) for rows in clouds]
    part, value, patients = group_rows(groups, n_groups), of_kept(np.ones(len(groups), bool)), len(set(map(str, groups)))
    why = next(filter(None, (reason(rows, part, n_groups, patients) for rows in clouds)), "")
    name = kind + procedure(n_groups, level, patients, len(groups) > patients)
    if why or part is None:
        return withheld(value, why, name)
    parts = [Parts(rows, part) for rows in clouds]
    evenness = max(each.evenness() for each in parts)
    one = np.array([of_kept(part != each) for each in range(n_groups)])
    two = np.array([of_kept((part != a) & (part != b)) for a, b in pairs_of(n_groups)]) if evenness else None
    return around(value, float(standard_error(value, one, two, parts[0].sizes, evenness)), n_groups, level, name)
