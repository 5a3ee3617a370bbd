"""Bad input of a manifest: one sentence that names the file and the field, exit code 2."""

import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.manifests import HEAD, ROWS, manifest
from workbench.data.manifest import Config
from workbench.errors import UserError
from workbench.ingest.decode import decode
from workbench.ingest.labels import of_studies
from workbench.ingest.paths import contained, data_root
from workbench.ingest.source import USUAL, Source
from workbench.ingest.splits import divide
from workbench.ingest.table import read_table


def source(root, **more):
    return Source(Config.parse({"root": str(root), **more}, "test"))


def test_the_root_may_name_a_workbench_variable_only(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_TEST_DATA", str(tmp_path))
    (tmp_path / "films").mkdir()
    assert data_root("${WORKBENCH_TEST_DATA}/films") == (tmp_path / "films").resolve()
    with pytest.raises(UserError, match="only variables named WORKBENCH_") as refused:
        data_root("${HOME}/films")
    assert os.environ["HOME"] not in str(refused.value)
    monkeypatch.delenv("WORKBENCH_TEST_DATA")
    with pytest.raises(UserError, match=r"the environment variable WORKBENCH_TEST_DATA is not set; set it .* or give --root DIR"):
        data_root("${WORKBENCH_TEST_DATA}/films")
    with pytest.raises(UserError, match="add --root DIR"):
        data_root(None)
    with pytest.raises(UserError, match="is no folder"):
        data_root(str(tmp_path / "absent"))


def test_where_a_data_folder_is_set_nothing_else_is_read(tmp_path, monkeypatch):
    for name in ("inside/set", "outside"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.delenv("WORKBENCH_TEST_DATA", raising=False)
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "inside"))
    assert data_root("set") == (tmp_path / "inside/set").resolve()
    for path in (str(tmp_path / "outside"), "../outside"):
        with pytest.raises(UserError, match=r"lies outside \$WORKBENCH_DATA"):
            data_root(path)


@pytest.mark.parametrize(
    "name", ["../outside.png", "a/../../outside.png", "/etc/hostname", "..\\outside.png", "link.png", "folder/outside.png", "a\0b"]
)
def test_a_path_that_leaves_the_root_is_refused(tmp_path, name):
    root = (tmp_path / "root").resolve()
    root.mkdir()
    (tmp_path / "outside.png").write_bytes(b"x")
    (root / "link.png").symlink_to(tmp_path / "outside.png")
    (root / "folder").symlink_to(tmp_path)
    with pytest.raises(UserError, match=r"data.csv: column filename: .* leads outside the data folder; give the path of a file below it"):
        contained(root, name, "data.csv: column filename")
    (root / "inside.png").symlink_to(root / "a.png")
    assert contained(root, "inside.png", "here") == root / "a.png"


@pytest.mark.parametrize("field", ["table", "images", "boxes"])
def test_no_field_of_the_config_leads_outside(tmp_path, field):
    from workbench.data.manifest import load

    manifest(tmp_path / "root")
    with pytest.raises(UserError, match="leads outside the data folder"):
        load(Config.parse({"root": str(tmp_path / "root"), field: "../elsewhere"}, "test"))


@pytest.mark.parametrize("name", ["../a.png", "/etc/hostname", ""])
def test_an_image_column_that_leads_outside_is_refused(tmp_path, name):
    with pytest.raises(UserError, match=r"data.csv: column filename: "):
        source(manifest(tmp_path, [(name, *ROWS[0][1:])], films=False))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,group\na.png,1\n", r"data.csv: no image column \('filename'\); the columns are file, group; name it in columns.image"),
        ("filename,group\na.png\n", r"data.csv: line 2 has 1 fields, the head 2; complete or remove the line"),
        ('filename,group\n"a.png,1\n', r"data.csv: line \d: not readable as CSV .*; correct the quotes"),
        ("filename,group,group\na.png,1,2\n", r"data.csv: column 'group' occurs twice; rename one"),
        ("filename,group\n", r"data.csv: holds no rows; give a table with one row an image"),
        ("", r"data.csv: holds no rows"),
        ("filename,group\na.png,1\na.png,2\n", r"data.csv: column filename: a.png occurs in two rows; keep one row an image"),
        ("filename,group\na/x.png,1\nb/x.png,2\n", r"data.csv: two files have the stem 'x'; name a column .* in columns.study"),
        ("filename,group\na.png,\n", r"data.csv: a.png: column group is blank; name the patient or group of every row"),
        (
            "filename,split\na.png,dawn\n",
            r"data.csv: a.png: split 'dawn' is none of train, val, .*, test; correct it or add it to `splits`",
        ),
        (
            "filename,labels\na.png,Mass|Cough\n",
            r"data.csv: a.png: label 'Cough' is not in the declared set \(Mass, Edema\); add or ignore it",
        ),
        ("filename,Mass,Edema\na.png,1,yes\n", r"data.csv: a.png: column Edema holds 'yes'; expected 1, 0, -1 \(uncertain\) or blank"),
        ("filename,Mass\na.png,1\n", r"data.csv: label 'Edema' has neither a column nor a joined `labels` column"),
    ],
)
def test_a_broken_table_is_named_with_its_line_and_what_to_do(tmp_path, text, message):
    (tmp_path / "data.csv").write_text(text)
    (tmp_path / "images").mkdir()
    with pytest.raises(UserError, match=message) as error:
        source(tmp_path, labels=["Mass", "Edema"])
    assert "\n" not in str(error.value)


