"""Keys: left and right move the checkpoint, / goes to the search field, ? lists the keys."""

from collections.abc import Sequence

import streamlit as st

from app import state

SCRIPT = """
export default function ({ setTriggerValue }) {
  const typing = (element) =>
    element.closest("input, textarea, select, [contenteditable=true], [role=slider], [role=combobox], [role=listbox], [role=grid], [role=dialog], canvas");
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      setTriggerValue("pressed", event.key === "ArrowLeft" ? "left" : "right");
    } else if (event.key === "/") {
      document.querySelector(".st-key-search input")?.focus();
    } else if (event.key === "?") {
      setTriggerValue("pressed", "help");
    } else {
      return;
    }
    event.preventDefault();
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
"""


@st.dialog("Keys")
def show_keys() -> None:
    st.table({"← →": "Earlier or later checkpoint", "/": "Search field", "?": "This list", "R": "Draw the page again"}, border="horizontal")


def listen(steps: Sequence[int]) -> None:
    """Act on the keys of this page; `steps` are the checkpoints left and right move along."""
    component = st.components.v2.component("keyboard", js=SCRIPT)

    def act() -> None:
        key = st.session_state["keyboard"].pressed
        if key in ("left", "right") and steps:
            state.put("step", beside(steps, state.get("step"), key))

    if component(key="keyboard", on_pressed_change=act, height=1).pressed == "help":
        show_keys()


def beside(steps: Sequence[int], current: int | None, key: str) -> int:
    """The checkpoint before or after `current` among the ascending `steps`; the ends stay."""
    before = [step for step in steps if current is None or step <= current]
    place = max(0, len(before) - 1) + (1 if key == "right" else -1)
    return steps[min(max(place, 0), len(steps) - 1)]
