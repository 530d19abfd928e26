import copy
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import jsonschema
import pytest

from migrator.report.content import Content
from migrator.report.formats import FORMATS
from migrator.report.gather import gather
from migrator.report.schema import SCHEMA_FILE, schema

DOCUMENTS = ("html", "json", "markdown")


@pytest.mark.parametrize("form", DOCUMENTS)
def test_each_document_tells_of_services_crossings_and_proof(form, content: Content):
    text = FORMATS[form].render(content).replace("<wbr>", "")
    for word in (
        "people",
        "workshop",
        "put_back",
        "defer",
        "toolshed/desk.py:",
        "/tools",
        "GET /x",
        "2000 pairs",
        "shop.py:9",
        "independent",
        "take out loans",
    ):
        assert word.lower() in text.lower(), word


@pytest.mark.parametrize("form", DOCUMENTS)
def test_each_document_tells_of_an_analysis_alone(form, bare: Content):
    assert not FORMATS[form].of_plan
    assert "broken.py" in FORMATS[form].render(bare).replace("<wbr>", "")


def test_the_map_is_the_same_in_every_language(content: Content):
    pictures = {form: FORMATS[form].render(content) for form in ("mermaid", "dot", "c4")}
    for text in pictures.values():
        for word in ("loans", "bench", "people", "take", "put_back", "seen", "borrower"):
            assert word in text
    assert "==>" in pictures["mermaid"] and "-.->" in pictures["mermaid"]
    assert '"loans" -> "bench"' in pictures["dot"]
    assert pictures["dot"].count("{") == pictures["dot"].count("}")
    assert pictures["c4"].startswith('workspace "lending"')
    assert pictures["c4"].count("{") == pictures["c4"].count("}")
    assert 'softwareSystem "lending"' in pictures["c4"]


def test_sarif_holds_the_findings(content: Content):
    run = json.loads(FORMATS["sarif"].render(content))["runs"][0]
    assert len(run["results"]) == len(content.findings) > 0


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.addresses = []
        self.ids = set()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.add(given.get("id"))
        self.addresses += [given[k] for k in ("src", "href") if given.get(k)]


def test_the_page_needs_nothing_from_elsewhere_and_its_links_lead_somewhere(
    content: Content, bare: Content
):
    for each in (content, bare):
        page = Tags()
        page.feed(FORMATS["html"].render(each))
        assert page.addresses
        assert {
            a for a in page.addresses if not a.startswith("#") or a[1:] not in page.ids
        } == set()


def test_a_plan_that_does_not_split_is_told_in_words_and_not_drawn(graph, proposals):
    content = gather(graph, proposals["one-service"], None, "lending", proposals)
    page = FORMATS["html"].render(content)
    assert "A plan of 1 service for a monolith" in page
    assert "<svg" not in page and 'id="pairs"' not in page
    assert "One service has everything" in page and '<a href="#proposals">Proposals</a>' in page
    tags = Tags()
    tags.feed(page)
    assert {each for each in tags.addresses if each[1:] not in tags.ids} == set()


def test_what_the_plan_and_the_answers_say_is_text_and_no_markup(content: Content):
    content.services[0].purpose = "Owns <b>loans</b> & fees."
    page = FORMATS["html"].render(content)
    assert "Owns &lt;b&gt;loans&lt;/b&gt; &amp; fees." in page
    assert "&lt;500&gt;" in page and "<500>" not in page


def test_the_json_is_what_its_schema_says(content: Content, bare: Content):
    described = json.loads(SCHEMA_FILE.read_text())
    jsonschema.Draft202012Validator.check_schema(described)
    for each in (content, bare):
        told = json.loads(FORMATS["json"].render(each))
        jsonschema.validate(told, described)
        assert told["version"] == 1
    told["version"] = 2
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(told, described)


def test_the_schema_that_ships_is_that_of_the_program():
    assert SCHEMA_FILE.read_text() == schema(), (
        "run: python -m migrator.report.schema > migrator/report/report.schema.json, and raise"
        " VERSION when something that was there is gone or means something else"
    )


def test_a_plan_that_contradicts_the_code_is_told_of_as_it_is_written(graph, plan, proof):
    wrong = copy.deepcopy(plan)
    wrong.services["loans"].tables.append("nowhere")
    told = gather(graph, wrong, proof, "lending")
    assert any("nowhere" in line for line in told.stale)
    assert "nowhere" in FORMATS["html"].render(told)
    assert "do not agree" in FORMATS["markdown"].render(told)


ODD = 'tools "and" <more>\\ of; {them}'


@pytest.mark.skipif(not shutil.which("dot"), reason="needs Graphviz")
@pytest.mark.parametrize("name", ["lending", ODD])
def test_graphviz_draws_the_map(content: Content, name: str):
    told = copy.deepcopy(content)
    told.application = name
    drawn = subprocess.run(
        ["dot", "-Tsvg"],
        input=FORMATS["dot"].render(told),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert drawn.stdout.count('class="node"') == len(told.services)


def test_the_c4_model_names_everything_once(content: Content):
    """Structurizr refuses an element or a relationship that there is already."""
    told = copy.deepcopy(content)
    told.application = ODD
    text = FORMATS["c4"].render(told)
    quoted = r'"(?:[^"\\\n]|\\.)*"'
    for line in text.splitlines():
        assert '"' not in re.sub(quoted, "", line), line
    bare = re.sub(quoted, "", text)
    assert bare.count("{") == bare.count("}")
    elements = re.findall(r"^\s*(\w+) = (?:container|person|softwareSystem) ", text, re.M)
    assert len(elements) == len(set(elements)) >= 2 * len(told.services)
    related = re.findall(rf"^\s*(\w+) -> (\w+) ({quoted})", text, re.M)
    assert len(related) == len(set(related)) > len(told.services)
    assert {end for source, target, _ in related for end in (source, target)} <= set(elements)
