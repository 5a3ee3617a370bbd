"""The pages in three groups; only those that exist are listed."""

from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent
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


def show() -> Any:
    """Draw the navigation; returns the page that was asked for. The icon comes from our own folder: a page's symbol would be fetched."""
    icon = str(FOLDER / "static" / "icon.svg")
    st.set_page_config(page_title="Latent-geometry workbench", page_icon=icon, layout="wide", initial_sidebar_state=232)
    pages = {
        group: [
            st.Page(FOLDER / "pages" / f"{name}.py", title=title, icon=f":material/{symbol}:", default=name == "runs")
            for name, (title, symbol) in entries.items()
            if (FOLDER / "pages" / f"{name}.py").is_file()
        ]
        for group, entries in GROUPS.items()
    }
    return st.navigation({group: entries for group, entries in pages.items() if entries}, expanded=True)
