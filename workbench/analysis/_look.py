"""What the sentinel judges: one feature of the probe set at one step, how far its numbers vary, and the series of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from workbench.analysis._fall import Series
from workbench.analysis._reading import exp_entropy, participation

GAUSSIAN = 3.0  # kurtosis of row norms; above, ranks vary more than their formulas say
COLUMNS = ("rank", "uncentred", "std", "away", "rank_error", "uncentred_error", "std_error")


@dataclass(frozen=True)
class ClassLook:
    """One class at a look: its rows and the root mean column variance of them alone. A `Look` serves as well."""

    n: int
    std: float


@dataclass(frozen=True)
class Look:
    """One feature (n, d) of the probe set at one step.

    `spectrum`: singular values of the centred rows, at most d, in any unit; `mean_norm`: norm of the mean row; `std`: root mean column
    variance; `probe`: macro AUROC read from the feature; `row_kurtosis`: of the norms of the centred rows; `classes`: by name;
    `row_fourth`: mean of their fourth powers over the square of the mean of their second ones. A look kept before that was written has
    none: its rank is then that of the sample, its errors of first order.
    """

    step: int
    feature: str
    n: int
    d: int
    spectrum: Sequence[float] | np.ndarray
    mean_norm: float
    std: float
    probe: float | None = None
    row_kurtosis: float | None = None
    classes: Mapping[str, "ClassLook | Look"] | None = None
    row_fourth: float | None = None

    @cached_property
    def rank(self) -> float:
        """Participation ratio of the population, 1 to d; of the sample where `row_fourth` is not known or n < 4.

        Of the sample it falls with n and with heavy tails at equal population: squared lengths |x|^4 lie on the diagonal of the squared
        Gram matrix. Trace^2 and trace of the squared covariance are estimated without bias under any distribution with fourth moments
        (Himeno and Yamada, J. Multivariate Analysis 2014): with p of the sample and k = `row_fourth` their ratio is
        (2/p + n^2 - 3n + 1 - (n - 1) k) / ((n - 1)(n - 2)/p + 1 - (n - 1) k), close to (1 - k/n) / (1/p - k/n).
        """
        sample, n, k = participation(self._eigenvalues), self.n, self.row_fourth
        if k is None or n < 4 or sample <= 0:
            return sample
        above = 2 / sample + n * n - 3 * n + 1 - (n - 1) * k
        below = (n - 1) * (n - 2) / sample + 1 - (n - 1) * k
        return float(np.clip(above / below, 1, self.d)) if below > 0 else float(self.d)

    @cached_property
    def rank_error(self) -> float:
        """Standard error of log `rank`, rows being Gaussian times lengths of their own with t = E s^4 / (E s^2)^2.

        First order: t 8/n sum of w^2, where w = l / sum l - l^2 / sum l^2 of the eigenvalues l; it vanishes where all are equal. There the
        pairs of rows decide, of second order: 2 (t/n)^2 (1 + 6 s4/s2^2 + (1 + 2 s2/s1^2)^2 - 8 s3/(s1 s2) - 8 s4/(s1^2 s2)) with sums s1 to
        s4 of the powers of l, which is (2 t/n)^2 for many equal ones. Both are terms of the variance of a U-statistic (Hoeffding, 1948).
        From the sample's eigenvalues it is up to 1.8 times too large where all are equal, more under Student tails of 3 degrees, and 30 % too
        small where not the rows but their single coordinates have tails (Laplace); measured at 130 and 512 rows of 32 dimensions.
        """
        values = self._eigenvalues
        s1, s2, s3, s4 = (float(np.sum(values**power)) for power in (1, 2, 3, 4))
        if s1 <= 0:
            return 0.0
        first = 8 / self.n * self._tails * float(np.sum((values / s1 - values**2 / s2) ** 2))
        if self.row_fourth is None:
            return float(np.sqrt(first))
        pairs = 1 + 6 * s4 / s2**2 + (1 + 2 * s2 / s1**2) ** 2 - 8 * s3 / (s1 * s2) - 8 * s4 / (s1**2 * s2)
        return float(np.sqrt(first + 2 * (self._tails / self.n) ** 2 * max(pairs, 0.0)))

    @cached_property
    def _eigenvalues(self) -> np.ndarray:
        """Of the centred scatter, over their sum: powers of them stay numbers."""
        values = np.asarray(self.spectrum, float)
        return (values / max(float(np.sqrt(np.sum(values**2))), 1e-150)) ** 2

    @cached_property
    def _singular(self) -> np.ndarray:
        """Singular values over the root of n, and the mean as if it were a direction of its own: the spectrum does not say how it lies."""
        values = np.asarray(self.spectrum, float)
        length = float(np.sqrt(np.sum(values**2)))
        root = float(np.sqrt(self.d)) * self.std
        return np.append(values * (root / length if length > 0 else 0.0), self.mean_norm)

    @cached_property
    def uncentred(self) -> float:
        """Effective rank with the mean."""
        return exp_entropy(self._singular)

    @cached_property
    def uncentred_error(self) -> float:
        """Standard error of log `uncentred`, to first order: singular values s vary by s^2 / 2n."""
        share = self._singular[self._singular > 0] / max(self._singular.sum(), 1e-150)
        surprise = np.log(share)
        return float(np.sqrt(np.sum((share * (surprise - np.sum(share * surprise))) ** 2) / (2 * self.n) * self._tails))

    @property
    def std_error(self) -> float:
        """Standard error of log `std`: of half the logarithm of a mean of squared lengths, which vary by `row_fourth` - 1.

        Without it the trace of a covariance varies like a chi-square of n times `rank` degrees.
        """
        if self.row_fourth is not None:
            return float(np.sqrt(max(self.row_fourth - 1, 0.0) / (4 * self.n)))
        return float(np.sqrt(self._tails / (2 * self.n * max(self.rank, 1.0))))

    @cached_property
    def _tails(self) -> float:
        """E s^4 / (E s^2)^2 of the rows' own lengths: 1 for Gaussian rows, of which `row_fourth` is 1 + 2 / `rank`."""
        if self.row_fourth is None:
            return max(1.0, (self.row_kurtosis or GAUSSIAN) / GAUSSIAN)
        return max(1.0, self.row_fourth / (1 + 2 / max(self.rank, 1.0)))

    @property
    def full(self) -> float:
        """`rank` of an isotropic Gaussian cloud: d, or 1 / (1/n + 1/d) of the sample."""
        return float(self.d) if self.row_fourth is not None else self.n * self.d / (self.n + self.d)

    @property
    def away(self) -> float:
        """Norm of the mean over the root of the variance."""
        return self.mean_norm / max(float(np.sqrt(self.d)) * self.std, 1e-150)


def series_of(looks: Sequence[Look]) -> Series:
    """The looks at one feature in step order; where one lacks `row_fourth`, all are read without. Raises ValueError for two features."""
    if len({look.feature for look in looks}) != 1:
        raise ValueError(f"looks at {sorted({look.feature for look in looks})}; a series is of one feature")
    if any(look.row_fourth is None for look in looks):  # two kinds of rank would differ where nothing moved
        looks = [look if look.row_fourth is None else replace(look, row_fourth=None) for look in looks]
    column = {name: np.array([getattr(look, name) for look in looks], float) for name in COLUMNS}
    probe = np.array([np.nan if look.probe is None else look.probe for look in looks])
    steps, last = np.array([look.step for look in looks]), looks[-1]
    return Series(steps, last.n, last.d, last.full, **column, probe=probe)
