"""The long table of reports counts what is wrong, and its measures are those of plain sums."""

import io
import math
import tarfile

import pytest

from tests.full import reports
from tests.full.reports import Text, archive, covered, described, distance, divergence, real, simulated, violations
from workbench.errors import UserError
from workbench.phantom.annotations import rows_of

STUDIES = simulated(0, 60)
FLIPPED = {"present": "absent", "absent": "present"}
SWAPPED = {"right": "left", "left": "right", "both": "right", "": ""}


def test_whole_annotations_have_no_violation():
    assert set(violations(STUDIES).values()) == {0}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda row: {"end": row["end"] - 1}, {"span is no word of its concept"}),
        (lambda row: {"assertion": FLIPPED[row["assertion"]]}, {"present, not stated", "absent, stated present", "present, ruled out"}),
        (lambda row: {"side": SWAPPED[row["side"]]}, {"side"}),
        (lambda row: {"label": ""}, {"present, not stated"}),
    ],
    ids=["span", "assertion", "side", "label"],
)
def test_a_wrong_annotation_is_counted(monkeypatch, change, named):
    monkeypatch.setattr(reports, "rows_of", lambda *given: [row | change(row) for row in rows_of(*given)])
    assert named <= {name for name, count in violations(STUDIES).items() if count}


def test_overlap_and_divergence_by_hand():
    one, other = [Text("The heart is large.", "Heart large.")], [Text("The heart is small.", "No change.")]
    assert (
        covered(one, other, 1) == 4 / 6 and covered(one, other, 2) == 2 / 4 and covered(one, one, 3) == 1
    )  # no sequence crosses a sentence
    assert divergence(one, one) == pytest.approx(0) and divergence([Text("a", "b")], [Text("c", "d")]) == pytest.approx(1)
    assert divergence([Text("a", "a")], [Text("a", "b")]) == pytest.approx(-0.75 * math.log2(0.75) - 0.25 * math.log2(0.25) - 0.5)
    found = described([*one, *one, *other])
    assert (found["reports"], found["vocabulary"], found["distinct sentences"]) == (3, 7, 4)
    assert found["share of negated sentences"] == 1 / 6 and found["share of reports seen before"] == pytest.approx(1 / 3)


def test_real_reports_are_read_where_they_lie(tmp_path, monkeypatch):
    path = tmp_path / "reports.tgz"
    with tarfile.open(path, "w:gz") as packed:
        for number, parts in (
            (10, {"FINDINGS": "Clear \n lungs.", "IMPRESSION": "Normal."}),
            (2, {"FINDINGS": "Large heart.", "IMPRESSION": ""}),
        ):
            inner = "".join(f'<AbstractText Label="{label}">{text}</AbstractText>' for label, text in parts.items())
            data = f"<eCitation><Abstract>{inner}</Abstract></eCitation>".encode()
            entry = tarfile.TarInfo(f"ecgen-radiology/{number}.xml")
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))
    monkeypatch.setenv("WORKBENCH_OPENI", str(path))
    assert archive() == path and real(path) == [Text("Clear lungs.", "Normal.")]
    monkeypatch.setenv("WORKBENCH_OPENI", str(tmp_path / "absent.tgz"))
    with pytest.raises(UserError, match="WORKBENCH_OPENI"):
        archive()


def test_without_real_reports_the_record_says_so():
    assert "not at hand" in distance({"phantoms": {}}, {})
