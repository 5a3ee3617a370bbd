"""What the simulated reports speak of: findings, signs, anatomy and devices, their words, and how they hang together."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import yaml

Kind = Literal["finding", "sign", "disease", "anatomy", "device"]
Relation = Literal["is_a", "located_in", "seen_as", "may_accompany"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)


@dataclass(frozen=True)
class Concept:
    """One row of the concept table."""

    name: str
    kind: Kind
    description: str
    label: str = ""  # of FINDINGS; "" where no label speaks of it
    synonyms: tuple[str, ...] = ()
    denials: tuple[str, ...] = ()  # words that say it is absent: "normal in size"
    takes: tuple[str, ...] = ()  # attributes it can have


@dataclass(frozen=True)
class Edge:
    """`source` stands in `relation` to `target`: an effusion is_a pleural abnormality."""

    source: str
    relation: Relation
    target: str


@dataclass(frozen=True)
class Graph:
    """A knowledge graph: concepts, and typed edges between their names."""

    nodes: tuple[Concept, ...]
    edges: tuple[Edge, ...]

    def node_rows(self) -> list[dict[str, Any]]:
        """One row a concept; lists of words are joined by semicolons."""
        return [
            {name: "; ".join(value) if isinstance(value, tuple) else value for name, value in asdict(node).items()} for node in self.nodes
        ]

    def edge_rows(self) -> list[dict[str, str]]:
        """One row an edge: source, relation, target."""
        return [asdict(edge) for edge in self.edges]


def concept(name: str, row: dict[str, Any]) -> Concept:
    """A concept from its row of the file; lists become tuples."""
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return Concept(name, **fields)


@cache
def knowledge_graph() -> Graph:
    """The concepts of the reports and their parents, and the edges between them."""
    table = yaml.safe_load((Path(__file__).parent / "concepts.yaml").read_text())
    edges = [Edge(name, relation, target) for name, row in table.items() for relation in RELATIONS for target in row.pop(relation, [])]
    nodes = [concept(name, row) for name, row in table.items()]
    return Graph(tuple(nodes), tuple(edges))


@cache
def concepts() -> Mapping[str, Concept]:
    """The concept table by name."""
    return MappingProxyType({node.name: node for node in knowledge_graph().nodes})


@cache
def concept_of() -> Mapping[str, Concept]:
    """Every word or phrase of the table, in lower case, and its concept."""
    return MappingProxyType({words: node for node in concepts().values() for words in (*node.synonyms, *node.denials)})
