"""The library: `import workbench as wb`. What notebook.py offers, loaded when it is first asked for."""

from typing import Any

__all__ = ["claims", "compare", "dataset_names", "grid", "launch", "list_runs", "method_card", "method_names", "open_data", "open_run"]
OF_QUERIES = ["list_queries", "query"]  # they need no figure


def __getattr__(name: str) -> Any:
    if name in __all__:
        from workbench import notebook

        return getattr(notebook, name)
    if name in OF_QUERIES:
        from workbench import queries

        return getattr(queries, name)
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__, *OF_QUERIES]
