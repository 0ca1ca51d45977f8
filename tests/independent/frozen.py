#!/usr/bin/env python3
"""What frozen files give (tests/frozen), by this verifier: the sessions of every version's bundles and logs, to the
byte of their states.   python3 tests/independent/frozen.py"""
import hashlib
import json
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from verify import Bundle, Log, State, gunzip

ROOT = pathlib.Path(__file__).parent.parent / "frozen"


def told(log):
    state = hashlib.sha256(State(log).json()).hexdigest()
    return {"head": log.head, "withheld": log.withheld, "state_sha256": state}


class Frozen(unittest.TestCase):
    def each_version(self):
        versions = json.loads((ROOT / "frozen.json").read_text())
        self.assertTrue(versions, "nothing was ever frozen")
        for version in versions:
            with self.subTest(version):
                yield ROOT / version, json.loads((ROOT / version / "manifest.json").read_text())["reads"]

    def same(self, log, expected):
        self.assertIsNone(log.fault)
        self.assertEqual(told(log), {name: expected[name] for name in told(log)})

    def test_the_sessions_of_bundles_are_read(self):
        for folder, reads in self.each_version():
            for key, expected in reads["bundles"].items():
                sessions = Bundle((folder / "bundles" / key).read_bytes()).sessions
                self.assertEqual(sorted(sessions), sorted(expected["sessions"]))
                for name, log in sessions.items():
                    self.same(log, expected["sessions"][name])

    def test_logs_and_archives_are_read(self):
        for folder, reads in self.each_version():
            logs = {}
            for path in sorted((folder / "store").glob("*.jsonl.gz")):
                logs[path.name.removesuffix(".gz")] = gunzip(path.read_bytes())
            for path in sorted((folder / "store").glob("*.jsonl")):
                if not path.name.endswith(".trace.jsonl"):
                    logs[path.name] = logs.get(path.name, b"") + path.read_bytes()
            self.assertGreater(len(logs), 5)
            for data in logs.values():
                log = Log(data)
                self.same(log, reads["store"][log.session])
                self.assertEqual(log.torn, reads["store"][log.session]["torn"])


if __name__ == "__main__":
    unittest.main()
