"""The kinds of findings: what a plan says to its reader beside its services."""

from __future__ import annotations

from typing import Literal, NamedTuple

LEFT_OUT = "left-out"
SPLIT = "split-transaction"
DECISION = "decision"
SHARED_STATE = "shared-state"
SHARED_FOLDER = "shared-folder"
NEW_CROSSING = "new-crossing"
STALE = "stale"
GIANT = "giant-service"
CROSS_CUTTING = "cross-cutting"
CUT_KEY = "cut-foreign-key"
IDLE = "idle-service"
GOD_TABLE = "god-table"
GOD_CLASS = "god-class"
MATURITY = "uneven-maturity"


class Kind(NamedTuple):
    """What findings of one kind are about, and how serious they are."""

    level: Literal["error", "warning", "note"]
    title: str


KINDS = {
    SPLIT: Kind("error", "A transaction writes tables of several services"),
    NEW_CROSSING: Kind("error", "The code crosses a boundary where the plan knows of no crossing"),
    STALE: Kind("error", "What the plan relies on has changed in the code"),
    "wrong-plan": Kind("error", "The plan contradicts itself or the code"),
    DECISION: Kind("warning", "A crossing that somebody has to decide on"),
    GIANT: Kind("warning", "A service that has most of the application"),
    CROSS_CUTTING: Kind("warning", "A function that writes from everywhere splits transactions"),
    CUT_KEY: Kind("warning", "A foreign key that no database enforces any more"),
    IDLE: Kind("warning", "A service that answers nothing"),
    GOD_TABLE: Kind("warning", "A table that most services write"),
    GOD_CLASS: Kind("note", "A class of which several services keep parts that share nothing"),
    MATURITY: Kind("warning", "Code of very different maturity in one service"),
    SHARED_FOLDER: Kind("warning", "A folder of files that several services use"),
    SHARED_STATE: Kind("note", "State that several services would each have for themselves"),
    LEFT_OUT: Kind("note", "An entry point that no service gets"),
}
"""Every kind of finding."""
