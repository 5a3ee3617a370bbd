"""Results in, Plotly figures out: one file per analysis file, of the same name."""
