"""What every measure of the gallery answers, in one sentence, and its formula. Formulas that a page shows already are taken from there."""

from workbench.analysis.similarity import KEPT
from workbench.figures.collapse import PANELS
from workbench.figures.towers import FORMULAS

WORDS: dict[str, tuple[str, str]] = {
    "effective_rank": (
        "How many directions hold the spread, each counted by how wide it is?",
        PANELS["effective_rank"][2] + " (Roy and Vetterli, 2007)",
    ),
    "uncentred_rank": ("The same with the common mean counted as a direction: do rows share one?", PANELS["uncentred_rank"][2]),
    "participation_ratio": ("How many directions hold the variance?", PANELS["participation_ratio"][2] + " (Gao et al., 2017)"),
    "nesum": ("How many times the largest variance is all variance?", "$\\sum_i \\lambda_i / \\lambda_1$ (He and Ozay, 2022)"),
    "stable_rank": (
        "How many times the strongest direction, the mean counted, is all there is?",
        "$\\|Z\\|_F^2 / \\|Z\\|_2^2$, not centred (Rudelson and Vershynin, 2007)",
    ),
    "spectral_rank": (
        "How many directions hold the variance, small ones counted more than by the participation ratio?",
        "$\\exp(-\\sum_i q_i \\log q_i)$, $q_i = \\lambda_i / \\sum_j \\lambda_j$ (Kim et al., 2023)",
    ),
    "explained_area": (
        "How soon do the first directions explain everything?",
        "mean over $k = 1 \\dots d$ of $\\sum_{i \\le k} \\lambda_i / \\sum_i \\lambda_i$ (Li, Efros and Pathak, 2022)",
    ),
    "rankme": (
        "How many directions, the mean among them, does the cloud fill, as RankMe counts?",
        "$\\exp(-\\sum_i p_i \\log p_i)$, $p_i = \\sigma_i / \\sum_j \\sigma_j + 10^{-7}$, not centred (Garrido et al., 2023)",
    ),
    "alpha_req": (
        "How steeply do eigenvalues fall from place to place?",
        "$\\alpha$ of $\\lambda_j \\sim j^{-\\alpha}$, least squares on logarithms (Agrawal et al., 2022)",
    ),
    "isoscore": ("How even is the spread, from a line to a ball?", "(participation ratio $- 1) / (d - 1)$ (Rudman et al., 2022)"),
    "singular_spectrum": (
        "How is variance spread over directions? Read here: how many singular values are above a hundredth of the largest.",
        "$\\sigma_1 \\ge \\sigma_2 \\ge \\dots$ of the centred rows (Jing et al., 2022)",
    ),
    "feature_std": ("How large is the cloud?", "root of the mean variance of a column"),
    "offset": ("How much of the energy is one mean that all rows share?", PANELS["offset"][2]),
    "unit_std": (
        "Do unit rows still differ, column by column?",
        "mean over columns of the standard deviation of $z_i / |z_i|$ (Chen and He, 2021)",
    ),
    "uniformity": (
        "How evenly do unit rows cover the sphere?",
        "$\\log \\overline{\\exp(-2 |x - x'|^2)}$ of unit rows (Wang and Isola, 2020)",
    ),
    "alignment": ("How far does an image lie from its report?", FORMULAS["alignment"][1]),
    "modality_gap": ("How far do the means of two towers lie apart?", FORMULAS["modality gap"][1]),
    "lidar": (
        "How many directions tell samples apart by more than views of one sample differ?",
        "$\\exp$ of the entropy of the eigenvalues of $S_w^{-1/2} S_b S_w^{-1/2}$, $S_w + 10^{-4} I$ (Thilak et al., 2024)",
    ),
    "mean_cosine": ("Do two rows point the same way?", "mean cosine of two different rows (Ethayarajh, 2019)"),
    "cone_cosine": ("How near do rows point to their mean direction?", "length of the mean of the unit rows"),
    "cone_angle": ("How wide is the cone that rows point into, in degrees?", FORMULAS["cone of images"][1] + " (Liang et al., 2022)"),
    "partition_isotropy": (
        "Is the cloud as heavy to every side?",
        "$\\min_c F(c) / \\max_c F(c)$, $F(c) = \\sum_i \\exp(c^\\top z_i)$, $c$ the eigenvectors of $Z^\\top Z$ with both signs (Mu and Viswanath, 2018)",
    ),
    "self_clustering": (
        "Do rows crowd along a few lines, on either side of the origin?",
        "$(d \\|UU^\\top\\|_F^2 - n (d + n - 1)) / ((d - 1)(n - 1) n)$, $U$ the unit rows (Tsitsulin et al., 2023)",
    ),
    "coherence": (
        "Does one row own a direction for itself?",
        "$(n / r) \\max_i \\|U_i\\|^2$, $U$ the left singular vectors (Candès and Recht, 2009)",
    ),
    "hubness": (
        "Do a few rows answer every query?",
        "skewness of how often a row is among the $k$ nearest of others (Radovanović et al., 2010)",
    ),
    "orthogonality_residual": (
        "Do columns repeat each other?",
        "sum over pairs of columns of their squared correlation, 1 for each dead column (Liu et al., 2023)",
    ),
    "sliced_gaussianity": (
        "Is the cloud a standard Gaussian from every side?",
        "mean over directions of $\\int |\\phi_n(t) - e^{-t^2/2}|^2$ under normal weights (Balestriero and LeCun, 2025)",
    ),
    "two_nn": ("How many dimensions has the cloud close to a row?", "$N / \\sum \\log (r_2 / r_1)$ (Facco et al., 2017)"),
    "intrinsic_dimension": (
        "The same from more neighbours.",
        "mean of $(k - 1) / \\sum_{j < k} \\log (T_k / T_j)$ (Levina and Bickel, 2004)",
    ),
    "cluster_learnability": (
        "Can clusters of the cloud be told by their neighbours?",
        "accuracy of $k$ nearest neighbours on labels of $k$-means (Lu et al., 2022)",
    ),
    "neural_collapse": (
        "Has every class become a point, beside the distance of classes? Read here: NC1.",
        "$\\mathrm{tr}(S_w S_b^+) / c$ (Papyan, Han and Donoho, 2020)",
    ),
    "centroid_cosine": ("Do class means point the same way?", "mean cosine of the means of two different classes"),
    "silhouette": ("Is a row nearer to its own class than to the next?", "mean of $(b - a) / \\max(a, b)$ (Rousseeuw, 1987)"),
    "class_ranks": ("Has one class alone lost its directions? Read here: the class with the fewest.", "effective rank within every class"),
    "linear_cka": (
        "Do two clouds say the same of the same studies, up to rotation and scale?",
        "$\\|Y^\\top X\\|_F^2 / (\\|X^\\top X\\|_F \\|Y^\\top Y\\|_F)$, centred (Kornblith et al., 2019)",
    ),
    "debiased_cka": ("The same where rows are few for their columns.", "the same from unbiased HSIC (Nguyen et al., 2021)"),
    "svcca": (
        f"Do the directions that hold {KEPT:g} of each cloud's variance correlate?",
        "mean canonical correlation (Raghu et al., 2017)",
    ),
    "procrustes": ("Can one cloud be turned onto the other?", "$\\|X^\\top Y\\|_*$ of centred clouds of norm 1 (Ding et al., 2021)"),
    "mutual_knn": (
        "Has a study the same neighbours in both clouds?",
        "share of the $k$ nearest rows by cosine in common (Huh et al., 2024)",
    ),
    "gap_share": ("How much of all variance says only which tower a vector is from?", FORMULAS["share of the gap"][1]),
    "relative_gap": ("How far apart is a pair beside two studies of one tower?", FORMULAS["relative gap"][1]),
    "separability": ("How often does a plane tell image from report?", FORMULAS["separability"][1]),
    "cross_spectrum": ("How many directions do images and reports have in common?", FORMULAS["shared directions"][1]),
    "principal_angles": (
        "Do the main axes of two towers lie in one plane? Read here: the largest of the first angles, in degrees.",
        "angles between the spans of the $k$ largest principal axes (Björck and Golub, 1973)",
    ),
    "closing": (
        "What do retrieval and zero-shot gain when the means are brought together? Read here: recall at 1 with the whole difference removed.",
        "both towers moved along $\\bar x - \\bar y$ and normalised again (Liang et al., 2022)",
    ),
}
