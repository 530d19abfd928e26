from migrator.model.plan import Crossing, Plan, Service
from migrator.model.program import Program
from migrator.plan.findings.decisions import decisions


def crossing(function: str, owner: str, *tables: str) -> Crossing:
    at = [f"shop/{owner}.py:7"]
    return Crossing(function=function, owner=owner, remedy="saga", tables=list(tables), at=at)


def test_a_function_is_decided_on_once_whoever_runs_it() -> None:
    plan = Plan(
        services={
            "orders": Service(
                calls=[crossing("shop.log", "mail", "letters"), crossing("shop.pay", "money")]
            ),
            "stock": Service(
                calls=[
                    crossing("shop.log", "mail", "letters", "notes"),
                    crossing("shop.log", "money", "bills"),
                ]
            ),
        }
    )
    found = {each.subject: each for each in decisions(Program(), plan)}
    assert len(found) == len(decisions(Program(), plan)) == 2
    assert found["shop.log"].message.startswith(
        "orders and stock write letters and notes of mail and bills of money: "
    )
    assert found["shop.log"].at == "shop/mail.py:7"
    assert found["shop.pay"].message.startswith("orders writes")
