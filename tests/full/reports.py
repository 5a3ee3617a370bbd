"""Do annotations agree with the reports, how far are these from real ones, and can labels be read from their words? Four minutes.

10,000 simulated reports (`clinical`) of either kind, plain and as radiologists write: every span, assertion and side against the concept table
and the latents; violations must be 0. A finding that is there may be stated or hedged, never only denied; what is absent may be hedged.
Length, vocabulary, negation, repetition and overlap of word sequences beside Open-I (Demner-Fushman et al., JAMIA 2016), read in place from
the package torchxrayvision, or from the archive that WORKBENCH_OPENI names; without either the record has no such columns. Both corpora are
cut to the same number of reports and into halves: a half against the other half of its own corpus is the reference.
A logistic regression on words of 4,000 reports reads the labels of 2,000 other patients' reports. Questions: how often is the commonest
answer to the same words right, without the film?
"""

import re
import tarfile
import time
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np

from tests.full.record import head, write
from tests.packaged import at_hand
from workbench.analysis.statistics import macro_auroc_interval
from workbench.data.phantoms import FIRST
from workbench.phantom import FINDINGS, GENERATOR_VERSION
from workbench.phantom.annotations import SECTIONS, annotate, rows_of
from workbench.phantom.concepts import concepts
from workbench.phantom.questions import questions
from workbench.phantom.report import text_of
from workbench.phantom.styles import HEDGED, HEDGED_ABSENT, MACRO, MISSPELT, Reports, written
from workbench.phantom.thorax.course import drawn_study, prior_of
from workbench.phantom.thorax.latents import Study
from workbench.text import sentences

NAME, SEED, CHECKED, TRAIN, TEST = "reports", 0, 10_000, 4000, 2000
ARCHIVE = "NLMCXR_reports.tgz"
WORD = re.compile(r"[a-z0-9]+(?:[.'-][a-z0-9]+)*")
NEGATION = re.compile(r"\b(no|not|without|neither|nor|negative|free of|clear of|absent|absence)\b", re.IGNORECASE)
REMOVED = "xxxx"  # what Open-I has in place of a name or date


class Text(NamedTuple):
    """The two sections of a report."""

    findings: str
    impression: str


def simulated(first: int, count: int) -> list[Study]:
    """Studies of the level that is pinned to reality."""
    return [drawn_study(SEED, first + place) for place in range(count)]


def text(study: Study, reports: Reports = "plain") -> Text:
    """The report of a study as text."""
    own = written(study, prior_of(study), reports)
    return Text(text_of(own.findings), text_of(own.impression))


def archive() -> Path | None:
    """The Open-I reports, where they are at hand."""
    return at_hand(ARCHIVE, "WORKBENCH_OPENI")


def real(path: Path) -> list[Text]:
    """The Open-I reports that have both sections, in the order of their numbers."""
    found = {}
    with tarfile.open(path) as packed:
        for member in packed:
            if member.name.endswith(".xml") and (file := packed.extractfile(member)):
                parts = {each.get("Label", ""): each.text or "" for each in ElementTree.parse(file).iter("AbstractText")}
                own = Text(*(" ".join(parts.get(section.upper(), "").split()) for section in SECTIONS))
                if all(own):
                    found[int(Path(member.name).stem)] = own
    return [found[number] for number in sorted(found)]


def violations(studies: Sequence[Study], reports: Reports = "plain") -> dict[str, int]:
    """How often an annotation disagrees with the text or the latents, by kind of disagreement."""
    found = dict.fromkeys(
        ("span is no word of its concept", "present, not stated", "absent, stated present", "present, ruled out", "side"), 0
    )
    for study in studies:
        texts, stated = text(study, reports), set[str]()
        for row in rows_of(annotate(written(study, prior_of(study), reports))):
            concept, absent, hedged = concepts()[row["concept"]], row["assertion"] == "absent", row["assertion"] == "uncertain"
            words = texts[row["text"]][row["start"] : row["end"]].lower()
            known = concept.synonyms + (concept.denials if absent else ())
            found["span is no word of its concept"] += not (get_close_matches(words, known, cutoff=0.7) if row["typo"] else words in known)
            if row["label"]:
                found["absent, stated present"] += not absent and not hedged and not study.has(row["label"])
                found["present, ruled out"] += absent and study.has(row["label"])
                sides = {finding.side for finding in study.findings if finding.name == row["label"]}
                if study.has(row["label"]) or not hedged:  # what is hedged and not there has any side
                    found["side"] += row["side"] not in ("", "both" if len(sides) == 2 else next(iter(sides), ""))
                if row["text"] == 0 and not absent:
                    stated.add(row["label"])
        found["present, not stated"] += sum(study.has(name) and name not in stated for name in FINDINGS)
    return found


def words_of(text: str) -> list[str]:
    """Lower-case words and numbers; what Open-I blanks out is left out."""
    return [word for word in WORD.findall(text.lower()) if word != REMOVED]


