"""Real radiographs: the study real-small, with its record committed; needs WORKBENCH_TEST_DATA."""

import os

from tests.full.record import FOLDER
from training import studies
from training.asked import Asked
from training.threads import set_threads
from workbench.run import runs_root


def main(resume: bool = True) -> None:
    """Train what is missing, probe, retrieve, write the record."""
    if not os.environ.get("WORKBENCH_TEST_DATA"):
        print("real radiographs are found through WORKBENCH_TEST_DATA, which is not set")
        return
    set_threads()
    print(studies.conduct("real-small", runs_root() / "full", Asked(results=FOLDER))[1])


if __name__ == "__main__":
    main()
