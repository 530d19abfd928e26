import copy
import math
from itertools import combinations, pairwise

from migrator.model.plan import Datastore
from migrator.report import service_map
from migrator.report.content import Link, ServiceView


def sketched(bare, names, links):
    content = copy.deepcopy(bare)
    content.services = [
        ServiceView(
            name=name, purpose="", remainder=False, order=1, tables=[], entry_points=1, routes=1,
            replicas=[], callers=[], datastore=Datastore(), maturity="", lines=0, share=0.0,
            blast_radius=0.1,
        )
        for name in names
    ]  # fmt: skip
    content.links = [Link(source=a, target=b, kind=kind, what=["x.y"]) for a, b, kind in links]
    return content


def overlap(a, b):
    return abs(a.x - b.x) < service_map.BOX_WIDTH and abs(a.y - b.y) < service_map.BOX_HEIGHT


def test_labels_stay_on_a_narrow_drawing(bare):
    names = [f"s{n}" for n in range(9)]
    links = [("s0", "s8", "call"), ("s1", "s8", "call"), ("s0", "s7", "call")]
    drawing = service_map.narrow(sketched(bare, names, links))
    labels = [arrow for arrow in drawing.arrows if arrow.label]
    assert len(labels) == 3
    for arrow in labels:
        assert arrow.x + len(arrow.label) * 7 / 2 <= drawing.width


def test_what_a_box_says_fits_it(bare):
    content = sketched(bare, ["big"], [])
    content.services[0].entry_points = 1128
    content.services[0].tables = [f"t{n}" for n in range(84)]
    (box,) = service_map.wide(content).boxes
    assert box.lines[0] == "1128 entries, 84 tables"


def test_no_two_services_overlap_and_all_are_inside(bare):
    for count in (1, 2, 3, 8, 15, 40):
        names = [f"s{n}" for n in range(count)]
        links = [(a, b, "call") for a, b in pairwise(names)]
        for draw in (service_map.wide, service_map.narrow):
            drawing = draw(sketched(bare, names, links))
            assert len(drawing.boxes) == count
            assert not [pair for pair in combinations(drawing.boxes, 2) if overlap(*pair)]
            for box in drawing.boxes:
                assert (
                    service_map.BOX_WIDTH / 2 <= box.x <= drawing.width - service_map.BOX_WIDTH / 2
                )
                assert (
                    service_map.BOX_HEIGHT / 2
                    <= box.y
                    <= drawing.height - service_map.BOX_HEIGHT / 2
                )


def test_those_that_call_each_other_stand_beside_each_other(bare):
    names = ["a", "b", "c", "d", "e"]
    drawing = service_map.wide(sketched(bare, names, [("a", "d", "call"), ("b", "e", "call")]))
    at = {box.name: (box.x, box.y) for box in drawing.boxes}
    nearest = sorted(math.dist(at["a"], at[name]) for name in names)[2]
    assert math.dist(at["a"], at["d"]) <= nearest


def test_one_that_all_call_stands_in_the_middle(bare):
    names = [f"s{n}" for n in range(8)]
    links = [(name, "s3", "call") for name in names if name != "s3"]
    drawing = service_map.wide(sketched(bare, names, links))
    (hub,) = [box for box in drawing.boxes if box.name == "s3"]
    assert (hub.x, hub.y) == (drawing.width / 2, drawing.height / 2)


def test_many_calls_have_no_labels_until_one_end_is_chosen(bare):
    names = [f"s{n}" for n in range(8)]
    every = [(a, b, "call") for a in names for b in names if a != b]
    assert service_map.wide(sketched(bare, names, every)).dense
    assert not service_map.wide(sketched(bare, names, every[:5])).dense


def test_of_many_calls_the_heaviest_are_seen_first(bare):
    names = [f"s{n}" for n in range(8)]
    content = sketched(bare, names, [(a, b, "call") for a in names for b in names if a != b])
    for link in content.links[:5]:
        link.what.extend(["x.z", "x.w"])
    few = sorted({each.count for each in service_map.wide(content).arrows if each.faint})
    assert few == []  # the rest weigh the same, so that none is preferred
    for link in content.links[5:20]:
        link.what.append("x.z")
    drawing = service_map.wide(content)
    assert {each.count for each in drawing.arrows if each.faint} == {1}
    assert {each.count for each in drawing.arrows if not each.faint} == {2, 3}


def test_labels_of_calls_do_not_lie_on_each_other(bare):
    names = [f"s{n}" for n in range(8)]
    links = [(name, "s3", "call") for name in names if name != "s3"]
    links += [("s3", name, "call") for name in ("s0", "s1", "s2")]
    content = sketched(bare, names, [])
    content.links = [Link(source=a, target=b, kind=k, what=["x.y"] * 44) for a, b, k in links]
    drawing = service_map.wide(content)
    labels = [arrow for arrow in drawing.arrows if arrow.label]
    assert len(labels) == len(links)
    for a, b in combinations(labels, 2):
        assert abs(a.x - b.x) >= 7 * len(a.label) or abs(a.y - b.y) >= 14, (a, b)
