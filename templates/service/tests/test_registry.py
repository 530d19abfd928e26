"""What the application registers when it starts is what the monolith has of it.

Both are asked by registered.py: the monolith was when this service was generated. A definition
that is kept but no longer imported is missed by no page and no query, until a row is deleted
without its cascade. So everything that registers itself is compared.
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
        answer = os.path.join(service.folder.name, "registered.json")
        service.run(script, answer)
        with open(answer, encoding="utf-8") as stream:
            cls.found = json.load(stream)
        cls.expected = MANIFEST["registry"]

    def test_tables(self):
        self.assertEqual(set(), set(self.expected["tables"]) - set(self.found["tables"]))

    def test_relationships_and_their_cascades(self):
        found = {
            plain("%s.%s" % (each["name"].rpartition(".")[2], relationship))
            for each in self.found["classes"]
            for relationship in each["relationships"]
        }
        self.assertEqual(set(), {plain(each) for each in self.expected["relationships"]} - found)

    def test_hooks(self):
        self.assertEqual(set(), set(self.expected["hooks"]) - set(self.found["held"]))

    def test_hooks_error_handlers_and_filters_of_the_whole_application(self):
        found = set(self.found["application_wide"])
        self.assertEqual(set(), set(self.expected["application_wide"]) - found)

    def test_own_routes(self):
        found = {(each["endpoint"], each["rule"]): each["methods"] for each in self.found["rules"]}
        for endpoint, route in MANIFEST["routes"].items():
            for rule in route["rules"]:
                if "%s %s" % (endpoint, rule["rule"]) in self.expected["rules"]:
                    methods = set(found.get((endpoint, rule["rule"]), ()))
                    self.assertLessEqual(set(rule["methods"]), methods, rule)

    def test_routes_of_siblings_can_be_linked_to(self):
        found = {each["endpoint"] for each in self.found["rules"]}
        self.assertEqual(set(), set(MANIFEST["foreign_routes"]) - found)


if __name__ == "__main__":
    unittest.main()
