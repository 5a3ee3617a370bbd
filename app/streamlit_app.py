"""Navigation: three groups, only pages that exist."""

from pathlib import Path

import streamlit as st

from app import place, state
from workbench.errors import UserError

FOLDER = Path(__file__).parent / "pages"
GROUPS = {
    "Runs": {"runs": ("Runs", "list"), "live": ("Live", "show_chart"), "launch": ("Launch", "rocket_launch")},
    "Look inside": {
        "latent_space": ("Latent space", "hub"),
        "map": ("Map", "bubble_chart"),
        "reconstruction": ("Reconstruction", "grid_view"),
        "attention": ("Attention", "center_focus_weak"),
    },
    "Judge": {
        "zero_shot": ("Zero-shot", "quiz"),
        "retrieval": ("Retrieval", "travel_explore"),
        "compare": ("Compare", "compare_arrows"),
        "data": ("Data", "folder_open"),
    },
}

st.set_page_config(page_title="Latent-geometry workbench", page_icon=":material/hub:", layout="wide", initial_sidebar_state="expanded")
pages = {
    group: [
        st.Page(FOLDER / f"{name}.py", title=title, icon=f":material/{icon}:", default=name == "runs")
        for name, (title, icon) in entries.items()
        if (FOLDER / f"{name}.py").is_file()
    ]
    for group, entries in GROUPS.items()
}
page = st.navigation({group: entries for group, entries in pages.items() if entries}, expanded=True)
state.begin(page.url_path)
st.html(Path(__file__).with_name("style.css"))
try:
    page.run()
except UserError as error:
    place.refused(error)
