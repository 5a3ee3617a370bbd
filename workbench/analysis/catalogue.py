"""What is each measure of a latent space, in one sentence and a formula? The one place that page, notebook and docs/measures.md read."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from workbench.analysis import _parts, classes, collapse, dimension, isotropy, modality
from workbench.analysis._reading import Features, Reading
from workbench.analysis.blind import fooled

Needs = Literal["rows", "views", "classes", "towers"]
OVER = {  # what a measure is read from besides the rows
    "rows": "the rows of one feature",
    "views": "rows that are several views of each sample",
    "classes": "rows of one finding or none",
    "towers": "images and reports of the same studies",
}


@dataclass(frozen=True)
class Measure:
    """A measure: its sentence, its formula with the source, the function that reads it and what that needs besides rows (n, d).

    `collapsed` is what a cloud gives that lost all it had, a line or a point: with the isotropic ceiling it spans the scale on which measures
    stand beside each other; None where there is no such end. `scaled`: whether the unit of the features changes the value.
    """

    says: str
    formula: str
    of: Callable[..., Reading]
    needs: Needs = "rows"
    collapsed: float | None = None
    scaled: bool = False

    @property
    def spectral(self) -> bool:
        """Whether it is read from the spectrum, which fewer than four rows a column flatten."""
        return self.of is collapse.rankme or self.of in SPECTRAL


uncentred_rank = partial(collapse.effective_rank, centred=False)
SPECTRAL = (
    collapse.effective_rank, uncentred_rank, collapse.participation_ratio, collapse.nesum, collapse.stable_rank,
    collapse.spectral_rank, collapse.isoscore, collapse.explained_area, collapse.alpha_req,
)  # fmt: skip

MEASURES: dict[str, Measure] = {
    "participation_ratio": Measure(
        "How many directions carry the variance, counting large ones most.",
        "$(\\sum_i \\lambda_i)^2 / \\sum_i \\lambda_i^2$ of the covariance's eigenvalues $\\lambda_i$ (Gao et al., 2017)",
        collapse.participation_ratio, collapsed=1,
    ),
    "effective_rank": Measure(
        "How many directions are in use, counting small ones more than the participation ratio does.",
        "$\\exp(-\\sum_i p_i \\log p_i)$, $p_i = \\sigma_i / \\sum_j \\sigma_j$, of the centred features' singular values $\\sigma_i$ (Roy and Vetterli, EUSIPCO 2007)",
        collapse.effective_rank, collapsed=1,
    ),
    "uncentred_rank": Measure(
        "The effective rank with the mean left in: it falls where rows come to share one vector.",
        "$\\exp(-\\sum_i p_i \\log p_i)$, $p_i = \\sigma_i / \\sum_j \\sigma_j$, of the features as they are (Roy and Vetterli, EUSIPCO 2007)",
        uncentred_rank, collapsed=1,
    ),
    "rankme": Measure(
        "The uncentred rank as RankMe publishes it, with a small constant added to every share.",
        "$\\exp(-\\sum_i p_i \\log p_i)$, $p_i = \\sigma_i / \\sum_j \\sigma_j + 10^{-7}$, not centred (Garrido et al., ICML 2023)",
        collapse.rankme, collapsed=1,
    ),
    "spectral_rank": Measure(
        "How many directions carry the variance, as the entropy of its shares counts them.",
        "$\\exp(-\\sum_i q_i \\log q_i)$, $q_i = \\lambda_i / \\sum_j \\lambda_j$ (von Neumann entropy: Kim et al., CVPR 2023)",
        collapse.spectral_rank, collapsed=1,
    ),
    "nesum": Measure(
        "All variance in units of that along the largest direction.",
        "$\\sum_i \\lambda_i / \\lambda_1$ (He and Ozay, ICML 2022)",
        collapse.nesum, collapsed=1,
    ),
    "stable_rank": Measure(
        "All energy in units of that along the largest direction, the mean left in.",
        "$\\Vert Z\\Vert_F^2 / \\Vert Z\\Vert_2^2$ of the features as they are (Rudelson and Vershynin, J. ACM 2007)",
        collapse.stable_rank, collapsed=1,
    ),
    "isoscore": Measure(
        "The participation ratio on a scale from 0, a line, to 1, a ball.",
        "$(\\mathrm{PR} - 1) / (d - 1)$ (Rudman et al., ACL Findings 2022)",
        collapse.isoscore, collapsed=0,
    ),
    "explained_area": Measure(
        "How early the cumulative explained variance rises: 1 for a line, about a half for a ball.",
        "$\\frac1d \\sum_k \\sum_{i \\le k} \\lambda_i / \\sum_j \\lambda_j$ (Li, Efros and Pathak, ECCV 2022)",
        collapse.explained_area, collapsed=1,
    ),
    "alpha_req": Measure(
        "How steeply the eigenvalues fall: near 1 is said to generalise best, far above it few directions are left.",
        "$a$ of $\\lambda_i \\sim i^{-a}$ by least squares on logarithms (Agrawal et al., NeurIPS 2022)",
        collapse.alpha_req,
    ),
    "feature_std": Measure(
        "The scale: how far a feature moves from study to study; a network can shrink to a point while its centred rank stays.",
        "$\\sqrt{\\frac1d \\sum_k \\mathrm{var}(z_k)}$, the root of the mean variance of a column",
        collapse.feature_std, scaled=True,
    ),
    "unit_std": Measure(
        "How far a feature moves once every row has length one; 0 where all rows point one way.",
        "$\\frac1d \\sum_k \\mathrm{std}_i(z_{ik} / |z_i|)$ (Chen and He, CVPR 2021)",
        collapse.unit_std, collapsed=0,
    ),
    "offset": Measure(
        "The share of energy in the mean: 0 for a centred cloud, 1 for a point.",
        "$|\\bar z|^2 / \\overline{|z|^2}$",
        collapse.offset, collapsed=1,
    ),
    "uniformity": Measure(
        "How evenly the rows' directions cover the sphere; about -4 is even in many dimensions, 0 is one direction.",
        "$\\log \\overline{\\exp(-2 |x - x'|^2)}$ over pairs of unit rows (Wang and Isola, ICML 2020)",
        collapse.uniformity, collapsed=0,
    ),
    "mean_cosine": Measure(
        "The anisotropy: the cosine of two rows taken at random.",
        "$\\overline{\\cos(z_i, z_j)}$, $i \\ne j$ (Ethayarajh, EMNLP 2019)",
        isotropy.mean_cosine, collapsed=1,
    ),
    "cone_cosine": Measure(
        "How narrow the cone is in which all rows lie: 1 is a needle.",
        "$|\\overline{z / |z|}|$, the mean cosine of a unit row to the mean of all",
        isotropy.cone_cosine, collapsed=1,
    ),
    "cone_angle": Measure(
        "The half-angle of the cone around the mean, in degrees; 90 is no cone.",
        "$\\arccos |\\overline{z / |z|}|$ (the cone of Liang et al., NeurIPS 2022)",
        isotropy.cone_angle, collapsed=0,
    ),
    "partition_isotropy": Measure(
        "How alike a partition function is along all axes: 1 is isotropic, 0 is one axis; it depends on the features' unit.",
        "$\\min_c F(c) / \\max_c F(c)$, $F(c) = \\sum_i \\exp(c^\\top z_i)$, over the eigenvectors $\\pm c$ of $Z^\\top Z$ (Mu and Viswanath, ICLR 2018)",
        isotropy.partition_isotropy, collapsed=0, scaled=True,
    ),
    "self_clustering": Measure(
        "How much rows crowd together: 0 for random directions, 1 where all are one.",
        "$(d \\Vert UU^\\top\\Vert_F^2 - n (d + n - 1)) / ((d - 1)(n - 1) n)$ of unit rows $U$ (Tsitsulin et al., 2023)",
        isotropy.self_clustering, collapsed=1,
    ),
    "coherence": Measure(
        "How much a single row decides a direction: 1 where all share, N over the rank where one row is a spike.",
        "$(n / r) \\max_i |U_i|^2$ of the left singular vectors $U$ (Candès and Recht, 2009)",
        isotropy.coherence,
    ),
    "hubness": Measure(
        "Whether a few rows are the neighbours of all others, which spoils retrieval: above 1 there are hubs.",
        "skewness of how often a row is among the 10 nearest of others, by cosine (Radovanović et al., JMLR 2010)",
        isotropy.hubness,
    ),
    "orthogonality_residual": Measure(
        "How correlated the features are: what M-FLAG's loss counts, 0 where none follows another and none is dead.",
        "$\\sum_{k \\ne l} C_{kl}^2$ of the correlation matrix $C$, and 1 for a constant column (Liu et al., MICCAI 2023)",
        isotropy.orthogonality_residual,
    ),
    "sliced_gaussianity": Measure(
        "How far the cloud is from a standard Gaussian, along random directions; 0 is that target.",
        "$\\int |\\varphi_n(t) - e^{-t^2/2}|^2$ under $N(0, 1)$, mean over 64 directions (LeJEPA: Balestriero and LeCun, 2025)",
        isotropy.sliced_gaussianity, scaled=True,
    ),
    "two_nn": Measure(
        "How many dimensions the cloud has near a row, from its two nearest neighbours.",
        "$N / \\sum_i \\log(r_{i2} / r_{i1})$ (Facco et al., Scientific Reports 2017)",
        dimension.two_nn, collapsed=1,
    ),
    "intrinsic_dimension": Measure(
        "How many dimensions the cloud has near a row, from its ten nearest neighbours.",
        "mean of $(k - 1) / \\sum_{j<k} \\log(T_k / T_j)$, $k = 10$ (Levina and Bickel, NeurIPS 2004)",
        dimension.intrinsic_dimension, collapsed=1,
    ),
    "cluster_learnability": Measure(
        "How well neighbours tell the clusters of the cloud apart; read beside the intrinsic dimension.",
        "accuracy of 5 nearest neighbours, each row left out, on the labels of 10-means (CLID: Lu et al., 2022)",
        dimension.cluster_learnability,
    ),
    "lidar": Measure(
        "How many directions tell samples apart more than their own views differ.",
        "$\\exp$ of the entropy of the eigenvalues of $S_w^{-1/2} S_b S_w^{-1/2}$, $S_w + 10^{-4} I$ (Thilak et al., ICLR 2024)",
        classes.lidar, "views", collapsed=1,
    ),
    "nc1": Measure(
        "How far rows scatter within a class against how far classes lie apart; 0 where every class is a point.",
        "$\\mathrm{tr}(S_w S_b^+) / c$ of $c$ classes (Papyan, Han and Donoho, PNAS 2020)",
        _parts.within_between, "classes", collapsed=0,
    ),
    "centroid_cosine": Measure(
        "The cosine of the means of two classes: 1 where classes share one direction.",
        "$\\overline{\\cos(\\mu_a, \\mu_b)}$, $a \\ne b$, features as they are",
        classes.centroid_cosine, "classes", collapsed=1,
    ),
    "silhouette": Measure(
        "How much nearer a row lies to its own class than to the next: 1 is far apart, 0 is no classes.",
        "$\\overline{(b - a) / \\max(a, b)}$ of mean distances to the own and the nearest other class (Rousseeuw, 1987)",
        classes.silhouette, "classes",
    ),
    "least_class_rank": Measure(
        "The effective rank within the class that uses least of what its own number of rows allows.",
        "effective rank of each class's rows; the one with the least share of its isotropic ceiling",
        _parts.least_class_rank, "classes", collapsed=1,
    ),
    "alignment": Measure(
        "How far an image and its report lie apart: 0 is together, 2 is unrelated.",
        "$\\overline{|x - y|^2}$ of unit rows (Wang and Isola, ICML 2020)",
        collapse.alignment, "towers",
    ),
    "modality_gap": Measure(
        "How far the mean of all images lies from the mean of all reports, 0 to 2.",
        "$|\\bar x - \\bar y|$ of unit rows (Liang et al., NeurIPS 2022)",
        collapse.modality_gap, "towers",
    ),
    "gap_share": Measure(
        "How much of all variance is which tower a vector is from.",
        "$\\frac14 |\\bar x - \\bar y|^2$ over the variance of both towers together",
        modality.gap_share, "towers",
    ),
    "relative_gap": Measure(
        "The distance of a pair against distances within towers; one half where a pair lies as far apart as two studies do.",
        "$d(x, y) / (d(x, y) + \\bar d_{within})$, $d = 1 - \\cos$ (Schrodi et al., ICLR 2025)",
        modality.relative_gap, "towers",
    ),
    "separability": Measure(
        "How often a plane tells image from report, on patients it was not fitted on; one half is chance.",
        "accuracy of a ridge, five folds of patients (Liang et al., NeurIPS 2022)",
        modality.separability, "towers",
    ),
    "shared_directions": Measure(
        "How many directions images and reports have in common.",
        "$\\exp(-\\sum_i p_i \\log p_i)$, $p_i = \\sigma_i / \\sum_j \\sigma_j$, of the singular values $\\sigma_i$ of $X^\\top Y / n$, unit rows, centred",
        _parts.shared_directions, "towers",
    ),
    "shared_strength": Measure(
        "How much images and reports have in common; beside it what pairs at random give.",
        "$\\Vert X^\\top Y / n\\Vert_*$ of unit rows, centred",
        _parts.shared_strength, "towers",
    ),
    "first_principal_angle": Measure(
        "The angle between the main axes of the towers, in degrees.",
        "$\\arccos |u_1^\\top v_1|$ of the largest principal axes (Björck and Golub, 1973)",
        _parts.first_principal_angle, "towers",
    ),
}  # fmt: skip


BAR = "\\vert "  # a stroke would end the cell of a table
SPELLED = {"nc1": "NC1", "rankme": "RankMe", "nesum": "NESum", "lidar": "LiDAR", "alpha_req": "α-ReQ", "two_nn": "TwoNN"}


def named(name: str) -> str:
    """`effective_rank` as people read it; abbreviations keep their capitals."""
    return SPELLED.get(name, name.replace("_", " "))


def needing(needs: Needs) -> tuple[str, ...]:
    """Names of the measures that are read from rows with these companions."""
    return tuple(name for name, each in MEASURES.items() if each.needs == needs)


def read(name: str, z: Features, beside: Any = None, patients: Any = None) -> Reading:
    """One measure of rows (n, d); `beside` are its classes (n,) or the other tower (n, d), `patients` (n,) those of folds.

    Raises ValueError where the rows do not allow it, in words.
    """
    measure = MEASURES[name]
    if measure.needs == "rows":
        return measure.of(z)
    if measure.of is modality.separability:
        return modality.separability(z, beside, patients)
    return measure.of(z, beside)


def markdown() -> str:
    """docs/measures.md."""
    lines = [
        "# Measures of the latent space",
        "",
        "Written from `workbench/analysis/catalogue.py`: `python -m workbench.analysis.catalogue`. An example of what fools each: [gallery.md](gallery.md).",
    ]
    for needs, told in OVER.items():
        lines += [
            "",
            f"## Of {told}",
            "",
            "| measure | says | formula | a collapsed cloud gives | what fools it |",
            "|---|---|---|---|---|",
        ]
        for name in needing(needs):  # type: ignore[arg-type]
            each = MEASURES[name]
            ends = "" if each.collapsed is None else f"{each.collapsed:g}"
            lines.append(f"| `{name}` | {each.says} | {each.formula.replace('|', BAR)} | {ends} | {fooled(name)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
