"""What the application registers when it starts is what was found in the monolith's code.

A definition that is kept but no longer imported is missed by no page and no query, until a row is
deleted without its cascade. So everything that registers itself is compared.
"""

from __future__ import annotations

import json
import os
import unittest

from alone import MANIFEST, Alone


def plain(relationship):
    """`Model.name(all)` with its cascades written out, as SQLAlchemy knows them."""
    name, _, cascades = relationship.rstrip(")").partition("(")
    found = set(cascades.split(",")) - {"", "none"}
    if "all" in found:
        found |= {"save-update", "merge", "refresh-expire", "expunge", "delete"}
    return name, frozenset(found - {"all"})


class Registry(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        service = Alone()
        cls.addClassCleanup(service.stop)
        service.run("-m", "servicekit.migrate")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "registered.py")
        cls.found = json.loads(service.run(script).splitlines()[-1])
        cls.expected = MANIFEST["registry"]

    def test_tables(self):
        self.assertEqual(set(), set(self.expected["tables"]) - set(self.found["tables"]))

    def test_relationships_and_their_cascades(self):
        found = {plain(each) for each in self.found["relationships"]}
        self.assertEqual(set(), {plain(each) for each in self.expected["relationships"]} - found)

    def test_hooks(self):
        self.assertEqual(set(), set(self.expected["hooks"]) - set(self.found["hooks"]))

    def test_own_routes(self):
        found = {(endpoint, rule): set(methods) for endpoint, rule, methods in self.found["rules"]}
        for endpoint, route in MANIFEST["routes"].items():
            for rule in route["rules"]:
                self.assertLessEqual(
                    set(rule["methods"]), found.get((endpoint, rule["rule"]), set()), rule
                )

    def test_routes_of_siblings_can_be_linked_to(self):
        found = {endpoint for endpoint, _, _ in self.found["rules"]}
        self.assertEqual(set(), set(MANIFEST["foreign_routes"]) - found)


if __name__ == "__main__":
    unittest.main()
