"""How frequent findings are and which come together, after real labels: fits and writes workbench/phantom/thorax/odds.yaml.

PadChest (Bustos et al., Medical Image Analysis 2020), the table of labels in the package torchxrayvision, read in place: frontal films of adults. For every
finding in the order of the simulator a logistic regression on view, age in 18 years, sex and the findings before it; its coefficients are
the odds of the simulator (times METADATA for view, age and sex). How frequent a finding is lies between the table and equal shares: SOFTENED
of the table's differences in log odds, about MEAN, as the rarest would hardly be met in six thousand studies. Illness is no column of the
table; its loadings are our choice. `python -m tests.full.tables [PATH OF THE TABLE]`
"""

import csv
import gzip
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tests.full.record import head, write
from tests.packaged import in_package
from workbench.errors import UserError
from workbench.phantom import FINDINGS
from workbench.phantom.thorax import odds, prevalence

TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz"
TARGET = Path(odds.__file__).parent / "odds.yaml"
MEAN, SOFTENED = -1.75, 0.4
FRONTAL, PORTABLE = ("PA", "AP", "AP_horizontal"), ("AP", "AP_horizontal")
UNUSABLE = {"exclude", "suboptimal study", ""}
WORDS = {  # finding -> labels of the table
    "cardiomegaly": {"cardiomegaly"},
    "effusion": {"pleural effusion", "loculated pleural effusion", "loculated fissural effusion", "hydropneumothorax"},
    "pneumothorax": {"pneumothorax", "hydropneumothorax"},
    "consolidation": {"consolidation", "alveolar pattern", "pneumonia", "atypical pneumonia", "infiltrates", "air bronchogram"},
    "atelectasis": {f"{kind}atelectasis" for kind in ("", "laminar ", "lobar ", "segmental ", "total ", "round ")}
    | {"atelectasis basal", "volume loss"},
    "oedema": {"pulmonary edema", "heart insufficiency", "kerley lines"},
    "nodule": {"nodule", "multiple nodules", "granuloma", "calcified granuloma", "lung metastasis"},
    "mass": {"pulmonary mass", "mass"},
    "rib fracture": {"rib fracture", "callus rib fracture"},
    "endotracheal tube": {"endotracheal tube"},
    "feeding tube": {"NSG tube"},
    "central venous line": {"central venous catheter", "reservoir central venous catheter"}
    | {f"central venous catheter via {vein} vein" for vein in ("jugular", "subclavian")},
    "pacemaker": {"pacemaker", "single chamber device", "dual chamber device"},
}
ILLNESS = (0.35, 0.45, 0.1, 0.4, 0.35, 0.55, 0.0, 0.1, 0.0, 0.7, 0.6, 0.6, 0.2)  # in the order of FINDINGS


def table() -> Path:
    """The table, in the package or as it is named."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else in_package(TABLE)
    if path is None or not path.is_file():
        raise UserError(f"{path or TABLE}: no such table; install torchxrayvision, or name the file {TABLE}")
    return path


def films(path: Path) -> Iterator[tuple[list[float], list[float]]]:
    """View, age and sex as the simulator counts them, and labels, of every frontal film of an adult."""
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.DictReader(file):
            named = set(re.findall(r"'\s*([^']*?)\s*'", row["Labels"]))
            years = re.match(r"\d{4}", row["StudyDate_DICOM"]), re.match(r"\d{4}", row["PatientBirth"])
            if row["Projection"] not in FRONTAL or row["PatientSex_DICOM"] not in "MF" or not all(years) or not named or named & UNUSABLE:
                continue
            age = int(years[0][0]) - int(years[1][0])  # type: ignore[index]
            if 18 <= age <= 100:
                portable, mean, spread, men = odds.ABOUT
                about = [(row["Projection"] in PORTABLE) - portable, (age - mean) / spread, (row["PatientSex_DICOM"] == "M") - men]
                yield about, [float(bool(named & WORDS[name])) for name in FINDINGS]


def fitted(about: np.ndarray, labels: np.ndarray) -> dict[str, dict[str, Any]]:
    """The odds of every finding but their base, rounded."""
    from sklearn.linear_model import LogisticRegression

    found: dict[str, dict[str, Any]] = {}
    for place, name in enumerate(FINDINGS):
        weights = LogisticRegression(max_iter=1000).fit(np.hstack([about, labels[:, :place]]), labels[:, place]).coef_[0].round(2).tolist()
        own = dict(zip(("ap", "age", "male"), weights))
        found[name] = {"base": 0.0, **own, "illness": ILLNESS[place], "after": dict(zip(FINDINGS, weights[3:]))}
    return found


def together(labels: np.ndarray) -> np.ndarray:
    """Log odds ratio of every pair of findings (13, 13), not adjusted; half a study is added to each cell."""
    both = labels.T @ labels + 0.5
    one = labels.T @ (1 - labels) + 0.5
    return np.log(both * ((1 - labels).T @ (1 - labels) + 0.5) / (one * one.T))


def main() -> None:
    """Fit, write the odds and the record, print both."""
    begun = time.time()
    about, labels = (np.array(part) for part in zip(*films(table())))
    rows, real = fitted(about, labels), labels.mean(0)
    logits = np.log(real / (1 - real))
    wanted = 1 / (1 + np.exp(-(MEAN + SOFTENED * (logits - logits.mean()))))
    TARGET.write_text(yaml.safe_dump(rows, sort_keys=False))
    odds.odds.cache_clear()
    _, bases = prevalence.settled(dict(zip(FINDINGS, wanted)), {}, "clinical")
    head_line = f"# Log odds of findings, fitted by tests/full/tables.py to {len(labels)} frontal films of adults in the labels of PadChest (Bustos et al. 2020).\n"
    for name, row in rows.items():
        row["base"] = round(bases[name], 3)
    TARGET.write_text(head_line + yaml.safe_dump(rows, sort_keys=False, default_flow_style=None, width=200))
    odds.odds.cache_clear()
    prevalence.people.cache_clear()
    from workbench.phantom.thorax.course import drawn_study

    own = np.array([drawn_study(0, index).labels for index in range(20_000)])
    pairs = np.triu_indices(len(FINDINGS), 1)
    agree = float(np.corrcoef(together(labels)[pairs], together(own)[pairs])[0, 1])
    record = head({"mean": MEAN, "softened": SOFTENED, "metadata": odds.METADATA}, "PadChest labels", [0], begun)
    record |= {
        "films": len(labels),
        "shares": {name: {"table": float(a), "simulated": float(b)} for name, a, b in zip(FINDINGS, real, own.mean(0))},
    }
    record |= {
        "pairs": {
            f"{FINDINGS[a]} + {FINDINGS[b]}": [round(float(together(each)[a, b]), 2) for each in (labels, own)] for a, b in zip(*pairs)
        }
    }
    record |= {"correlation of the pairs' log odds ratios": agree}
    write("prevalence", record)
    for name, each in record["shares"].items():
        print(f"{name:<20} {each['table']:.3f} {each['simulated']:.3f}")
    print(f"pairs: correlation of log odds ratios {agree:.2f}")


if __name__ == "__main__":
    main()
