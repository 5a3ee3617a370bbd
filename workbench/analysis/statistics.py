"""Which interval is valid for a number? Spectral statistics: jackknife over patients; predictions: DeLong and BCa over patients."""

from workbench.analysis._auroc import MacroInterval, auroc, auroc_interval, macro_auroc_interval, paired_auroc
from workbench.analysis._interval import Interval
from workbench.analysis._jackknife import jackknife, paired_jackknife

__all__ = ["Interval", "MacroInterval", "auroc", "auroc_interval", "jackknife", "macro_auroc_interval", "paired_auroc", "paired_jackknife"]
