"""State and leases across processes."""

from __future__ import annotations

import subprocess
import time

from two_services import Service, eventually

COUNT = """
from servicekit.state import SharedDict, SharedList, SharedSet
counts = SharedDict("counts", {"a": 1})
names, queue = SharedSet("names"), SharedList("queue")
for number in range(50):
    counts.update_item("a", lambda value: value + 1)
    names.add(number)
    queue.append(number)
print(len(counts), counts["a"], len(names), len(queue))
"""
BEHAVE = """
from servicekit.state import RequestDict, SharedDict, SharedList, SharedSet
from servicekit import scope
d = SharedDict("d", {"limit": 1, ("t", 1): [2]})
assert d["limit"] == 1 and d.get("x") is None and "x" not in d and d[("t", 1)] == [2]
d["x"] = {"y": 1}
assert list(d) == ["limit", ("t", 1), "x"] and d.setdefault("x", 5) == {"y": 1}
assert d.pop("x") == {"y": 1} and d.pop("x", 7) == 7 and len(d) == 2
d.update(a=1); d["a"] += 1; assert d["a"] == 2 and dict(d)["a"] == 2
del d["a"]
try: d["a"]
except KeyError: pass
else: raise AssertionError
assert SharedDict("d", {"limit": 99})["limit"] == 1, "initial content is stored once"
n = SharedDict("n", default_factory=list); assert n["k"] == [] and "k" in n
l = SharedList("l", ["a", "b"]); l.append("c"); l.insert(0, "z"); l[1] = "A"
assert list(l) == ["z", "A", "b", "c"] and l.pop(0) == "z" and l.pop() == "c" and l[-1] == "b"
l.append("d"); del l[0]; assert l == ["b", "d"] and len(l) == 2; l.extend("xy")
assert l[2:] == ["x", "y"]
s = SharedSet("s", [1]); s.add(2); s.discard(1); assert s == {2} and s | {3} == {2, 3}
s.update([4], [5]); s.remove(4); assert sorted(s) == [2, 5]
import threading; lock = threading.Lock()
d["lock"] = lock; assert d["lock"] is lock is d.get("lock") and "lock" in d and "lock" in list(d)
assert "lock" not in SharedDict("d") and len(d) == len(SharedDict("d")) + 1
d["lock"] = 5; assert SharedDict("d")["lock"] == 5; d["lock"] = lock
assert SharedDict("d").get("lock") is None and d.setdefault("lock") is lock is d.pop("lock")
d["lock"] = lock; del d["lock"]; assert "lock" not in d; d["lock"] = lock
d.clear(); assert not d and len(l) == 4
r = RequestDict("r", {"a": 1})
with scope.unit(scope.Scope("one")): r["b"] = 2
with scope.unit(scope.Scope("two")): assert dict(r) == {"a": 1}
import json
said = {"d": SharedDict("j", {"k": [1]}), "l": l, "r": r}
assert json.dumps(said) == '{"d": {"k": [1]}, "l": ["b", "d", "x", "y"], "r": {"a": 1}}'
assert json.loads(json.dumps(said, indent=1, default=str))["d"] == {"k": [1]}
try: json.dumps(s)
except TypeError: pass
else: raise AssertionError("a set is none that JSON knows")
print("ok")
"""
LEASE = """
import sys, time
from servicekit.lease import only_one
def loop():
    print("mine", flush=True)
    time.sleep(60)
result = only_one("loop", loop, wait=sys.argv[1] == "wait")()
print("skipped", result)
"""


def test_they_behave_as_what_they_stand_for(service: Service) -> None:
    done = service.run("-c", BEHAVE)
    assert done.stdout == "ok\n", done.stderr


AT_ONCE = """
import subprocess, sys
from servicekit.state import SharedDict, at_once
GIVEN = "from servicekit.state import SharedDict; given = SharedDict('given', {'a': 1}); "
def others(command="print(sorted(given.items()))"):
    asked = [sys.executable, "-c", GIVEN + command]
    return subprocess.run(asked, capture_output=True, text=True).stdout
given = SharedDict("given", {"a": 1})
print(others(), end="")
with at_once():
    given.clear()
    given["b"] = 2
    print(sorted(given.items()), others(), end="")
print(others(), end="")
with at_once():
    given.clear()
    others("given.update(c=3)")
    given["b"] = 2
print(others(), end="")
"""


def test_others_see_what_a_start_changes_all_at_once(service: Service) -> None:
    """What is emptied and filled again with the same takes nothing of what others did away."""
    given = service.run("-c", AT_ONCE).stdout.splitlines()
    assert given == [
        "[('a', 1)]",
        "[('b', 2)] [('a', 1)]",
        "[('b', 2)]",
        "[('b', 2), ('c', 3)]",
    ]


def test_several_processes_count_in_one_dictionary(service: Service) -> None:
    started = [start(service, "-c", COUNT) for _ in range(4)]
    outputs = [process.communicate(timeout=60)[0] for process in started]
    assert service.run("-c", COUNT).stdout == "1 251 50 250\n", outputs


def test_a_lease_goes_on_at_once_when_its_holder_is_killed(service: Service) -> None:
    first = start(service, "-c", LEASE, "wait")
    assert first.stdout is not None and first.stdout.readline() == "mine\n"
    second = start(service, "-c", LEASE, "wait")
    assert service.run("-c", LEASE, "skip").stdout == "skipped None\n"
    time.sleep(0.3)
    assert second.poll() is None
    first.kill()
    killed = time.time()
    assert second.stdout is not None and second.stdout.readline() == "mine\n"
    assert time.time() - killed < 2
    second.kill()
    first.wait()
    second.wait()


MOVABLE = """#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python' "$0" "$@"
' '''
print("script of its own folder")
"""


def test_a_worker_of_the_monolith_runs_alone_with_current_replicas(service: Service) -> None:
    """`servicekit.run` takes modules, scripts and options, and passes the exit code on."""
    done = service.run("-m", "servicekit.run", "python", "-c", "import sys; sys.exit(7)")
    assert done.returncode == 7
    done = service.run("-m", "servicekit.run", "--only-one", "x", "flask", "--version")
    assert done.returncode == 0 and "Flask" in done.stdout, done.stderr
    assert service.run("-m", "servicekit.run", "nowhere").returncode == 1
    moved = service.folder / "src" / "script"
    moved.write_text(MOVABLE)
    moved.chmod(0o755)
    assert service.run("-m", "servicekit.run", "./script").stdout == "script of its own folder\n"
    eventually(lambda: service.rows("SELECT 1 FROM _feed"))


def start(service: Service, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [service.python, *arguments],
        cwd=service.folder / "src",
        env=service.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
