"""What ties tables together: each signal alone, where it has evidence and where it has none."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from monolith_sketch import sketch
from shop_sketch import SHOP

from migrator.facts.history import Commit, History
from migrator.model.errors import ConfigurationError
from migrator.model.program import Observed
from migrator.plan.evidence.evidence import Evidence, gather
from migrator.plan.partition.constraints import Constraints
from migrator.plan.propose import propose
from migrator.plan.signals.affinity import SIGNALS, measure

MEMBERS = "shop/members/models.py"
ORDERS = "shop/orders/models.py"
PAYMENTS = "shop/payments/models.py"
MAIL = "shop/mail/models.py"


def evidence(history: History | None = None, root: str = "") -> Evidence:
    found = gather(sketch(SHOP).program)
    found.program.root = root
    found.repository = SimpleNamespace(history=history or History(missing="no git"))  # type: ignore[assignment]
    return found


def commits(*groups: tuple[str, ...], author: str = "ann", times: int = 1) -> list[Commit]:
    return [Commit(author=author, when=n, files=g) for n in range(times) for g in groups]


def test_files_changed_together_tie_what_they_declare() -> None:
    history = History(
        commits=[
            *commits((ORDERS, PAYMENTS), times=30),
            *commits((MEMBERS, MAIL), times=2),
            *commits((*(f"f{n}.py" for n in range(40)), ORDERS, MAIL), times=9),
        ]
    )
    found = SIGNALS["co-change"].weigh(evidence(history))
    assert found["orders", "payments"] > found["letters", "members"] > 0
    assert ("letters", "orders") not in found


def test_a_handful_of_commits_says_nothing() -> None:
    few = evidence(History(commits=commits((ORDERS, PAYMENTS), times=3)))
    assert SIGNALS["co-change"].weigh(few) == {}
    assert "fewer than 20 commits" in measure(few).missing["co-change"]


def test_tables_of_the_same_authors_are_alike() -> None:
    history = History(
        commits=[
            *commits((ORDERS,), (PAYMENTS,), author="ann", times=5),
            *commits((MEMBERS,), (MAIL,), author="bea", times=5),
            *commits((ORDERS,), (PAYMENTS,), (MEMBERS,), (MAIL,), author="everywhere", times=5),
        ]
    )
    found = SIGNALS["authors"].weigh(evidence(history))
    assert found["orders", "payments"] == pytest.approx(1)
    assert ("members", "orders") not in found


def test_code_owners_come_before_authors(tmp_path: Path) -> None:
    (tmp_path / "CODEOWNERS").write_text("* @desk\n/shop/mail/ @post\n/shop/orders/ @post\n")
    history = History(commits=commits((ORDERS, PAYMENTS), times=30))
    found = SIGNALS["authors"].weigh(evidence(history, str(tmp_path)))
    # Not quite alike: code of one package reads tables of another.
    assert found["letters", "orders"] > 0.9
    assert found["letters", "orders"] > found.get(("orders", "payments"), 0)


def test_words_of_names_and_of_code_that_writes() -> None:
    graph = sketch(
        """
table gift_cards shop/models.py
table gift_codes shop/models.py
table parcels shop/models.py
    def shop.post.send_parcel()
      insert parcels
      commit
"""
    )
    found = SIGNALS["identifiers"].weigh(gather(graph.program))
    assert list(found) == [("gift_cards", "gift_codes")]


def test_what_was_seen_running_by_the_logarithm_of_how_often() -> None:
    found = evidence()
    for name, entry in found.entries.items():
        times = {"route:orders.show": 100, "route:members.show": 5}.get(name, 0)
        found.entries[name] = msgspec.structs.replace(
            entry, reads=tuple(msgspec.structs.replace(a, count=times) for a in entry.reads)
        )
    found.program.observed = Observed(digest="")
    weights = SIGNALS["observed"].weigh(found)
    assert weights["lines", "orders"] > weights["addresses", "members"] > 0
    assert not any("payments" in pair for pair in weights)


def test_missing_signals_are_left_out_and_said() -> None:
    missing = measure(evidence()).missing
    assert missing["co-change"] == "no git"
    assert missing["authors"] == "there is no CODEOWNERS, and no git"
    assert "migrator observe" in missing["observed"]
    assert "writes" not in missing


def test_a_weight_of_zero_switches_a_signal_off() -> None:
    found = measure(evidence(), {"packages": 0, "reads": 3})
    assert found.missing["packages"] == "its weight is 0"
    assert "packages" not in found.by_signal
    plain = measure(evidence())
    pair = ("lines", "orders")
    assert found.by_signal["reads"][pair] == pytest.approx(3 * plain.by_signal["reads"][pair])


def test_an_unknown_signal_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no signal packges") as error:
        measure(evidence(), {"packges": 1})
    assert error.value.hint == "did you mean packages?"


def test_weights_decide_a_proposal() -> None:
    only_keys = dict.fromkeys(SIGNALS, 0.0) | {"foreign-keys": 1.0}
    by_keys = propose(sketch(SHOP), Constraints(weights=only_keys, services=(3, 3)))
    assert by_keys.owner_of("payments") == by_keys.owner_of("refunds")
    assert by_keys.services.keys() != propose(sketch(SHOP)).services.keys()
