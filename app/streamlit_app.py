"""The app: `streamlit run app`. Navigation, and the frame around every page."""

import importlib
import threading

import streamlit as st

from app import navigation, place, state
from workbench.errors import UserError


@st.cache_resource(show_spinner=False)
def prepared() -> None:
    """Tables need pandas, .7 s of import: done once, behind the first page, instead of at the first visit of Runs."""
    threading.Thread(target=importlib.import_module, args=("pandas",), daemon=True).start()


page = navigation.show()
state.begin(page.url_path)
st.html(navigation.FOLDER / "style.css")
try:
    page.run()
except UserError as error:
    place.refused(error)
prepared()
