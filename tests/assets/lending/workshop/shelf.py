"""What the shed holds, and what is broken."""
from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Text, func
from sqlalchemy.orm import relationship

from toolshed.people import Refusal
from toolshed.storage import Base, Session

_kinds = {}


class NotOnShelf(Refusal):
    """The tool is out, or being mended."""


class Tool(Base):
    __tablename__ = "tool"
    id = Column(Integer, primary_key=True)
    name = Column(String(80), nullable=False)
    kind = Column(String(20), nullable=False)
    deposit_cents = Column(Integer, nullable=False, default=0)
    on_shelf = Column(Boolean, nullable=False, default=True)
    repairs = relationship("Repair", back_populates="tool", cascade="all, delete-orphan")


class Repair(Base):
    __tablename__ = "repair"
    id = Column(Integer, primary_key=True)
    tool_id = Column(ForeignKey("tool.id"), nullable=False)
    fault = Column(Text, nullable=False)
    done = Column(Boolean, nullable=False, default=False)
    tool = relationship(Tool, back_populates="repairs")


def describe(tool):
    waiting = [repair.fault for repair in tool.repairs if not repair.done]
    return {"id": tool.id, "name": tool.name, "kind": tool.kind, "on_shelf": tool.on_shelf,
            "deposit": f"{tool.deposit_cents / 100:.2f}", "faults": waiting}


def kinds():
    """How many tools of each kind, counted once."""
    if not _kinds:
        counted = Session.query(Tool.kind, func.count()).group_by(Tool.kind).order_by(Tool.kind)
        _kinds.update((kind, number) for kind, number in counted)
    return dict(_kinds)


def put_up(name, kind, deposit_cents=0):
    tool = Tool(name=name, kind=kind, deposit_cents=deposit_cents)
    Session.add(tool)
    Session.commit()
    _kinds.clear()
    return tool


def scrap(tool):
    Session.delete(tool)
    Session.commit()
    _kinds.clear()


def take(tool_id):
    """Hand a tool over the counter."""
    tool = Session.get(Tool, tool_id)
    if tool is None:
        raise Refusal(f"no tool {tool_id}", status=404)
    if not tool.on_shelf:
        raise NotOnShelf(f"{tool.name} is not on the shelf")
    tool.on_shelf = False
    Session.commit()
    return tool


def put_back(tool_id):
    tool = Session.get(Tool, tool_id)
    tool.on_shelf = not any(not repair.done for repair in tool.repairs)
    Session.commit()
    return tool


def report_fault(tool, fault):
    tool.repairs.append(Repair(fault=fault))
    tool.on_shelf = False
    Session.commit()


def mend(repair):
    repair.done = True
    repair.tool.on_shelf = all(each.done for each in repair.tool.repairs)
    Session.commit()
