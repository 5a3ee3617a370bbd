"""Where things go on a page: verdict, figure with its details, footer, empty state. All text is escaped here."""

import csv
import html
import io
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st

from app import buttons
from app.state import escape
from workbench.figures import theme
from workbench.figures.theme import PALETTES, Palette

Rows = Sequence[Mapping[str, Any]] | Callable[[], Sequence[Mapping[str, Any]]]  # drawn numbers, or what makes them once they are asked for
Allowed = Literal["all", "screen", "nothing"]  # what a page may do with films and reports: also save them, only show them, neither
LISTED, LONG = 200, 44  # rows shown under Details, characters from which a cell is a sentence
CONFIG = {"displaylogo": False, "modeBarButtons": [["toImage"]], "toImageButtonOptions": {"format": "svg"}, "doubleClick": False}


def palette() -> Palette:
    """The colours of the theme the reader sees."""
    return PALETTES.get(str(st.context.theme.type), PALETTES["light"])


def verdict(sentences: Sequence[tuple[str, str]], aside: str, colour: str) -> None:
    """What was found, as (name, rest) sentences with the name in bold and the numbers it rests on in grey behind."""
    said = " ".join(f"<b>{html.escape(name)}</b> {html.escape(rest)}".strip() for name, rest in sentences)
    grey = f" <span>{html.escape(aside)}</span>" if aside else ""
    st.html(f'<div class="verdict" role="status" style="--about: {colour}">{said}{grey}</div>')


def plain(fig: go.Figure, key: str, alt: str) -> None:
    """A figure; a camera at its corner saves it as SVG."""
    st.plotly_chart(fig, theme=None, key=key, config=config(key), alt=alt)


def clickable(fig: go.Figure, key: str, alt: str, on_select: Callable[[], None]) -> None:
    """A figure whose points can be clicked one by one."""
    st.plotly_chart(fig, theme=None, key=key, config=config(key), alt=alt, on_select=on_select, selection_mode="points")


def config(key: str) -> dict[str, Any]:
    """Only a camera that saves the picture."""
    return CONFIG | {"toImageButtonOptions": {"format": "svg", "filename": key}}


@st.cache_resource(max_entries=128, show_spinner=False)
def kept(key: Sequence[Hashable], _draw: Callable[[], go.Figure]) -> go.Figure:
    """A figure that depends on `key` alone, drawn once: Plotly takes 40 ms to check four panels, the slider's time for everything is 300."""
    return _draw()


def marked(fig: go.Figure, marks: Sequence[theme.Mark], key: str, *rest: Any) -> None:
    """A figure over the whole training: the slider's line lies over it, because Streamlit draws a figure that changes from nothing (60 ms each)."""
    st.html(f"<style>{over(marks, fig, key)}</style>")
    figure(fig, key, *rest)


def over(marks: Sequence[theme.Mark], fig: go.Figure, key: str) -> str:
    """The style that draws vertical lines over the plot of a figure; the last drawn lies on top."""
    margin, layers = fig.layout.margin, []
    for mark in reversed(marks):
        dotted = f"repeating-linear-gradient(180deg, {mark.colour} 0 2px, transparent 2px 4px)"
        fill = dotted if mark.dash == "dot" else f"linear-gradient({mark.colour}, {mark.colour})"
        middle = (mark.share - 0.5) * mark.width  # a percentage aligns the same share of the line, not its middle
        layers.append(f"{fill} calc({100 * mark.share:.3f}% + {middle:.2f}px) 0 / {mark.width}px 100% no-repeat")
    box = f"left: {margin.l}px; right: {margin.r}px; top: {margin.t}px; height: {fig.layout.height - margin.t - margin.b}px"
    return f".st-key-{key}::after {{ {box}; background: {', '.join(layers) or 'none'}; }}"


def figure(fig: go.Figure, key: str, alt: str, formula: str, rows: Rows) -> None:
    """A figure with a quiet `Details` under it: formula, table, table as CSV, picture as SVG and PNG."""
    with st.container(gap=None):
        plain(fig, key, alt)
        details(key, formula, rows)


