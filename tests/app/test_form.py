"""Every field of every method and data set can be drawn and read back."""

import pytest
from streamlit.testing.v1 import AppTest

from workbench import registry
from workbench.models import method_class


def schema_of(kind: str, name: str) -> dict:
    config = method_class(name).Config if kind == "methods" else registry.load(kind, name).Config
    return config.model_json_schema()


def page(kind: str, name: str) -> None:
    import streamlit as st

    from app import form
    from tests.app.test_form import schema_of

    schema = schema_of(kind, name)
    st.session_state["read"] = form.fields(schema, {}, list(schema["properties"]), name)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in ("methods", "data") for name in registry.names(kind)])
def test_every_field_is_drawn_with_its_default(kind, name):
    app = AppTest.from_function(page, args=(kind, name), default_timeout=60).run()
    assert not app.exception
    schema = schema_of(kind, name)
    for field, part in schema["properties"].items():
        if "default" in part and part["default"] is not None and "$ref" not in part:
            assert app.session_state["read"][field] == part["default"], field
