"""The whole of generation on a tiny monolith: what is written, is it valid, what stops it."""

from __future__ import annotations

import compileall
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import bakery
import msgspec
import pytest
from ruamel.yaml import YAML

from migrator.facts.version import engine
from migrator.generation.deployment import service_files
from migrator.generation.generate import Generated, generate
from migrator.generation.readme import system_readme
from migrator.model.errors import ConfigurationError, PlanError, Refusals
from migrator.model.graph import Graph
from migrator.model.manifest import ServiceManifest, System
from migrator.model.plan import Folder, Origin, Plan, Service
from migrator.model.program import EntryPoint
from migrator.model.schema import Schema, SchemaObject
from migrator.model.settings import Settings
from migrator.plan.consequences.front_end import default_service
from migrator.plan.store import load, save

BIN = Path(sys.executable).parent


def generated(
    output: Path,
    plan: Plan | None = None,
    schema: Schema | None = None,
    graph: Graph | None = None,
) -> Generated:
    return generate(
        graph or bakery.graph(),
        plan or bakery.plan(),
        bakery.SETTINGS,
        output,
        schema=schema or bakery.schema(),
        installed=bakery.installed(),
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    return generated(tmp_path_factory.mktemp("generated") / "services")


@pytest.fixture(scope="module")
def output(told: Generated) -> Path:
    return Path(told.output)


def check(*command: object) -> None:
    done = subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def yaml(path: Path) -> dict[str, dict[str, dict[str, object]]]:
    loaded: dict[str, dict[str, dict[str, object]]] = YAML(typ="safe").load(path)
    return loaded


def test_the_figures_are_those_of_what_was_written(output: Path, told: Generated) -> None:
    baking, people = told.services
    assert (baking.name, people.name) == ("baking", "people")
    assert (baking.tables, baking.routes, baking.replicas, baking.calls) == (1, 2, 1, 1)
    assert (people.tables, people.routes, people.replicas, people.calls) == (1, 2, 0, 0)
    written = [p for p in (output / "baking").rglob("*") if p.is_file()]
    assert baking.files == len(written)
    assert 0 < people.lines < told.monolith_lines


def test_system_and_manifests_can_be_read_back(output: Path) -> None:
    system = msgspec.json.decode((output / "system.json").read_bytes(), type=System)
    assert system.services == ["baking", "people"]
    assert system.default_service in system.services
    assert (system.monolith, system.program_digest) == (str(bakery.ROOT), "bakery")
    text = (output / "baking" / "service.json").read_bytes()
    baking = msgspec.json.decode(text, type=ServiceManifest)
    assert baking.replicas["regulars"].owner == "people"
    assert baking.calls["bakery.regulars.stamp"].raises == ["bakery.regulars.TooManyStamps"]
    assert baking.routes["cakes.bake"].depends_on == ["people"]
    assert "bakery.models.Regular" in baking.copied_functions
    origin = json.loads((output / "baking" / "origin.json").read_text())
    stamp = next(each for each in origin if each["name"] == "bakery.regulars.stamp")
    assert (stamp["file"], stamp["rewritten"]) == ("bakery/regulars.py", True)


def test_generating_twice_gives_the_same_bytes(output: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    generated(again)
    for path in sorted(output.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(output)).read_bytes(), path


def test_a_file_that_came_over_unchanged_keeps_its_time(output: Path) -> None:
    file = "bakery/extensions.py"
    copy, original = output / "people" / "src" / file, bakery.ROOT / file
    assert copy.read_bytes() == original.read_bytes()
    assert copy.stat().st_mtime == pytest.approx(original.stat().st_mtime, abs=1e-3)


def test_generated_code_compiles_and_has_no_error(output: Path) -> None:
    check(BIN / "ruff", "check", "--isolated", "--no-cache", "--select", "E9,F", output)
    assert compileall.compile_dir(output, quiet=1, force=True)
    for cache in output.rglob("__pycache__"):
        for file in cache.iterdir():
            file.unlink()
        cache.rmdir()


def test_nothing_generated_is_left_to_be_done(output: Path) -> None:
    for path in output.rglob("*"):
        if path.is_file() and "src" not in path.parts:
            text = path.read_text()
            assert not re.search(r"\b(TODO|FIXME|NotImplemented\w*)\b|\{\{|\{%", text), path


def test_dockerfiles_are_valid(output: Path) -> None:
    files = [*output.glob("*/Dockerfile")]
    assert len(files) == 3
    check(BIN / "hadolint", *files)


def with_folder(**folders: Folder) -> Plan:
    """The bakery's plan, its two services using one folder."""
    plan = bakery.plan()
    for name, folder in folders.items():
        plan.services[name].folders["orders/notes"] = folder
    return plan


def test_a_folder_is_a_volume_that_others_only_read(tmp_path: Path) -> None:
    first, second = sorted(bakery.plan().services)
    plan = with_folder(**{first: Folder(owner=first, writes=True), second: Folder(owner=first)})
    output = Path(generated(tmp_path / "services", plan).output)
    check(
        BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", output / "compose.yaml"
    )
    compose = yaml(output / "compose.yaml")
    volume = f"{first}-orders-notes:/service/src/orders/notes"
    assert volume in compose["services"][f"{first}-web"]["volumes"]  # type: ignore[operator]
    assert f"{volume}:ro" in compose["services"][f"{second}-web"]["volumes"]  # type: ignore[operator]
    assert "/service/src/orders/notes" in (output / second / "Dockerfile").read_text()
    assert "src/orders/notes" in (output / second / ".dockerignore").read_text()
    manifest = json.loads((output / second / "service.json").read_bytes())
    assert manifest["folders"]["orders/notes"]["places"] == ["src/orders/notes"]


def test_an_index_that_two_services_would_write_is_refused(tmp_path: Path) -> None:
    index = {
        name: Folder(owner=name, kind="index", writes=True, at="bakery/app.py:3")
        for name in bakery.plan().services
    }
    with pytest.raises(Refusals, match="would both write the index in orders/notes") as refused:
        generated(tmp_path / "services", with_folder(**index))
    assert "give its tables to one service" in refused.value.problems[0].hint


def test_messages_are_handled_where_their_connection_leads(tmp_path: Path) -> None:
    plan, graph = bakery.plan(), bakery.graph()
    default = default_service(graph.program, plan)
    (other,) = set(plan.services) - {default}
    entry = EntryPoint(name="message:ring", kind="message", handler="", file="app.py", line=3)
    graph.program.entry_points["message:ring"] = entry
    plan.services[other].entry_points.append("message:ring")
    with pytest.raises(Refusals, match=f"{other} would handle message:ring") as refused:
        generated(tmp_path / "services", plan, graph=graph)
    assert str(refused.value.problems[0].place) == "app.py:3"
    assert default in refused.value.problems[0].hint


def test_compose_file_and_workflows_are_valid(output: Path) -> None:
    tool = BIN / "check-jsonschema"
    check(tool, "--builtin-schema", "vendor.compose-spec", output / "compose.yaml")
    flows = list(output.glob("*/.github/workflows/ci.yml"))
    assert len(flows) == 2
    check(tool, "--builtin-schema", "vendor.github-workflows", *flows)


def test_contracts_are_valid_openapi(output: Path) -> None:
    contracts = list(output.glob("*/contracts/openapi.yaml"))
    assert len(contracts) == 2
    check(BIN / "openapi-spec-validator", *contracts)
    people = yaml(output / "people" / "contracts" / "openapi.yaml")
    assert sorted(people["paths"]) == [
        "/calls/bakery.regulars.stamp",
        "/regulars/",
        "/regulars/{id}",
    ]
    served = people["paths"]["/calls/bakery.regulars.stamp"]["post"]
    assert served["summary"] == "bakery.regulars.stamp(regular: Regular, count)"
    assert "TooManyStamps" in served["description"]
    shown = people["paths"]["/regulars/{id}"]["get"]
    assert shown["parameters"][0]["schema"] == {"type": "integer"}


def test_no_container_sees_a_volume_or_database_of_a_sibling(output: Path) -> None:
    compose = yaml(output / "compose.yaml")
    processes = {name: each for name, each in compose["services"].items() if name != "gateway"}
    assert len(processes) == 6
    for name, process in processes.items():
        own = name.partition("-")[0]
        other = {"baking": "people", "people": "baking"}[own]
        assert process["volumes"] == [f"{own}-data:/data"]
        assert process["build"] == f"./{own}"
        environment = dict(process["environment"])
        assert sorted(json.loads(environment.pop("SERVICE_PEERS"))) == [other]
        assert other not in json.dumps(environment)
        assert environment["OVEN"].startswith("${OVEN:?")
        assert environment["FLOUR"] == "${FLOUR:-/data}"


def test_requirements_name_what_is_imported_and_nothing_of_the_machine(output: Path) -> None:
    text = (output / "baking" / "requirements.txt").read_text()
    assert "flask-sqlalchemy==" in text
    assert "pytest" not in text
    assert "/" not in text


def test_a_service_passes_its_own_tests_alone(output: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("SERVICE_")
    }
    done = subprocess.run(
        [sys.executable, "-m", "unittest", "discover", "--start-directory", "tests"],
        cwd=output / "baking",
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Ran 13 tests" in done.stderr


def test_own_tests_of_a_service_notice_a_model_that_is_no_longer_imported(
    output: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "services"
    generated(copy)
    models = copy / "people" / "src" / "bakery" / "models.py"
    models.write_text(models.read_text().replace('backref="cakes"', 'backref="tarts"'))
    done = subprocess.run(
        [sys.executable, "-m", "unittest", "test_registry"],
        cwd=copy / "people" / "tests",
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 1
    assert "FAIL: test_relationships_and_their_cascades" in done.stderr
    assert "Regular.cakes" in done.stderr


def test_readmes_say_what_is_owned_and_who_is_asked(output: Path) -> None:
    text = (output / "baking" / "README.md").read_text()
    for words in (
        "Bakes cakes: with icing.",
        "`cakes`",
        "runs `bakery.regulars.stamp` for us",
        "cakes (regular_id) -> regulars (id) of people",
        "```mermaid",
        "/cakes/",
    ):
        assert words in text
    assert "\n\n\n" not in text
    people = (output / "people" / "README.md").read_text()
    relying = people.partition("Who relies on it")[2].partition("##")[0]
    assert "baking" in relying and "`bakery.regulars.stamp`" in relying
    system = (output / "README.md").read_text()
    assert "\n\n\n" not in system
    # Calls that are waited for, and what is sent later, are counted apart.
    (row,) = [line for line in system.splitlines() if line.startswith("| [baking]")]
    assert row.endswith("| 1 | 0 |")


def test_a_function_that_the_plan_decides_once_is_generated_so(tmp_path: Path) -> None:
    stamp = "bakery.regulars.stamp"
    plan = bakery.plan()
    plan.remedies[stamp] = "defer"
    save(plan, tmp_path / "plan.yaml")
    generated(tmp_path / "out", load(tmp_path / "plan.yaml"))
    service = tmp_path / "out" / "baking"
    manifest = msgspec.json.decode((service / "service.json").read_bytes(), type=ServiceManifest)
    assert manifest.calls[stamp].remedy == "defer"
    assert f"- runs `{stamp}` for us later: nothing waits" in (service / "README.md").read_text()
    assert "'503'" not in (service / "contracts" / "openapi.yaml").read_text()


def test_what_a_deployment_has_to_be_given_stands_in_the_command() -> None:
    plain = ServiceManifest(name="baking", application="bakery:app")
    oven = msgspec.structs.replace(plain, environment={"OVEN_URL": "http://x:{port:oven}"})
    text = system_readme([oven], bakery.plan(), "baking", 10)
    assert "and\n`OVEN_URL` the address of an outside system:\n" in text
    assert "    OVEN_URL=... SERVICE_CREDENTIAL=$(openssl" in text
    without = system_readme([plain], bakery.plan(), "baking", 10)
    assert "outside system" not in without and "    SERVICE_CREDENTIAL=$(" in without


def test_a_stale_plan_writes_nothing(tmp_path: Path) -> None:
    plan = bakery.plan()
    before = {"route:cakes.bake": "changed since"}
    plan.made_from = Origin(program="older", engine=engine(), entry_points=before)
    with pytest.raises(PlanError, match=r"stale.*cakes\.bake") as error:
        generated(tmp_path / "out", plan)
    assert error.value.exit_code == 2
    assert "migrator check" in error.value.hint
    assert not (tmp_path / "out").exists()


def test_everything_that_is_refused_is_named_at_once_and_nothing_written(tmp_path: Path) -> None:
    plan = bakery.plan()
    trigger = SchemaObject(
        type="trigger",
        name="tally",
        table="cakes",
        sql="CREATE TRIGGER tally AFTER INSERT ON cakes BEGIN DELETE FROM regulars; END",
    )
    view = SchemaObject(
        type="view",
        name="every",
        table="every",
        sql="CREATE VIEW every AS SELECT * FROM cakes, regulars",
    )
    schema = Schema(objects=(*bakery.schema().objects, trigger, view))
    with pytest.raises(Refusals) as error:
        generated(tmp_path / "out", plan, schema)
    messages = [problem.message for problem in error.value.problems]
    assert [message.split()[:2] for message in messages] == [
        ["trigger", "tally"],
        ["view", "every"],
    ]
    assert error.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["gateway", "ba-king", "ba_king"])
def test_names_that_would_collide_are_refused(tmp_path: Path, name: str) -> None:
    plan = bakery.plan()
    plan.services[name] = plan.services.pop("people")
    if name != "gateway":
        plan.services[{"ba-king": "ba_king", "ba_king": "ba-king"}[name]] = Service()
    with pytest.raises(PlanError, match=r"has the name of|gateway cannot be the name"):
        generated(tmp_path / "out", plan)
    assert list(tmp_path.iterdir()) == []


def test_a_schema_without_a_table_of_the_plan_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="'cakes' of service 'baking'") as error:
        generated(tmp_path / "out", schema=Schema())
    assert error.value.exit_code == 2


def test_without_settings_there_is_nothing_to_go_by(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        generate(
            bakery.graph(),
            bakery.plan(),
            Settings(),
            tmp_path / "out",
            schema=bakery.schema(),
            installed=bakery.installed(),
        )
    assert "migrator init" in error.value.hint


def test_a_folder_of_somebody_else_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(ConfigurationError):
        generated(tmp_path, plan=Plan(services={}))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_application_without_sqlalchemy_is_refused(tmp_path: Path) -> None:
    installed = bakery.installed()
    others = [each for each in installed.distributions if each.name.lower() != "sqlalchemy"]
    with pytest.raises(Refusals) as refused:
        generate(
            bakery.graph(),
            bakery.plan(),
            bakery.SETTINGS,
            tmp_path / "services",
            schema=bakery.schema(),
            installed=msgspec.structs.replace(installed, distributions=others),
        )
    (told,) = [each for each in refused.value.problems if "SQLAlchemy" in each.message]
    assert told.place is not None and "migrator check" in told.hint


def test_settings_that_are_kept_out_of_git_are_kept_out_of_the_service_s_too(output: Path) -> None:
    text = (output / "baking" / "service.json").read_bytes()
    manifest = msgspec.json.decode(text, type=ServiceManifest)
    shown = service_files(manifest, bakery.installed())[".gitignore"]
    kept = service_files(manifest, bakery.installed(), ["bakery/local.py"])[".gitignore"]
    assert kept == f"{shown}/src/bakery/local.py\n"