def test_ignored_labels_are_not_read(tmp_path):
    (tmp_path / "data.csv").write_text("filename,labels\na.png,Mass|Cough\n")
    assert source(tmp_path, ignore_labels=["Cough"]).label_names == ("Mass",)
    np.testing.assert_array_equal(source(tmp_path, labels=["Mass"], ignore_labels=["Cough"]).labels, [[1]])


def test_what_would_act_on_a_terminal_is_taken_out(tmp_path):
    (tmp_path / "data.csv").write_text('filename,text\na.png,"one \x1b[31mtwo\nthree"\n')
    (tmp_path / "lines.jsonl").write_text('{"filename": "a.png", "text": "one \\u001b[31mtwo", "n": 3}\n')
    assert read_table(tmp_path, "data.csv").rows == [{"filename": "a.png", "text": "one  [31mtwo\nthree"}]
    assert read_table(tmp_path, "lines.jsonl").rows == [{"filename": "a.png", "text": "one  [31mtwo", "n": "3"}]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"filename\n\xff\xfe\n", r"t.csv: not UTF-8 at byte 9; save the table as UTF-8"),
        (None, r"t.csv: no such file in .*; put the table there or name it in `table`"),
    ],
)
def test_a_table_that_is_no_text_or_not_there(tmp_path, data, message):
    if data is not None:
        (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(UserError, match=message):
        read_table(tmp_path, "t.csv")


def test_a_line_that_is_no_json_object(tmp_path):
    for line, message in (("{", "t.jsonl: line 2 is not readable as JSON"), ("[1]", "t.jsonl: line 2 is a list, expected an object")):
        (tmp_path / "t.jsonl").write_text('{"filename": "a.png"}\n' + line + "\n")
        with pytest.raises(UserError, match=message):
            read_table(tmp_path, "t.jsonl")


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbffilename\na.png\n")
    assert read_table(tmp_path, "t.csv").head == ("filename",)


def huge_png(path, width, height):
    """A PNG of some hundred bytes whose head promises width x height pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b""))


@pytest.mark.parametrize("side", [8_100, 60_000])  # above our limit; above the one at which Pillow refuses by itself
def test_a_decompression_bomb_is_refused_before_it_unfolds(tmp_path, side):
    huge_png(tmp_path / "bomb.png", side, side)
    with pytest.raises(UserError, match=r"bomb.png: .*decompression bomb.*; resize the file or remove its row"):
        decode(tmp_path / "bomb.png", "bomb.png", 8, "pad")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.dcm", b"\0" * 128 + b"DICM", "a.dcm: DICOM is not read yet; convert it to PNG"),
        ("a.png", b"hello", "a.png: is no PNG or JPEG image; restore it"),
        ("a.gif", b"GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;", "a.gif: is no PNG or JPEG image"),
        ("a.png", b"", "a.png: is no PNG or JPEG image"),
    ],
)
def test_a_file_that_is_no_film_is_named(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=message):
        decode(tmp_path / name, name, 8, "pad")


def test_a_damaged_jpeg_is_named(tmp_path):
    Image.fromarray(np.arange(64 * 64, dtype=np.uint32).reshape(64, 64).astype(np.uint8)).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-900])
    with pytest.raises(UserError, match=r"a.jpg: does not decode"):
        decode(tmp_path / "a.jpg", "a.jpg", 8, "pad")


def test_labels_of_studies():
    nan = np.nan
    values = np.array([[1, nan, nan], [0, 0, nan], [nan, 1, nan], [0, 0, 1]], np.float32)
    np.testing.assert_array_equal(of_studies(values, [[0, 1], [2], [3]]), [[1, 0, nan], [nan, 1, nan], [0, 0, 1]])


def test_division_by_patient_is_a_function_of_seed_and_patient():
    patients = [f"p{number // 2}" for number in range(4000)]
    found = np.array(divide(patients, (0.6, 0.3, 0.1), seed=3))
    assert (found[::2] == found[1::2]).all()
    shares = [float((found == name).mean()) for name in ("train", "val", "test")]
    np.testing.assert_allclose(shares, [0.6, 0.3, 0.1], atol=0.04)
    assert (np.array(divide(patients, (0.6, 0.3, 0.1), seed=4)) != found).any()
    assert set(divide(patients[:40], (1.0, 0.0, 0.0), seed=3)) == {"train"}


def test_the_command_line_says_one_sentence_and_ends_with_2(tmp_path):
    rows = [*ROWS, ("x.png", "anna", "val", "", "", "", "", "", "")]
    manifest(tmp_path, rows)
    command = [sys.executable, "-m", "training", "data", "card", "manifest", "--root", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "data.csv: patient 'anna' is in train and in val; keep a patient in one split\n"


def test_no_torch_is_loaded_to_read_data():
    code = "import sys, workbench.data.manifest, workbench.ingest.prepare, workbench.ingest.card; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_the_head_of_the_test_table_is_the_usual_one():
    assert all(any(name in HEAD for name in names) for names in USUAL.values())
