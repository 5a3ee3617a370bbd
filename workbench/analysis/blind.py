"""What fools each measure of the catalogue, in a sentence, and which of it can be seen in the rows at hand? docs/gallery.md has an example of each."""

from typing import Literal, NamedTuple

Situation = Literal["mean", "tails", "shrunk", "few", "constant"]
SITUATIONS: dict[Situation, str] = {
    "mean": "nearly all energy lies in a mean that the rows share",
    "tails": "a few rows are far longer than the others",
    "shrunk": "the cloud is less than a tenth as large as the untrained network's",
    "few": "there are fewer than four rows a dimension",
    "constant": "some columns are the same for all rows",
}


class Blind(NamedTuple):
    """What fools a measure, and by which situations that a sheet shows."""

    said: str
    by: tuple[Situation, ...] = ()


MEAN_OFF = (
    "The mean is taken off first, so that rows which all point one way look as rich as before; read offset and uncentred rank beside it."
)
BLIND: dict[str, Blind] = {
    "participation_ratio": Blind(f"One row in heavy tails outweighs all others. {MEAN_OFF}", ("tails", "mean", "few")),
    "effective_rank": Blind(MEAN_OFF, ("mean", "few")),
    "uncentred_rank": Blind("It knows no scale: a cloud shrunk to a point reads as before; read the feature standard deviation beside it.", ("shrunk", "few")),
    "rankme": Blind("A far mean alone makes it small, though every direction around it is alive; read it beside the centred rank.", ("mean", "few")),
    "spectral_rank": Blind(f"Few rows have few directions, whatever the model. {MEAN_OFF}", ("mean", "tails", "few")),
    "nesum": Blind("Only the largest eigenvalue counts: a single wide direction makes it small though all others are alive.", ("tails", "mean", "few")),
    "stable_rank": Blind("The mean counts as the strongest direction, while the rows around it fill as many as before.", ("mean", "tails", "few")),
    "isoscore": Blind(f"It is the participation ratio on another scale. {MEAN_OFF}", ("mean", "tails", "few")),
    "explained_area": Blind("Empty columns count as explained: the same cloud in a wider space reads as more collapsed.", ("constant", "mean", "few")),
    "alpha_req": Blind("Empty directions are left out of the fit: where all but two are gone it reads as flat; look at the spectrum itself.", ("constant", "few")),
    "feature_std": Blind("One wide column keeps the mean variance, although only one direction is left; read a rank beside it."),
    "unit_std": Blind("Two opposite points on the diagonal differ in every column by as much as a full sphere does."),
    "offset": Blind("Two opposite points have their mean at the origin, although no row says more than a sign."),
    "uniformity": Blind("Lost directions hardly show: rows that fill few of them evenly still read as even (Fang et al., ICLR 2024)."),
    "mean_cosine": Blind("A mean over pairs: half of the rows may have collapsed onto one direction."),
    "cone_cosine": Blind("Few rows always have a mean: read it against an isotropic cloud of as many."),
    "cone_angle": Blind("Two opposite bundles have no mean direction: no cone, though all rows lie on one line."),
    "partition_isotropy": Blind("It depends on the scale of the rows: a cloud with a far mean, made small, reads as isotropic.", ("shrunk",)),
    "self_clustering": Blind("The square forgives: rows that lie on a few lines only still read as spread."),
    "coherence": Blind("Copies share a direction: the same spike in several rows is not seen."),
    "hubness": Blind("A skewness falls where hubs are many, though they still answer every query."),
    "orthogonality_residual": Blind("It follows rotations: the same cloud seen along its own axes has none, with its variance as unequal as before."),
    "sliced_gaussianity": Blind("From a random side many coordinates always look Gaussian, even the corners of a cube."),
    "two_nn": Blind("It looks no farther than two neighbours: noise wider than they lie apart counts as dimensions."),
    "intrinsic_dimension": Blind("A mean over rows: a third of them may have collapsed onto a line."),
    "cluster_learnability": Blind("Pieces of a line are learned as well as clusters."),
    "lidar": Blind("It believes the groups: views of different samples in one group make a collapsed cloud look rich."),
    "nc1": Blind("Only the span of the class means counts: classes may be as wide as before beside it."),
    "centroid_cosine": Blind("A common mean makes all classes alike, however far apart they lie around it.", ("mean",)),
    "silhouette": Blind("It thinks in balls: two long bars that a line separates read as no classes."),
    "least_class_rank": Blind("A class of a few rows has few directions: read it against an isotropic class of that size.", ("mean",)),
    "alignment": Blind("Towers that say nothing agree, too: both at one point read as aligned; read uniformity beside it."),
    "modality_gap": Blind("Means also agree where the towers share nothing else."),
    "gap_share": Blind("A gap along an axis of its own is a small share, and still a plane tells images from reports."),
    "relative_gap": Blind("Distances within wide towers drown a gap that no pair crosses."),
    "separability": Blind("Only planes count: towers around one mean without a direction in common are not told apart."),
    "shared_directions": Blind("Noise has many directions: unrelated towers share many, weakly; read the strength beside it."),
    "shared_strength": Blind("Few rows make pairs at random strong: read it against what they give."),
    "first_principal_angle": Blind("Where axes are equally long, which comes first is chance."),
}  # fmt: skip


def fooled(name: str) -> str:
    """What fools a measure of the catalogue, in a sentence or two."""
    return BLIND[name].said
