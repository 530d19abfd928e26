"""The service starts in an empty folder, is ready, and keeps to what it owns."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import unittest

from alone import MANIFEST, Alone


class Running(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Alone()
        cls.addClassCleanup(cls.service.stop)
        cls.service.run("-m", "servicekit.migrate")
        gunicorn = ("-m", "gunicorn.app.wsgiapp", "-c", "python:servicekit.gunicorn_conf")
        cls.web, cls.calls, cls.feed = cls.service.start(
            (*gunicorn, "servicekit.wsgi:application"),
            (*gunicorn, "servicekit.calls_server:application"),
            ("-m", "servicekit.feed"),
        )

    def database(self, name):
        connection = sqlite3.connect(os.path.join(self.service.environment["SERVICE_DATA"], name))
        self.addCleanup(connection.close)
        return connection

    def test_migrating_again_changes_nothing(self):
        before = list(self.database("service.db").iterdump())
        self.service.run("-m", "servicekit.migrate")
        self.assertEqual(before, list(self.database("service.db").iterdump()))

    def test_every_process_is_ready(self):
        for address in (self.web, self.calls, self.feed):
            deadline = time.monotonic() + 30
            status, body = self.service.get(address + "/_service/ready")
            while status != 200 and time.monotonic() < deadline:
                time.sleep(0.2)
                status, body = self.service.get(address + "/_service/ready")
            self.assertEqual(status, 200, body)

    def test_every_process_shows_its_metrics(self):
        for address in (self.web, self.calls, self.feed):
            self.assertEqual(self.service.get(address + "/_service/metrics")[0], 200)

    def test_the_feed_wants_a_credential(self):
        self.assertEqual(self.service.get(self.feed + "/feed/head")[0], 401)

    def test_the_owned_tables_are_there_and_no_table_of_a_sibling(self):
        rows = self.database("service.db").execute("SELECT name FROM sqlite_master")
        found = {name for (name,) in rows}
        self.assertLessEqual(set(MANIFEST["tables"]), found)
        self.assertFalse(found & set(MANIFEST["replicas"]))

    def test_a_write_to_a_replica_is_refused_and_names_the_owner(self):
        connection = self.database("replicas.db")
        for table, replica in MANIFEST["replicas"].items():
            with self.assertRaises(sqlite3.Error) as refused:
                connection.execute('INSERT INTO "%s" DEFAULT VALUES' % table.replace('"', '""'))
            self.assertIn(table, str(refused.exception))
            self.assertIn(replica["owner"], str(refused.exception))

    def test_routes_of_siblings_are_not_answered_here(self):
        checked = 0
        for endpoint, route in MANIFEST["foreign_routes"].items():
            for rule in route["rules"]:
                if "<" in rule["rule"] or "GET" not in rule["methods"]:
                    continue
                status, body = self.service.get(self.web + rule["rule"])
                self.assertEqual(status, 421, (endpoint, body))
                self.assertEqual(json.loads(body)["service"], route["service"])
                checked += 1
        self.assertTrue(checked or not MANIFEST["foreign_routes"] or self.only_with_arguments())

    @staticmethod
    def only_with_arguments():
        rules = [r for route in MANIFEST["foreign_routes"].values() for r in route["rules"]]
        return all("<" in rule["rule"] or "GET" not in rule["methods"] for rule in rules)


if __name__ == "__main__":
    unittest.main()
