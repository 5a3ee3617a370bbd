"""The command line: `workbench` = `python -m training`."""

import sys
from collections.abc import Sequence
from typing import Any

import tyro

from training.commands import data, judged, runs
from training.commands.shown import table
from workbench.errors import UserError

COMMANDS = {
    "demo": runs.demo,
    "app": runs.app,
    "train": runs.train,
    "train-folder": runs.train_folder,
    "resume": runs.resume,
    "import": runs.import_model,
    "stop": runs.stop,
    "runs": runs.runs,
    "queue": {"start": runs.queue_start, "list": runs.queue_list, "cancel": runs.queue_cancel, "move": runs.queue_move},
    "spectra": judged.spectra,
    "eval": judged.evaluate,
    "methods": judged.methods,
    "datasets": judged.datasets,
    "data": {"prepare": data.data_prepare, "card": data.data_card, "vocabulary": data.data_vocabulary, "answers": data.data_answers},
    "study": judged.study,
    "doctor": judged.doctor,
}


def gathered(given: Sequence[str]) -> list[str]:
    """The arguments with the settings of every `--set` behind one: of several only the last would count."""
    rest, settings, inside = list[str](), list[str](), False
    for each in given:
        inside = each == "--set" or (inside and not each.startswith("--"))
        if each != "--set":
            (settings if inside else rest).append(each)
    return [*rest, "--set", *settings] if settings else list(given)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a user's error is one sentence on stderr and exit code 2."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    commands: Any = COMMANDS
    program = "workbench"
    while given and isinstance(commands, dict) and given[0] in commands:
        program, commands = f"{program} {given[0]}", commands[given.pop(0)]
    try:
        if isinstance(commands, dict):
            flat = {name: value for name, value in commands.items() if not isinstance(value, dict)}
            nested = [name for name, value in commands.items() if isinstance(value, dict)]
            lines = [(name, (value.__doc__ or "").strip().splitlines()[0]) for name, value in flat.items() if name != "train-folder"]
            lines += [(name, "then one of " + ", ".join(commands[name])) for name in nested]
            if given and given[0] not in ("-h", "--help"):
                raise UserError(f"{program}: no command {given[0]!r}; the commands are {', '.join(sorted(commands))}")
            print(f"usage: {program} COMMAND [options]\n\n{table(lines, ('command', 'what it does'))}")
            return
        tyro.cli(commands, prog=program, args=gathered(given))
    except UserError as error:
        print(f"{error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if error.errno is None or (error.filename is None and error.errno != 28):
            raise
        print(
            f"{error.filename or 'disk'}: {error.strerror}; free space or check the permissions, then `workbench resume`", file=sys.stderr
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
