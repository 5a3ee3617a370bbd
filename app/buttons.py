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
    } else {
      document.querySelector(`.st-key-${data.figure} .modebar-btn`)?.click();
    }
  };
}
"""
COMPONENT = st.components.v2.component("page_button", html=HTML, css=CSS, js=SCRIPT)


def copy(label: str, text: str, told: str, key: str) -> None:
    """A button that puts `text` on the clipboard; works without a secure origin too."""
    COMPONENT(key=key, data={"label": label, "told": told, "copy": text, "figure": None})


def picture(figure: str) -> None:
    """A button that saves the figure with that key as SVG."""
    told = "Saves the figure as it is drawn now"
    COMPONENT(key=f"{figure}_svg", data={"label": "Picture as SVG", "told": told, "copy": None, "figure": figure})
