"""What goes to the map component and what is taken from it."""

import json
import struct

import numpy as np
import pytest

from tests.toys import points as toy
from workbench import colouring
from workbench.analysis.lost import lost
from workbench.analysis.polygon import inside
from workbench.cloud import NONE, Cloud, Films, Frame, Rescored, beside, checked, colour, framed, stated
from workbench.errors import UserError
from workbench.notebook import open_run


def unpacked(blob, header):
    kinds = {"f4": "<f4", "u4": "<u4", "u1": "u1"}
    return {each["name"]: np.frombuffer(blob, kinds[each["kind"]], each["count"], each["start"]) for each in header["arrays"]}


def test_a_cloud_is_sent_as_float32_around_its_middle():
    xy = np.array([[1e6, -3.0], [1e6 + 2, 5.0], [1e6 + 4, 1.0]])
    made = Cloud(
        xy,
        "three",
        colour=colour("side", np.array(["left", "", "left"])),
        ids=("a", "b\nb", "c"),
        towers=np.array([0, 1, 1]),
        pairs=np.array([[0, 2]]),
        gap=np.array([1.0, 2.0]),
        rescored=Rescored((0.0, 0.5), ("none", "half")),
        frames=(Frame(3, xy - 1), Frame(9, xy)),
        step=9,
    )
    blob, header = made.pack()
    found = unpacked(blob, header)
    assert all(each["start"] % 4 == 0 for each in header["arrays"])
    assert np.array_equal(found["xy"].reshape(-1, 2) + header["origin"], xy)
    assert np.array_equal(found["frame 0"].reshape(-1, 2) + header["origin"], xy - 1)
    assert np.array_equal(np.add(header["low"], header["origin"]), xy.min(0)) and np.array_equal(
        np.add(header["high"], header["origin"]), xy.max(0)
    )
    assert found["codes"].tolist() == [0, NONE, 0] and header["colour"]["categories"] == ["left"]
    assert bytes(found["ids"]).decode().split("\n") == ["a", "b b", "c"]
    assert found["pairs"].tolist() == [0, 2] and found["towers"].tolist() == [0, 1, 1] and header["gap"] == [1.0, 2.0]
    assert header["frames"] == [3, 9] and header["rescored"]["said"] == ["none", "half"]
    assert made.pack() == (blob, header)
    other = made.with_colour(None).pack()[1]
    assert other["place"] == header["place"] and other["serial"] != header["serial"]


def test_a_frame_tells_its_header_then_its_bytes():
    whole = framed(b"\1\2\3\4", {"key": "é"})
    length = struct.unpack("<I", whole[:4])[0]
    assert length % 4 == 0 and json.loads(whole[4 : 4 + length]) == {"key": "é"} and whole[4 + length :] == b"\1\2\3\4"


def test_what_comes_beside_the_points_is_a_set_a_polygon_or_nothing():
    inside = np.array([1, 0, 0, 0, 0, 0, 0, 0, 1, 1], bool)
    blob, header = beside("here", 4, inside=inside, said="three", films=Films((8, 9), b"sheet", 16, 96, False))
    found = unpacked(blob, header)
    assert np.array_equal(np.unpackbits(found["mask"])[:10].astype(bool), inside)
    assert bytes(found["sheet"]) == b"sheet" and header["films"] == {
        "rows": [8, 9],
        "columns": 16,
        "edge": 96,
        "leave": False,
        "type": "image/jpeg",
    }
    assert (header["place"], header["chosen"], header["said"]) == ("here", 4, "three") and "cleared" not in header
    drawn = beside("here", polygon=[(0, 0), (1, 0), (1, 1)])[1]
    assert drawn["polygon"] == [[0, 0], [1, 0], [1, 1]] and drawn["serial"] != beside("here")[1]["serial"]
    assert beside("here")[1]["cleared"]


def test_numbers_are_coloured_in_steps_and_words_by_how_common_they_are():
    ages = colour("age", np.array([20.0, np.nan, 40.0, 30.0]), "factor")
    assert ages.codes.tolist() == [0, NONE, 254, 127] and (ages.low, ages.high, ages.kind, ages.categories) == (20, 40, "factor", ())
    assert colour("one", np.array([7.0, 7.0, 7.0]), "error").codes.tolist() == [0, 0, 0]
    assert colour("none", np.full(3, np.nan), "error").codes.tolist() == [NONE] * 3
    assert colour("sex", np.array([0, 1, 1])).categories == ("1", "0")
    words = colour("source", np.repeat(list("abcdefgh"), np.arange(8, 0, -1)))
    assert words.categories == ("a", "b", "c", "d", "e", "other") and (words.codes == 5).sum() == 3 + 2 + 1
    assert colour("six", np.array(list("abcdef"))).categories == tuple("abcdef")
    finding = stated("mass", np.array([0, 1, np.nan]))
    assert finding.codes.tolist() == [1, 0, NONE] and finding.categories == ("present", "absent")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"xy": np.array([[0, 1], [np.nan, 0]])}, "1 of 2 points have no place"),
        ({"xy": np.zeros((0, 2))}, "at least one row"),
        ({"xy": np.zeros((3, 3))}, "shape"),
        ({"xy": np.zeros((3, 2)), "ids": ("a",)}, "1 ids for 3 points"),
        ({"xy": np.zeros((3, 2)), "frames": (Frame(1, np.zeros((2, 2))),)}, "2 the points of step 1 for 3 points"),
    ],
)
def test_a_cloud_that_cannot_be_drawn_says_why(given, told):
    with pytest.raises(UserError, match=told):
        Cloud(title="map", **given)


