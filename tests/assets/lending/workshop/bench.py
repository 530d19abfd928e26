from flask import Blueprint, current_app, jsonify, request

from toolshed.people import Refusal
from toolshed.storage import Session
from workshop import shelf

bench = Blueprint("bench", __name__)


def tool_or_refuse(key):
    tool = Session.get(shelf.Tool, key)
    if tool is None:
        raise Refusal(f"no tool {key}", status=404)
    return tool


@bench.route("", methods=["GET", "POST"])
def tools():
    if request.method == "POST":
        form = request.get_json()
        tool = shelf.put_up(form["name"], form["kind"], int(form.get("deposit_cents", 0)))
        current_app.logger.info("new tool %s", tool.id)
        return jsonify(shelf.describe(tool)), 201
    wanted = shelf.Tool.query.order_by(shelf.Tool.id)
    if "kind" in request.args:
        wanted = wanted.filter_by(kind=request.args["kind"])
    return jsonify([shelf.describe(tool) for tool in wanted])


@bench.get("/kinds")
def kinds():
    return jsonify(shelf.kinds())


@bench.route("/<int:key>", methods=["GET", "DELETE"])
def tool(key):
    one = tool_or_refuse(key)
    if request.method == "DELETE":
        if not one.on_shelf:
            raise shelf.NotOnShelf(f"{one.name} is not on the shelf")
        shelf.scrap(one)
        return "", 204
    return jsonify(shelf.describe(one))


@bench.post("/<int:key>/faults")
def fault(key):
    one = tool_or_refuse(key)
    shelf.report_fault(one, request.get_json()["fault"])
    return jsonify(dict(shelf.describe(one), repair=one.repairs[-1].id)), 201


@bench.post("/repairs/<int:key>/done")
def mended(key):
    repair = Session.get(shelf.Repair, key)
    if repair is None:
        raise Refusal(f"no repair {key}", status=404)
    shelf.mend(repair)
    return jsonify(shelf.describe(repair.tool))