def film(
    fig: go.Figure,
    key: str,
    alt: str,
    formula: str,
    rows: Rows,
    allowed: Allowed,
    on_click: Callable[[], None] | None = None,
) -> None:
    """A figure with a film in it, as far as the terms of its data set allow; its points may answer a click."""
    given = {"on_select": on_click, "selection_mode": "points"} if on_click else {}
    saved = config(key) if allowed == "all" else {"displayModeBar": False}
    with st.container(gap=None):
        if allowed == "nothing":
            empty(f"**{alt}** stays off this page: the terms of its data set are *credentialed*.")
        else:
            st.plotly_chart(fig, theme=None, key=key, config=saved, alt=alt, **given)
        details(key, formula, rows, allowed == "all")


@st.fragment
def details(key: str, formula: str, numbers: Rows, may_leave: bool = True, pictured: bool = True) -> None:
    """Formula, table and CSV behind a quiet button; pictures of the figure with that key, unless it saves its own."""
    opened = st.popover("Details", type="tertiary", key=f"{key}_details", on_change="rerun", width="content")
    if opened.open:
        rows = numbers() if callable(numbers) else numbers
        with opened:
            st.markdown(formula)
            listing(rows)
            saved, svg, png = st.columns(3, gap="small")
            saved.download_button(
                "Numbers as CSV", table(rows), f"{key}.csv", "text/csv", key=f"{key}_csv", on_click="ignore", width="stretch"
            )
            if not may_leave:
                st.caption("The terms of this data set keep its films on this screen; the numbers may be saved.")
                return
            if not pictured:
                return
            with svg:
                buttons.picture(key)
            with png:
                buttons.picture(key, png=True)


def listing(rows: Sequence[Mapping[str, Any]]) -> None:
    """The first rows as plain HTML: a grid would take half a second to appear."""
    names = list(rows[0]) if rows else []
    head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(cell(said(row[name])) for name in names) + "</tr>" for row in rows[:LISTED])
    more = f"<p>{len(rows) - LISTED} more rows in the CSV</p>" if len(rows) > LISTED else ""
    st.html(f'<div class="listing" tabindex="0" aria-label="The drawn numbers"><table><tr>{head}</tr>{body}</table>{more}</div>')


def cell(text: str) -> str:
    """A cell; a sentence breaks into lines, numbers and keys do not."""
    return f"<td{' class=long' if len(text) > LONG and ' ' in text else ''}>{html.escape(text)}</td>"


def said(value: Any) -> str:
    """A cell: numbers to four digits, nothing where nothing is known."""
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def log(texts: Mapping[str, str]) -> None:
    """The end of each run's log, one at a time; `texts` by the run's name."""
    if not any(texts.values()):
        st.caption("No log of their own: runs of one process, as in the demo, write to its terminal.")
        return
    name = next(iter(texts))
    if len(texts) > 1:
        name = st.segmented_control("Log of", list(texts), default=name, required=True, key="log_of", format_func=escape) or name
    lines = texts[name].replace("\r", "\n").splitlines()
    st.code("\n".join(lines[-60:]) or "(empty)", language=None, height=260)


def events(rows: Sequence[Mapping[str, Any]]) -> None:
    """What happened, newest first."""
    if rows:
        st.dataframe(rows, hide_index=True, height=260, alt="Events, newest first")
    else:
        st.caption("No events yet")


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def footer(parts: Sequence[str]) -> None:
    """What the numbers rest on, in grey."""
    st.html(f'<div class="footer">{" · ".join(html.escape(part) for part in parts if part)}</div>')


def lines(texts: Sequence[str]) -> None:
    """Lines of our own Markdown, close to each other."""
    st.markdown("  \n".join(texts))


def empty(sentence: str, command: str | None = None) -> None:
    """What to do where there is nothing to show; `sentence` is our own Markdown."""
    with st.container(border=True):
        st.markdown(sentence)
        if command:
            st.code(command, language="bash")


def refused(error: object) -> None:
    """The one sentence of a user's error."""
    st.error(escape(error))