def test_points_in_one_place_are_a_cloud():
    _, header = Cloud(np.ones((4, 2)), "one place").pack()
    assert header["low"] == header["high"] == [0, 0]


TRIANGLE = [[0, 0], [1, 0], [0, 1.5]]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ({"kind": "lasso", "polygon": TRIANGLE}, {"kind": "lasso", "polygon": TRIANGLE}),
        ({"kind": "lasso", "polygon": []}, {"kind": "lasso", "polygon": []}),
        ({"kind": "click", "row": 9}, {"kind": "click", "row": 9}),
        ({"kind": "click", "row": 10}, None),
        ({"kind": "click", "row": -1}, None),
        ({"kind": "click", "row": True}, None),
        ({"kind": "lasso", "polygon": TRIANGLE[:2]}, None),
        ({"kind": "lasso", "polygon": TRIANGLE * 100}, None),
        ({"kind": "lasso", "polygon": [*TRIANGLE, [float("nan"), 0]]}, None),
        ({"kind": "lasso", "polygon": [*TRIANGLE, ["0", 1]]}, None),
        ({"kind": "lasso", "polygon": [*TRIANGLE, "01"]}, None),
        ({"kind": "lasso", "polygon": "012"}, None),
        ({"kind": "star", "polygon": TRIANGLE}, None),
        ("lasso", None),
        (None, None),
    ],
)
def test_only_a_geometry_is_taken_from_a_browser(value, wanted):
    assert checked(value, 10) == wanted


def test_a_map_that_keeps_a_neighbour_does_not_lose_it():
    z = np.array([[0.0, 0], [1, 0], [10, 0], [11, 0], [20, 0], [21, 0]])
    torn = np.array([0.0, 50, 10, 11, 20, 21])[:, None] * [1, 0]
    assert lost(z, z, 1).tolist() == [0] * 6
    assert lost(z, torn, 1).tolist() == [1, 1, 0, 0, 0, 0]
    assert lost(np.zeros((1, 3)), np.zeros((1, 2))).tolist() == [0]
    with pytest.raises(ValueError, match="the rows must be the same"):
        lost(z, z[:3])


def test_lost_neighbours_equal_a_full_sort():
    rng = np.random.default_rng(5)
    z, xy = rng.normal(size=(700, 7)) + 100, rng.normal(size=(700, 2))

    def sets(x):
        apart = np.linalg.norm(x[:, None] - x[None], axis=2) + np.diag(np.full(len(x), np.inf))
        return [set(row[:10]) for row in np.argsort(apart, 1)]

    wanted = [1 - len(a & b) / 10 for a, b in zip(sets(z), sets(xy))]
    assert np.allclose(lost(z, xy), wanted)


def test_any_column_of_the_data_colours_the_points():
    data = toy.load(toy.Config(studies=40))
    data.covariates = {"age": np.arange(40.0), "ward": np.repeat(["north", "south"], 20)}
    keys, rng = (data.keys[7], data.keys[3], "gone"), np.random.default_rng(0)
    z, xy = rng.normal(size=(3, 5)), rng.normal(size=(3, 2))
    names = colouring.choices(data, 3)
    assert set(data.label_names) <= set(names) and set(data.covariates) <= set(names) and names[-1] == colouring.LOST
    assert colouring.LOST not in colouring.choices(data, colouring.MOST + 1) and colouring.choices(None, 3) == (colouring.LOST,)
    label = colouring.of(data, keys, data.label_names[0], z, xy)
    assert label.codes.tolist() == [*(np.where(data.labels[[7, 3], 0] == 1, 0, 1)), NONE]
    age = colouring.of(data, keys, "age", z, xy)
    assert age.values[:2].tolist() == [7, 3] and np.isnan(age.values[2]) and age.kind == "continuous"
    assert colouring.of(data, ("point-30", "gone", "point-1"), "ward", z, xy).codes.tolist() == [0, NONE, 1]
    assert colouring.of(data, keys, colouring.LOST, z, xy).kind == "error"
    with pytest.raises(UserError, match="no column 'nonsense'"):
        colouring.of(data, keys, "nonsense", z, xy)


def test_what_is_drawn_in_a_notebook_comes_back_as_keys(small_run):
    view = open_run(small_run.path)
    shown = view.widget("image.projected", colour="effusion")
    found = view.map("image.projected").data
    assert shown.keys == () and shown.selection is None and shown.cloud.colour.name == "effusion"
    assert [frame.step for frame in shown.cloud.frames] == list(small_run.looks())
    middle, wide = np.median(found.xy, 0), np.ptp(found.xy, 0) / 3
    corners = [[float(x) for x in middle + wide * turn] for turn in ([-1, -1], [1, -1], [0, 1])]
    shown.widget.geometry = {"kind": "lasso", "polygon": corners}
    wanted = tuple(key for key, own in zip(found.keys, inside(found.xy, corners)) if own)
    assert 0 < len(wanted) < found.n and shown.keys == wanted
    shown.widget.geometry = {"kind": "click", "row": 7}
    assert shown.keys == (found.keys[7],)
    shown.select(wanted)
    mask = unpacked(shown.widget.besides, shown.widget.beside)["mask"]
    assert np.array_equal(np.unpackbits(mask)[: found.n].astype(bool), inside(found.xy, corners))
    with pytest.raises(UserError, match="no column 'nonsense'"):
        view.widget("image.projected", colour="nonsense")
