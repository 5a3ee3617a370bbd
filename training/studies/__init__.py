"""Studies: several runs and what they say together; `workbench study NAME`.

A study is a YAML file with arms of one recipe (plans.py), or a file with `main(root, asked) -> (document, text)`.
"""

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from training.asked import ALL, Asked
from training.records import write_record
from workbench.errors import UserError
from workbench.run_files import write_json

FOLDER = Path(__file__).parent


def programs() -> list[str]:
    """The studies that are files of code."""
    return sorted(info.name.replace("_", "-") for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))


def names() -> list[str]:
    """The studies that come with the workbench."""
    return sorted([*programs(), *(path.stem for path in FOLDER.glob("*.yaml"))])


def conduct(name: str, runs: Path, asked: Asked = ALL) -> tuple[dict[str, Any], str]:
    """Train what is missing under RUNS/studies/NAME, score it, keep the record there; returns it with its table. Raises UserError.

    What is tried out with changed settings or fewer seeds lies in a folder beside it: it never takes the place of a result.
    """
    own = Path(name).suffix == ".yaml"
    if not own and name not in names():
        raise UserError(
            f"study {name!r}: there is none of this name; the studies are {', '.join(names())}, or give a YAML file of your own"
        )
    if asked.results is not None and asked.changed():
        raise UserError(f"study {name}: --results with {asked.changed()[0]}: what was changed is no result of this study; leave one out")
    root = runs / "studies" / ((Path(name).stem if own else name) + ("-changed" if asked.changed() else ""))
    root.mkdir(parents=True, exist_ok=True)
    if name in programs():
        document, text = importlib.import_module(f"training.studies.{name.replace('-', '_')}").main(root, asked)
    else:
        from training.arms import main

        document, text = main(Path(name) if own else FOLDER / f"{name}.yaml", root, asked)
    write_json(root / "record.json", document)
    if asked.results is not None:
        write_record(asked.results / f"{root.name}.json", document)
    return document, text
