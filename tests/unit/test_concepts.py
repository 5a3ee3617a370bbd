"""The concept table and the knowledge graph: used, connected, without a circle."""

import re
from graphlib import TopologicalSorter

from workbench.phantom import FINDINGS
from workbench.phantom.concepts import RELATIONS, concept_of, concepts, knowledge_graph
from workbench.phantom.report import grammar, prompts
from workbench.phantom.speech import phrases

ROOTS = {"abnormality": ("finding", "sign", "disease"), "structure": ("anatomy",), "support device": ("device",)}


def below(name):
    """Everything that is_a `name`, over any number of edges."""
    found = {name}
    while more := {edge.source for edge in knowledge_graph().edges if edge.relation == "is_a" and edge.target in found} - found:
        found |= more
    return found


def test_edges_join_nodes_and_is_a_has_no_circle():
    graph = knowledge_graph()
    assert {edge.relation for edge in graph.edges} == set(RELATIONS)
    assert {end for edge in graph.edges for end in (edge.source, edge.target)} == set(concepts()) and len(set(graph.edges)) == len(
        graph.edges
    )
    for relation in ("is_a", "located_in"):
        order = TopologicalSorter(
            {name: [e.target for e in graph.edges if e.source == name and e.relation == relation] for name in concepts()}
        )
        assert len(list(order.static_order())) == len(concepts())  # a circle raises


def test_every_concept_is_below_the_root_of_its_kind():
    for root, kinds in ROOTS.items():
        assert below(root) == {name for name, node in concepts().items() if node.kind in kinds}
    labels = {node.label for root in ROOTS for node in map(concepts().get, below(root))}
    assert labels == {*FINDINGS, ""}


def test_places_are_anatomy_and_every_finding_has_one():
    graph = knowledge_graph()
    for edge in graph.edges:
        source, target = concepts()[edge.source], concepts()[edge.target]
        assert edge.relation != "located_in" or target.kind == "anatomy"
        assert edge.relation != "seen_as" or (source.kind in ("finding", "disease") and target.kind in ("finding", "sign"))
        assert edge.relation != "may_accompany" or "anatomy" not in (source.kind, target.kind)
    placed = {edge.source for edge in graph.edges if edge.relation == "located_in"}
    inherited = {name for place in placed for name in below(place)}
    assert {node.name for node in concepts().values() if node.label} <= inherited


def test_unmentioned_concepts_are_parents_or_places():
    targets = {edge.target for edge in knowledge_graph().edges if edge.relation in ("is_a", "located_in")}
    assert {node.name for node in concepts().values() if not node.synonyms} <= targets


def test_a_word_has_one_concept_and_a_concept_a_description():
    assert sum(len(node.synonyms) + len(node.denials) for node in concepts().values()) == len(concept_of())
    named = set(re.findall(r"\[([a-z ]+):", f"{grammar()} {phrases()}")) | {
        "side",
        "amount",
        "degree",
        "density",
        "zone",
        "height",
    }
    for node in concepts().values():
        assert node.description.endswith(".") and 20 < len(node.description) < 200 and set(node.takes) <= named, node.name
    bank = {sentence for sides in prompts().values() for options in sides.values() for sentence in options}
    assert not bank & {node.description for node in concepts().values()}


def test_the_graph_is_rows():
    graph = knowledge_graph()
    nodes, edges = graph.node_rows(), graph.edge_rows()
    assert len(nodes) == len(graph.nodes) and len(edges) == len(graph.edges)
    assert all(isinstance(value, str) for row in (*nodes, *edges) for value in row.values())
    assert {"source": "pneumothorax", "relation": "seen_as", "target": "pleural line"} in edges
    assert next(row for row in nodes if row["name"] == "pulmonary nodule")["synonyms"].startswith(
        "pulmonary nodule; nodule; nodular opacity; "
    )
