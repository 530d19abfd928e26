"""Verbs that run a command of the user's: what stands after the first `--`."""

from __future__ import annotations

import click


class WithCommand(click.Command):
    """Keeps what stands after the first `--` as `ctx.meta["command"]`, a list of arguments."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta["command"] = []
        if "--" in args:
            at = args.index("--")
            ctx.meta["command"] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "-- CMD..."]
