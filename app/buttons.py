"""Two buttons only a browser can serve: copy a text, save the picture of a figure."""

import streamlit as st

HTML = """
<button type="button"><span></span></button>
"""
CSS = """
button {
  width: 100%; min-height: 2.5rem; padding: 0.25rem 0.75rem; cursor: pointer;
  font: inherit; font-family: var(--st-font); font-size: 0.875rem; white-space: nowrap;
  color: var(--st-text-color); background: var(--st-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
button:hover, button:focus-visible { color: var(--st-primary-color); border-color: var(--st-primary-color); outline: none; }
"""
SCRIPT = """
export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button");
  const label = button.querySelector("span");
  label.textContent = data.label;
  button.title = data.told;
  const say = (text) => { label.textContent = text; setTimeout(() => { label.textContent = data.label; }, 1600); };
  const byHand = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  button.onclick = async () => {
    if (data.copy !== null) {
      try {
        await navigator.clipboard.writeText(data.copy);
        say("Copied");
      } catch {
        say(byHand(data.copy) ? "Copied" : "Not allowed to copy");
      }
    } else if (data.png) {
      say(await png() ? "Saved" : "No figure here");
    } else {
      document.querySelector(`.st-key-${data.figure} .modebar-btn`)?.click();
    }
  };
  const png = async () => {
    const plot = document.querySelector(`.st-key-${data.figure} .js-plotly-plot`);
    const layers = [...(plot?.querySelectorAll(".main-svg") ?? [])];
    if (!layers.length) return false;
    const box = plot.getBoundingClientRect(), scale = 2;
    const places = layers.map((layer) => layer.getBoundingClientRect());
    const file = await (await fetch(new URL("app/static/fonts/inter.woff2", document.baseURI))).blob();
    const font = await new Promise((done) => { const reader = new FileReader(); reader.onload = () => done(reader.result); reader.readAsDataURL(file); });
    const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
    canvas.width = box.width * scale;
    canvas.height = box.height * scale;
    pen.fillStyle = layers[0].style.background || "white";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    for (const [index, layer] of layers.entries()) {
      const copied = layer.cloneNode(true), style = document.createElementNS("http://www.w3.org/2000/svg", "style");
      style.textContent = `@font-face { font-family: Inter; font-weight: 100 900; src: url(${font}); }`;
      copied.prepend(style);
      copied.setAttribute("xmlns", "http://www.w3.org/2000/svg");
      const drawn = new Image(), place = places[index];
      drawn.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(copied));
      await drawn.decode();
      pen.drawImage(drawn, (place.x - box.x) * scale, (place.y - box.y) * scale, place.width * scale, place.height * scale);
    }
    const line = document.createElement("a");
    line.href = canvas.toDataURL("image/png");
    line.download = `${data.figure}.png`;
    line.click();
    return true;
  };
}
"""
COMPONENT = st.components.v2.component("page_button", html=HTML, css=CSS, js=SCRIPT)


def copy(label: str, text: str, told: str, key: str) -> None:
    """A button that puts `text` on the clipboard; works without a secure origin too."""
    COMPONENT(key=key, data={"label": label, "told": told, "copy": text, "figure": None, "png": False})


def picture(figure: str, png: bool = False) -> None:
    """A button that saves the figure with that key as SVG, or as PNG with twice its pixels and its own font."""
    kind = "PNG" if png else "SVG"
    told = "Saves the figure as it is drawn now"
    COMPONENT(
        key=f"{figure}_{kind.lower()}", data={"label": f"Picture as {kind}", "told": told, "copy": None, "figure": figure, "png": png}
    )
