"""The app: `streamlit run app`. Navigation, and the frame around every page."""

import streamlit as st

from app import navigation, place, state
from workbench.errors import UserError

page = navigation.show()
state.begin(page.url_path)
st.html(navigation.FOLDER / "style.css")
try:
    page.run()
except UserError as error:
    place.refused(error)
