"""The page as people use it: in a real browser, from disk, by pointer and by keyboard."""

import copy
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from migrator.report.content import Content, Dependency, EntryView, ModuleView
from migrator.report.formats import FORMATS
from migrator.report.matrix import MOST_ROWS

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def file(content: Content, tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(content, tmp_path_factory)


def written(content: Content, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(FORMATS["html"].render(content), encoding="utf-8")
    return path.as_uri()


def opened(browser, address, size=DESK, scheme="light"):
    """A page, with the requests that it made and the errors that it had."""
    page = browser.new_page(viewport=size, color_scheme=scheme)
    page.asked, page.errors = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda said: page.errors.append(said.text) if said.type == "error" else None)
    page.goto(address)
    return page


def test_it_opens_from_disk_and_asks_nothing_of_a_network(browser, file):
    page = opened(browser, file)
    assert page.title() == "lending: services"
    assert (page.asked, page.errors) == ([file], [])
    assert page.locator("#map .broad .service").count() == 3
    assert page.locator("#matrix-grid tbody tr").count() >= 3


def test_the_sections_come_in_the_order_in_which_they_are_asked_for(browser, file):
    page = opened(browser, file)
    found = page.eval_on_selector_all("main section", "all => all.map(each => each.id)")
    assert found[:4] == ["map", "pairs", "matrix", "services"]
    links = page.eval_on_selector_all("nav a", "all => all.map(each => each.hash.slice(1))")
    assert set(links) <= set(found)


def test_a_table_is_filtered_by_words_and_by_column(browser, file):
    page = opened(browser, file)
    rows = page.locator("#crossings tbody tr:visible")
    assert rows.count() == 5
    page.get_by_label("Filter crossings").fill("put_back")
    assert rows.count() == 1
    page.get_by_label("Filter crossings").fill("from:loans remedy:defer")
    assert rows.count() == 2
    assert page.locator("#crossings output").inner_text() == "2 of 5 rows"
    page.get_by_label("Filter crossings").fill("")
    page.locator("#crossings th button", has_text="Function").click()
    names = page.eval_on_selector_all(
        "#crossings tbody tr", "all => all.map(row => row.cells[3].textContent.trim())"
    )
    assert names == sorted(names)


def test_links_lead_from_one_table_to_what_belongs_to_it_in_another(browser, file):
    page = opened(browser, file)
    page.get_by_label("Evidence: loans needs bench").click()
    assert page.locator("#crossings tbody tr:visible").count() == 2
    page.locator("#crossings tbody a", has_text="bench").first.click()
    assert page.locator("#service-bench").get_attribute("open") is not None
    page.locator("#service-bench a", has_text="Its entry points").click()
    services = page.locator("#entries tbody tr:visible td:first-child").all_inner_texts()
    assert set(services) == {"bench"}


def test_a_service_on_the_map_shows_what_it_is_tied_to(browser, file):
    page = opened(browser, file)
    page.locator(".broad .service[data-name=bench]").focus()
    lit = page.locator(".broad .link.lit")
    ends = lit.evaluate_all("all => all.map(l => [l.dataset.source, l.dataset.target])")
    assert ends and all("bench" in pair for pair in ends)
    page.get_by_label("sends a deferred command").uncheck()
    assert page.locator(".broad .link.defer").first.is_hidden()


def test_the_matrix_is_used_by_keyboard(browser, file):
    page = opened(browser, file)
    rows = page.locator("#matrix-grid tbody tr").count()
    first = page.locator("#matrix-grid tbody button").first
    first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#matrix-grid tbody tr").count() > rows
    assert first.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Enter")
    assert page.locator("#matrix-grid tbody tr").count() == rows
    place = page.locator("#matrix-grid td.some").first
    row, column = place.evaluate("cell => [cell.parentNode.sectionRowIndex, cell.cellIndex]")
    for key, times in (("Home", 1), ("ArrowDown", row), ("ArrowRight", column)):
        for _ in range(times):
            page.keyboard.press(key)
    page.keyboard.press("Enter")
    said = page.locator("#matrix-detail").inner_text()
    assert " uses " in said and ".py:" in said
    assert page.locator("#matrix-grid [tabindex='0']").count() == 1


def test_the_cells_say_how_many_places_there_are(browser, file, content):
    page = opened(browser, file)
    homes = [module.home for module in content.modules]
    counted: dict[tuple[str, str], int] = {}
    for each in content.dependencies:
        ends = homes[each.source], homes[each.target]
        counted[ends] = counted.get(ends, 0) + each.imports + each.calls + each.inherits
    titles = page.eval_on_selector_all("#matrix-grid td.some", "all => all.map(e => e.title)")
    for (source, target), count in counted.items():
        if source and target and source != target:
            said = f"service {source} uses service {target}: {count} place"
            assert any(title.startswith(said) for title in titles), said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_serious(browser, file, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = opened(browser, file, size, scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    page.locator("#matrix-grid tbody button").first.click()
    page.locator("#matrix-grid td.some").first.click()
    found = axe.run(page).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in serious] == []


def test_nothing_is_wider_than_a_phone(browser, file):
    page = opened(browser, file, PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.evaluate(
        "document.querySelector('#crossings tbody td').textContent = 'a_long_name'.repeat(9)"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.locator(".narrow svg").is_visible()
    assert page.locator(".broad svg").is_hidden()


def test_without_scripts_everything_but_the_matrix_is_there(browser, file):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(file)
    assert page.locator("#crossings tbody tr:visible").count() == 5
    assert "drawn by a script" in page.locator("#matrix-grid").inner_text()


def enormous(content: Content, modules: int = 14_000) -> Content:
    """What the graph of a million lines comes to."""
    made = copy.deepcopy(content)
    homes = [service.name for service in content.services]
    made.modules = [
        ModuleView(
            name=f"house.components.device_{number // 8:05}.platform_{number % 8}",
            file=f"house/components/device_{number // 8:05}/platform_{number % 8}.py",
            lines=70,
            home=homes[number % len(homes)] if number % 3 else "",
            services=homes if number % 5 else [],
        )
        for number in range(modules)
    ]
    made.dependencies = [
        Dependency(source, target, 1, step, 0, 12)
        for source in range(modules)
        for step in range(8)
        for target in [(source * (step + 3) + 17 * step) % modules]
        if target != source
    ]
    made.entry_points = [
        EntryView(
            name=f"desk.view_{number}", kind="route", service=homes[number % len(homes)],
            address=f"GET /views/{number}", reads=["tool"], writes=["loan"],
            waits_for=[], added_ms=0.3, place=f"house/views.py:{number}",
        )
        for number in range(4_000)
    ]  # fmt: skip
    return made


def test_a_million_lines_stay_small_and_open_in_part(browser, content, tmp_path_factory):
    address = written(enormous(content), tmp_path_factory)
    assert Path(urlsplit(address).path).stat().st_size < 15_000_000
    page = opened(browser, address)
    assert page.errors == []
    for number in range(6):
        closed = page.locator("#matrix-grid button[aria-expanded=false]")
        closed.nth(min(number, closed.count() - 1)).click()
        assert page.locator("#matrix-grid tbody tr:not(.opened)").count() <= MOST_ROWS
    assert page.locator("#entries tbody tr:visible").count() == 50
    page.locator("#entries button.more").click()
    assert page.locator("#entries tbody tr:visible").count() == 4_000


def test_long_names_in_the_roadmap_fit_a_phone(browser, content, tmp_path_factory):
    told = copy.deepcopy(content)
    told.roadmap[1].commands.append("decide on " + "application.module" * 9)
    page = opened(browser, written(told, tmp_path_factory))
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
