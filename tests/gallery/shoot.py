"""Figures as PNG through a real Chromium: the Plotly and the fonts of the installed packages, nothing from outside."""

import base64
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import plotly.io
from PIL import Image
from plotly.offline import get_plotlyjs

from tests.browser.serving import REPOSITORY, chromium
from tests.gallery.draw import WIDTH, Panel
from workbench.figures.theme import LIGHT

PAGE = """<style>
@font-face {{ font-family: Inter; font-weight: 100 900; src: url(data:font/woff2;base64,{font}); }}
body {{ margin: 0; background: {paper}; font-family: Inter }}
#picture {{ width: {width}px; }}
.line {{ display: flex; padding-top: 8px; }}
</style><div id="picture"></div>"""
DRAW = """async (lines) => {
  const picture = document.getElementById("picture");
  picture.replaceChildren();
  for (const line of lines) {
    const row = picture.appendChild(Object.assign(document.createElement("div"), {className: "line"}));
    for (const [figure, width] of line) {
      const place = row.appendChild(document.createElement("div"));
      const {data, layout} = JSON.parse(figure);
      await Plotly.newPlot(place, data, {...layout, width}, {staticPlot: true});
    }
  }
}"""


@contextmanager
def studio() -> Iterator[Any]:
    """A browser page that knows Plotly and the font."""
    font = base64.b64encode((REPOSITORY / "app/static/fonts/inter.woff2").read_bytes()).decode()
    with chromium(viewport={"width": WIDTH, "height": 800}, offline=True) as context:
        page = context.new_page()
        page.set_content(PAGE.format(font=font, paper=LIGHT.paper, width=WIDTH))
        page.add_script_tag(content=get_plotlyjs())
        page.evaluate("document.fonts.load('12px Inter')")
        yield page


def shoot(page: Any, lines: Sequence[Sequence[Panel]], path: Path) -> int:
    """Lines of panels as a picture; returns its bytes."""
    page.evaluate(DRAW, [[[plotly.io.to_json(panel.figure), panel.width] for panel in line] for line in lines])
    with Image.open(io.BytesIO(page.locator("#picture").screenshot())) as taken:
        taken.convert("RGB").save(path, optimize=True)
    return path.stat().st_size