def spread(values: Sequence[int]) -> dict[str, float]:
    """Mean, 5th, 50th and 95th percentile."""
    low, middle, high = np.percentile(values, (5, 50, 95)).tolist()
    return {"mean": float(np.mean(values)), "5 %": low, "50 %": middle, "95 %": high}


def described(texts: Sequence[Text]) -> dict[str, Any]:
    """Length, vocabulary, negation and repetition of a corpus."""
    split = [[sentence for section in text for sentence in sentences(section)] for text in texts]
    flat = [" ".join(words_of(sentence)) for own in split for sentence in own]
    vocabulary = Counter(word for text in texts for word in words_of(" ".join(text)))
    return {
        "reports": len(texts),
        "words a report": spread([len(words_of(" ".join(text))) for text in texts]),
        "words in findings": spread([len(words_of(text.findings)) for text in texts]),
        "words in impression": spread([len(words_of(text.impression)) for text in texts]),
        "sentences a report": spread([len(own) for own in split]),
        "words a sentence": spread([len(sentence.split()) for sentence in flat]),
        "vocabulary": len(vocabulary),
        "vocabulary seen once": sum(count == 1 for count in vocabulary.values()),
        "share of negated sentences": float(np.mean([bool(NEGATION.search(sentence)) for sentence in flat])),
        "distinct sentences": len(set(flat)),
        "share of sentences distinct": len(set(flat)) / len(flat),
        "share of reports seen before": 1 - len({" ".join(words_of(" ".join(text))) for text in texts}) / len(texts),
    }


def sequences(texts: Sequence[Text], length: int) -> Counter[tuple[str, ...]]:
    """Sequences of words within a sentence, counted."""
    split = [words_of(sentence) for text in texts for section in text for sentence in sentences(section)]
    return Counter(tuple(words[start : start + length]) for words in split for start in range(len(words) - length + 1))


def covered(texts: Sequence[Text], by: Sequence[Text], length: int) -> float:
    """Share of the word sequences of `texts`, as often as they occur, that occur in `by`."""
    own, other = sequences(texts, length), sequences(by, length)
    return sum(count for words, count in own.items() if words in other) / own.total()


def divergence(one: Sequence[Text], other: Sequence[Text]) -> float:
    """Jensen-Shannon divergence of two corpora's word frequencies, in bits: 0 alike, 1 without a common word."""
    counts = [sequences(each, 1) for each in (one, other)]
    names = sorted(counts[0] | counts[1])
    p, q = (np.array([each[name] for name in names]) / each.total() for each in counts)
    entropy = [-float(np.sum(each[each > 0] * np.log2(each[each > 0]))) for each in ((p + q) / 2, p, q)]
    return entropy[0] - (entropy[1] + entropy[2]) / 2


