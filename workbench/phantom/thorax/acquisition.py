"""How a film was taken and stored, besides where the patient stood: drawn for itself, so that no label depends on it but through the view."""

from typing import Literal, NamedTuple

import numpy as np

from workbench.randomness import rng

Border = Literal["none", "black", "grey", "white"]
Look = Literal["plain", "washed out", "dark", "bright", "equalised", "edges"]
Dress = Literal["plain", "initials", "ball", "disc", "tag"]
BORDERS: tuple[Border, ...] = ("none", "black", "grey", "white")
LOOKS: tuple[Look, ...] = ("plain", "washed out", "dark", "bright", "equalised", "edges")
DRESSES: tuple[Dress, ...] = ("plain", "initials", "ball", "disc", "tag")
THINGS = ("electrodes", "oxygen tubing", "sternal wires", "clips", "necklace", "buttons")
# Shares of films, (from the front standing or from the side, portable AP); our choice after looking at real ones.
BORDER_SHARES = ((0.62, 0.24, 0.05, 0.09), (0.62, 0.27, 0.07, 0.04))
LOOK_SHARES = ((0.60, 0.06, 0.08, 0.09, 0.06, 0.11), (0.32, 0.29, 0.08, 0.16, 0.06, 0.09))
DRESS_SHARES = ((0.35, 0.35, 0.10, 0.15, 0.05), (0.20, 0.25, 0.10, 0.37, 0.08))
THING_SHARES = ((0.06, 0.02, 0.06, 0.07, 0.02, 0.03), (0.48, 0.22, 0.09, 0.07, 0.03, 0.03))


class Acquisition(NamedTuple):
    """One film's way to the archive; the default is a plain film without border, marker or things on the skin."""

    border: Border = "none"  # what lies outside of the collimated field
    blades: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)  # share of the film cut at top, foot, image left and right
    askew: float = 0.0  # degrees that the blades are turned
    cutoff: float = 0.0  # density that a tilted grid adds towards image right, or left where negative
    gradient: float = 0.0  # density that the heel of the anode adds towards the foot, or the top where negative
    fog: float = 0.0  # grey of the air beside the patient, in [0, 1]
    look: Look = "plain"
    strength: float = 0.0  # of the look, in [0, 1]
    things: tuple[str, ...] = ()  # of THINGS
    letters: str = ""  # side markers: "L", "R", "LR" or none
    dress: Dress = "plain"
    slant: float = 0.0  # degrees that the marker is turned
    mirrored: bool = False
    words: tuple[str, ...] = ()  # beside the marker

    @property
    def factors(self) -> dict[str, float | str]:
        """As flat numbers and words, for probes."""
        return {
            "border": self.border,
            "collimation": float(sum(self.blades)),
            "field tilt": self.askew,
            "grid cut-off": self.cutoff,
            "brightness gradient": self.gradient,
            "fog": self.fog,
            "processing": self.look,
            "processing strength": self.strength,
            "marker": self.letters or "none",
            "marker style": self.dress,
            "marker slant": self.slant,
            "marker words": float(len(self.words)),
        } | {thing: float(thing in self.things) for thing in THINGS}


def draw_acquisition(seed: int, index: int, view: str, film: int = 0) -> Acquisition:
    """That of one study's film by number; every part has its own stream."""
    portable = int(view == "AP")

    def draw(part: str) -> np.random.Generator:
        return rng(seed, f"thorax {part}", film, index)

    border, blades, askew = draw_border(draw("border"), portable)
    exposure, looks = draw("grid"), draw("look")
    tilted, cutoff, gradient = exposure.random() < (0.08, 0.22)[portable], *exposure.normal(size=2)
    look = LOOKS[int(looks.choice(len(LOOKS), p=LOOK_SHARES[portable]))]
    strength = float(looks.uniform(0.35, 1.0)) if look != "plain" else 0.0
    things = tuple(thing for thing, share in zip(THINGS, THING_SHARES[portable]) if draw(thing).random() < share)
    letters, dress, slant, mirrored, words = draw_marker(draw("lead"), portable)
    return Acquisition(
        border=border,
        blades=blades,
        askew=askew,
        cutoff=float(0.35 * cutoff) if tilted else 0.0,
        gradient=float((0.08, 0.16)[portable] * gradient),
        fog=float(0.28 * looks.beta(1.0, 3.0)),
        look=look,
        strength=strength,
        things=things,
        letters=letters,
        dress=dress,
        slant=slant,
        mirrored=mirrored,
        words=words,
    )


def draw_border(draw: np.random.Generator, portable: int) -> tuple[Border, tuple[float, float, float, float], float]:
    """Colour, blades and turn of the collimation; a blade in four cuts deep on a black border."""
    border = BORDERS[int(draw.choice(len(BORDERS), p=BORDER_SHARES[portable]))]
    thin, deep, there = draw.uniform(0.005, 0.03, size=4), draw.uniform(0.03, 0.11, size=4), draw.random(size=4)
    turn = float(draw.normal() * (0.7, 2.0)[portable])
    if border == "none":
        return border, (0.0, 0.0, 0.0, 0.0), 0.0
    cut = np.where(there < np.array([0.3, 0.6, 0.4, 0.4]), 0.0, np.where((there > 0.85) & (border == "black"), deep, thin))
    return border, tuple(float(each) for each in cut), turn if border == "black" else 0.3 * turn  # type: ignore[return-value]


def draw_marker(draw: np.random.Generator, portable: int) -> tuple[str, Dress, float, bool, tuple[str, ...]]:
    """Letters, dress, slant, whether mirrored, and the words beside the marker."""
    side, number, upright, mirror = draw.random(4)
    letters = ("L" if side < 0.65 else "R") if number > 0.17 else ("LR" if number > 0.11 else "")
    dress = DRESSES[int(draw.choice(len(DRESSES), p=DRESS_SHARES[portable]))]
    slant = float(np.clip(5 * draw.normal(), -15, 15)) + (90.0 if upright < 0.1 else 0.0)
    said = draw.random(4)
    words: tuple[str, ...] = ()
    if portable:
        position = "SUPINE" if said[3] < 0.4 else "UPRIGHT" if said[3] < 0.7 else "SEMI-ERECT"
        words = tuple(word for word, there in (("AP", 0.45), ("PORTABLE", 0.5), (position, 0.25), ("↑", 0.3)) if draw.random() < there)
    elif said[0] < 0.06:
        words = ("UPRIGHT",)
    return letters, dress, slant, bool(mirror < 0.04 and dress in ("plain", "initials")), words
