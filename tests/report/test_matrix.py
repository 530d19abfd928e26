import copy

from migrator.report.content import Dependency, ModuleView
from migrator.report.matrix import FIRST_ROWS, matrix


def leaves(made, number):
    node = made.nodes[number]
    return [number] if not node.children else [x for c in node.children for x in leaves(made, c)]


def test_every_module_is_in_one_place_and_nodes_cover_what_is_below_them(content):
    made = matrix(content)
    assert sorted(made.modules) == sorted(module.name for module in content.modules)
    found = [leaf for root in made.roots for leaf in leaves(made, root)]
    assert [made.nodes[leaf].start for leaf in found] == list(range(len(made.modules)))
    for node in made.nodes:
        if node.children:
            assert node.start == made.nodes[node.children[0]].start
            assert node.end == made.nodes[node.children[-1]].end


def test_services_come_first_and_dependencies_keep_their_ends(content):
    made = matrix(content)
    services = [made.nodes[root].label for root in made.roots if made.nodes[root].service]
    homes = {module.home for module in content.modules}
    assert services == [s.name for s in content.services if s.name in homes]
    names = [module.name for module in content.modules]
    flat = made.dependencies
    pairs = {(made.modules[flat[o]], made.modules[flat[o + 1]]) for o in range(0, len(flat), 6)}
    assert pairs == {(names[d.source], names[d.target]) for d in content.dependencies}


def wide(count, content):
    content.services = []
    content.modules = [
        ModuleView(name=f"top.p{n:04}.m", file=f"top/p{n:04}/m.py", lines=1, home="", services=[])
        for n in range(count)
    ]
    content.dependencies = [
        Dependency(n, (n * 7) % count, 1, 1, 0, 1) for n in range(count) if n != n * 7 % count
    ]
    return content


def test_a_package_of_thousands_opens_in_portions(bare):
    made = matrix(wide(5000, copy.deepcopy(bare)))
    assert len(made.roots) <= FIRST_ROWS or len(made.roots) <= 40
    assert max(len(node.children) for node in made.nodes) <= 40
    assert sum(len(leaves(made, root)) for root in made.roots) == 5000