def overlaps(corpora: dict[str, Sequence[Text]]) -> dict[str, dict[str, float]]:
    """`second half of A in first half of B` -> n-gram coverage for n of 1 to 4, and the divergence of the words."""
    halves = {name: (texts[: len(texts) // 2], texts[len(texts) // 2 :]) for name, texts in corpora.items()}
    return {
        f"{name} in {other}": {f"{length}-grams": covered(second, halves[other][0], length) for length in (1, 2, 3, 4)}
        | {"word divergence, bits": divergence(second, halves[other][0])}
        for name, (_, second) in halves.items()
        for other in corpora
    }


def labels_read(texts: Sequence[Text], labels: np.ndarray, patients: Sequence[str], longest: int) -> dict[str, Any]:
    """AUROC on the last TEST reports of a logistic regression on which words, or sequences of up to `longest`, occur in the first TRAIN."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    counter = CountVectorizer(analyzer=lambda text: [words for n in range(1, longest + 1) for words in sequences([text], n)], binary=True)
    fit, held = counter.fit_transform(texts[:TRAIN]), counter.transform(texts[TRAIN:])
    models = [LogisticRegression(max_iter=1000).fit(fit, own) for own in labels[:TRAIN].T]
    scores = np.stack([model.decision_function(held) for model in models], 1)
    found = macro_auroc_interval(scores, labels[TRAIN:], patients[TRAIN:])
    per_finding = dict(zip(FINDINGS, found.per_label))
    return {"macro": found.value, "low": found.low, "high": found.high, "procedure": found.procedure, "findings": per_finding}


def asked(studies: Sequence[Study]) -> dict[str, dict[str, float]]:
    """Kind of question -> how many, and how often the commonest answer to the same words is right: what a reader without a film reaches."""
    answers: dict[str, dict[str, Counter[str]]] = {}
    for study in studies:
        for each in questions(study, prior_of(study)):
            answers.setdefault(each.kind, {}).setdefault(each.question, Counter())[each.answer] += 1
    return {
        kind: {
            "questions": sum(counted.total() for counted in own.values()),
            "answers": len(set().union(*own.values())),
            "right without the film": sum(max(counted.values()) for counted in own.values())
            / sum(counted.total() for counted in own.values()),
        }
        for kind, own in answers.items()
    }


def distance(corpora: dict[str, dict[str, Any]], overlap: dict[str, dict[str, float]]) -> str:
    """What the numbers say, in words."""
    if "Open-I" not in corpora:
        return "Open-I was not at hand: this record says nothing about the distance to real reports."
    own, other, reading = corpora["phantoms"], corpora["Open-I"], "3-grams"
    styled = corpora["radiologists"]
    return (
        f"The grammar is far poorer than radiologists' language: {own['vocabulary']} words against {other['vocabulary']}, "
        f"{own['distinct sentences']} distinct sentences against {other['distinct sentences']} in {own['reports']} reports each. "
        f"It knows {overlap['Open-I in phantoms'][reading]:.0%} of the three-word sequences of Open-I (the other half of Open-I: "
        f"{overlap['Open-I in Open-I'][reading]:.0%}); Open-I knows {overlap['phantoms in Open-I'][reading]:.0%} of the grammar's. "
        f"Length ({own['words a report']['50 %']:.0f} against {other['words a report']['50 %']:.0f} words, median) and share of negated sentences "
        f"({own['share of negated sentences']:.0%} against {other['share of negated sentences']:.0%}) can be compared. "
        f"{other['share of reports seen before']:.0%} of the Open-I reports repeat another word for word, {own['share of reports seen before']:.0%} "
        "of the grammar's. It compares with the prior study, but has no indications, misspellings or contradictions, and states every finding that is "
        "there, so that single words give the labels away. The option `radiologists` is nearer: "
        f"{styled['vocabulary']} words, {styled['distinct sentences']} distinct sentences, {overlap['Open-I in radiologists'][reading]:.0%} of the "
        f"three-word sequences of Open-I known and {overlap['radiologists in Open-I'][reading]:.0%} of its own known there, "
        f"{styled['words a report']['50 %']:.0f} words (median), {styled['share of negated sentences']:.0%} of the sentences negated, "
        f"{styled['share of reports seen before']:.0%} of the reports repeated; it has comparisons, hedging and misspellings, but still states or "
        "hedges every finding that is there. What reads these reports need not read real ones."
    )


def main() -> None:
    """Check, describe, compare, read; write the record and print it."""
    begun, path = time.time(), archive()
    checked = simulated(FIRST["train"], CHECKED)
    kinds: dict[str, Reports] = {"phantoms": "plain", "radiologists": "radiologists"}
    wrong = {name: violations(checked, kind) for name, kind in kinds.items()}
    corpora: dict[str, Sequence[Text]] = {name: [text(study, kind) for study in checked] for name, kind in kinds.items()}
    if path:
        openi = real(path)
        corpora = {name: texts[: len(openi)] for name, texts in corpora.items()} | {"Open-I": openi}
    rows = {name: described(each) for name, each in corpora.items()}
    overlap = overlaps(corpora)
    studies = [*checked[:TRAIN], *simulated(FIRST["val"], TEST)]
    labels, patients = np.array([study.labels for study in studies]), [str(study.patient_index) for study in studies]
    words = {name: [text(study, kind) for study in studies] for name, kind in kinds.items()}
    read = {
        name: {f"words up to {longest} in a row": labels_read(own, labels, patients, longest) for longest in (1, 2)}
        for name, own in words.items()
    }
    settings = {"checked": CHECKED, "train": TRAIN, "test": TEST, "level": "clinical", "generator_version": GENERATOR_VERSION}
    settings["rates"] = {"hedged": HEDGED, "hedged and absent": HEDGED_ABSENT, "normal reports from a macro": MACRO, "misspelt": MISSPELT}
    verdict = {f"no violation, {name}": not any(own.values()) for name, own in wrong.items()} | {
        f"every AUROC above .95, {kind}, {name}": min(each["findings"].values()) > 0.95
        for kind, own in read.items()
        for name, each in own.items()
    }
    record = head(settings, f"generator {GENERATOR_VERSION}", [SEED], begun) | settings
    record |= {"open_i": "compared" if path else "not at hand: its columns are left out", "negation": NEGATION.pattern}
    record |= {
        "violations": wrong,
        "corpora": rows,
        "overlap": overlap,
        "labels read from words": read,
        "questions": asked(checked),
        "verdict": verdict,
    }
    record |= {"distance": distance(rows, overlap)}
    write(NAME, record)
    for part in ("violations", "corpora", "overlap", "labels read from words", "questions", "verdict"):
        print(part, *(f"  {name}: {value}" for name, value in record[part].items()), sep="\n")
    print(record["open_i"], record["distance"], sep="\n")


if __name__ == "__main__":
    main()
