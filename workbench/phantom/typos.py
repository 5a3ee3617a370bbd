"""Misspelt sentences: two letters swapped, one dropped, or a word written twice; spans of mentions move with the text."""

import re

import numpy as np

from workbench.phantom.marks import Attribute, Entity
from workbench.phantom.report import Sentence

WORD = re.compile(r"(?<![\w.-])[A-Za-z]{5,}(?![\w-])")  # neither numbers nor their units
DOUBLED = 0.25  # share of typos that are a word written twice


def misspelt(sentence: Sentence, draw: np.random.Generator) -> Sentence:
    """The sentence with one typo; without a word of five letters, as it is."""
    words = list(WORD.finditer(sentence.text))
    if not words:
        return sentence
    word = words[int(draw.integers(len(words)))]
    place = word.start() + int(draw.integers(1, len(word[0]) - 2))  # neither the first letter nor the last two
    if draw.random() < DOUBLED:
        return replaced(sentence, word.end(), word.end(), f" {word[0].lower()}")
    one, two = sentence.text[place], sentence.text[place + 1]
    if one != two and draw.random() < 0.5:
        return replaced(sentence, place, place + 2, two + one)
    return replaced(sentence, place, place + 1, "")


def replaced(sentence: Sentence, start: int, end: int, by: str) -> Sentence:
    """The sentence with other characters from start to end; a mention that they are in has a typo."""
    text = sentence.text[:start] + by + sentence.text[end:]
    longer = len(by) - (end - start)

    def moved(place: int) -> int:
        return place + longer * (place > start)

    def attribute(own: Attribute) -> Attribute:
        first, last = moved(own.start), moved(own.end)
        return own._replace(start=first, end=last, words=text[first:last])

    def entity(own: Entity) -> Entity:
        hit = own.start < max(end, start + 1) and start < own.end
        attributes = tuple(attribute(each) for each in own.attributes)
        return own._replace(start=moved(own.start), end=moved(own.end), attributes=attributes, typo=hit)

    return sentence._replace(text=text, entities=tuple(entity(each) for each in sentence.entities))
