"""What every measure of the gallery answers, in one sentence, and its formula: those of the catalogue, and of what is no single number."""

from workbench.analysis.catalogue import MEASURES
from workbench.analysis.similarity import KEPT

PARTS = (  # of neural_collapse, class_ranks, cross_spectrum and principal_angles, which have an example as a whole
    "nc1", "least_class_rank", "shared_directions", "shared_strength", "first_principal_angle",
)  # fmt: skip
WORDS: dict[str, tuple[str, str]] = {name: (each.says, each.formula) for name, each in MEASURES.items() if name not in PARTS} | {
    "singular_spectrum": (
        "How is variance spread over directions? Read here: how many singular values are above a hundredth of the largest.",
        "$\\sigma_1 \\ge \\sigma_2 \\ge \\dots$ of the centred rows (Jing et al., 2022)",
    ),
    "neural_collapse": (
        "Has every class become a point, beside the distance of classes? Read here: NC1.",
        "$\\mathrm{tr}(S_w S_b^+) / c$ (Papyan, Han and Donoho, 2020)",
    ),
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
    "cross_spectrum": ("How many directions do images and reports have in common?", MEASURES["shared_directions"].formula),
    "principal_angles": (
        "Do the main axes of two towers lie in one plane? Read here: the largest of the first angles, in degrees.",
        "angles between the spans of the $k$ largest principal axes (Björck and Golub, 1973)",
    ),
    "closing": (
        "What do retrieval and zero-shot gain when the means are brought together? Read here: recall at 1 with the whole difference removed.",
        "both towers moved along $\\bar x - \\bar y$ and normalised again (Liang et al., 2022)",
    ),
}
