"""Work that leaves the page: what a page shows while it waits, when it failed, when it is whole; what an upload may be."""

import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from workbench.jobs import describe_job, read_upload
from workbench.run import read_json, runs_root, write_json

PARAMETERS = {"kind": "methods", "name": "clip"}
pytestmark = pytest.mark.usefixtures("nobody_serves")


def page() -> None:
    import streamlit as st

    from app import work
    from workbench.run import runs_root

    job = work.ask(runs_root(), "schema", None, {"kind": "methods", "name": "clip"})
    found = work.shown(job, 200, "it")
    if found:
        st.markdown(f"whole: {found.name}")


def test_a_page_waits_says_why_it_failed_and_shows_what_is_whole(root):
    app = AppTest.from_function(page, default_timeout=30).run()
    job = describe_job(runs_root(), "schema", None, PARAMETERS)
    assert not app.exception and job.status()["state"] == "waiting"
    assert [button.label for button in app.button] == ["Cancel"]
    status = job.folder / "status.json"
    write_json(status, read_json(status) | {"state": "failed", "error": "schema: <b>wrong</b>, do this"})
    app.run()
    assert app.error[0].value == r"schema\: \<b\>wrong\</b\>, do this" and [button.label for button in app.button] == ["Try again"]
    app.button[0].click().run()
    assert job.status()["state"] == "waiting", "Try again asks anew; opening the page alone does not"
    job.result.mkdir(parents=True)
    app.run()
    assert app.markdown[-1].value == f"whole: {job.result.name}" and not app.button


def test_a_cancelled_job_is_not_begun_again_by_itself(root):
    job = describe_job(runs_root(), "schema", None, PARAMETERS)
    app = AppTest.from_function(page, default_timeout=30).run()
    app.button[0].click()
    write_json(job.folder / "status.json", read_json(job.folder / "status.json") | {"state": "cancelled"})
    app.run()
    assert "Cancelled" in app.caption[0].value and job.status()["state"] == "cancelled"


def uploaded(root, data: bytes, name: str) -> tuple[str | None, str]:
    from app import work

    file = io.BytesIO(data)
    file.name = name
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work.place, "refused", lambda error: said.append(str(error)))
        return work.upload(root, file), "".join(said)


def png(array: np.ndarray, mode: str | None = None) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array, mode).save(file, "PNG")
    return file.getvalue()


def test_uploads_of_every_depth_become_grey_and_what_is_no_image_is_refused_in_words(root):
    ramp = np.linspace(0, 1, 60)[None].repeat(40, 0)
    deep = png((ramp * 40_000).astype(np.uint16))
    rgba = png(np.stack([ramp * 255] * 3 + [np.full_like(ramp, 255)], -1).astype(np.uint8))
    wide = png((np.linspace(0, 255, 10_000)[None].repeat(7, 0)).astype(np.uint8))
    for data, name in ((deep, "deep.png"), (rgba, "rgba.png"), (wide, "wide.png")):
        found, said = uploaded(root, data, name)
        kept = read_upload(root, found)
        row = kept[256].astype(float)
        assert not said and kept.shape == (512, 512) and row[-2] > 245 and row[1] < 10 and np.all(np.diff(row) >= 0)
    found, said = uploaded(root, b"MZ this is a program", "film.png")
    assert found is None and "film.png: is no PNG or JPEG" in said
    found, said = uploaded(root, png(np.zeros((9_000, 9_000), np.uint8)), "bomb.png")
    assert found is None and "exceed the limit of 64 million" in said
    assert uploaded(root, b"", "empty.png")[0] is None
