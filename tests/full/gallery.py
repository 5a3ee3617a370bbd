"""A healthy and a broken example of every diagnostic and of every kind the sentinel tells, `docs/gallery.md`. `python -m tests.full gallery`

Seconds for the numbers, a minute or so for the pictures, which need `chromium` on the PATH.
"""

from pathlib import Path

from tests.browser.serving import CHROMIUM
from tests.gallery import draw, every, page
from tests.gallery.kinds import kinds
from tests.gallery.shoot import shoot, studio
from workbench.errors import UserError

FILE = Path(__file__).parents[2] / "docs/gallery.md"
FOLDER = FILE.with_suffix("")


def main() -> None:
    if CHROMIUM is None:
        raise UserError("the pictures of the gallery need `chromium` on the PATH")
    entries, told = every(), kinds()
    FILE.write_text(page.text(entries, told))
    pictures = {entry.name: draw.picture(entry) for entry in entries} | {f"sentinel-{kind.name}": draw.of_kind(kind) for kind in told}
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.png"):
        if path.stem not in pictures:
            path.unlink()
    with studio() as browser:
        for name, lines in pictures.items():
            print(f"{name}: {shoot(browser, lines, FOLDER / f'{name}.png') // 1000} kB", flush=True)


if __name__ == "__main__":
    main()
