"""Single numbers of what is no single number: of neural collapse, class ranks, and what two towers share. Read by the catalogue."""

from workbench.analysis import classes, modality
from workbench.analysis._moments import as_array
from workbench.analysis._reading import Features, Reading


def within_between(z: Features, groups: classes.Groups) -> Reading:
    """NC1 alone, as a reading (see `classes.neural_collapse`)."""
    found = classes.neural_collapse(z, groups)
    return Reading(found.nc1, found.n, found.d)


def least_class_rank(z: Features, groups: classes.Groups) -> Reading:
    """The effective rank of the class that uses the smallest share of its own ceiling; raises ValueError where no class has two rows."""
    found = [each for each in classes.class_ranks(z, groups).values() if each.ceiling]
    if not found:
        raise ValueError("no class has two rows; a rank within a class needs them")
    return min(found, key=lambda each: each.value / (each.ceiling or 1))


def shared_directions(x: Features, y: Features) -> Reading:
    """`modality.cross_spectrum`, how many directions towers (n, d) have in common."""
    found = modality.cross_spectrum(x, y)
    return Reading(found.shared, found.n, found.d)


def shared_strength(x: Features, y: Features) -> Reading:
    """`modality.cross_spectrum`, how much towers (n, d) have in common; the ceiling is what pairs at random give."""
    found = modality.cross_spectrum(x, y)
    return Reading(found.strength, found.n, found.d, found.chance_strength)


def first_principal_angle(x: Features, y: Features) -> Reading:
    """The smallest of `modality.principal_angles` between the main axes of towers (n, d); raises ValueError where one does not move."""
    n, d = as_array(x).shape
    return Reading(float(modality.principal_angles(x, y, 1)[0]), n, d)
