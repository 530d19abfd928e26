"""Switches of the gateway: what NGINX is told, what it is not told, and what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.model.errors import ConfigurationError, OperationError
from migrator.operation.routes import (
    Switch,
    checked,
    in_words,
    placeholders,
    read_switches,
    write_switches,
)


def test_nothing_is_switched_for_a_service_that_answers_all_of_its_reads() -> None:
    told = placeholders({"billing": Switch()}, "rest")
    assert set(told.values()) == {""}


def test_the_share_of_the_service_comes_first_whoever_is_named() -> None:
    for switch in (Switch(percent=30), Switch(to="remainder", percent=70)):
        told = placeholders({"billing": switch}, "rest")
        assert "{ 30.00% billing; * rest; }" in told["GATEWAY_SPLITS"]
        assert "$share_of_billing;" in told["GATEWAY_SIDES"]


def test_testers_go_to_the_named_side_and_only_the_named_methods() -> None:
    switch = Switch(percent=0, header="X-Try", value="1", methods=["GET"])
    told = placeholders({"billing": switch}, "rest")
    assert told["GATEWAY_SPLITS"] == (
        'map $http_x_try $side_of_billing { default rest; "1" billing; }'
    )
    assert '"~^billing:(?:GET):' in told["GATEWAY_SIDES"]
    assert "X-Try: 1 billing" in in_words("billing", switch, "rest")


def test_copies_are_made_of_reads_that_change_nothing() -> None:
    told = placeholders({"billing": Switch(copied_to="127.0.0.1:9")}, "rest")
    assert told["GATEWAY_MIRRORED"] == '"billing:GET:plain" 127.0.0.1:9;'
    assert told["GATEWAY_MIRROR"].startswith("mirror ")


@pytest.mark.parametrize(
    ("switch", "said"),
    [
        (Switch(methods=["POST"]), "POST cannot be routed"),
        (Switch(percent=12.345), "no percentage"),
        (Switch(header="X Try", value="1"), "no header's name"),
        (Switch(header="X-Try"), "cannot be told apart"),
        (Switch(header="X-Try", value='1"; }'), "cannot be told apart"),
        (Switch(cookie="a-b"), "cannot be read by NGINX"),
    ],
)
def test_what_nginx_cannot_do_is_refused(switch: Switch, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        checked(switch)


def test_switches_are_kept_and_copies_are_not(tmp_path: Path) -> None:
    file = tmp_path / "routes.json"
    assert read_switches(file, ["billing"]) == {}
    switches = {
        "billing": Switch(percent=5, copied_to="127.0.0.1:9"),
        "gone": Switch(to="remainder"),
    }
    write_switches(file, switches)
    assert read_switches(file, ["billing"]) == {"billing": Switch(percent=5)}
    file.write_text("{")
    with pytest.raises(OperationError, match="cannot be read"):
        read_switches(file, ["billing"])
