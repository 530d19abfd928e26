"""What the monolith has when it is imported as a server would: asked of itself, not predicted."""

from __future__ import annotations

import msgspec


class ServedRule(msgspec.Struct, frozen=True, kw_only=True):
    """One URL rule of the running application, and the code that answers it."""

    rule: str
    endpoint: str
    file: str
    """Absolute; empty where the code has no source."""
    line: int
    methods: list[str] = []
    """With HEAD and OPTIONS where the framework adds them."""
    description: str = ""
    """Of a page of a package: the OpenAPI or Swagger document that it answers with."""


class MappedClass(msgspec.Struct, frozen=True, kw_only=True):
    """One class that SQLAlchemy has mapped, its table, and where it is declared."""

    name: str
    table: str
    file: str
    """Absolute; empty where the class has no source."""
    line: int
    relationships: list[str] = []
    """`name(cascade,cascade)`, sorted; empty where the mappers do not fit together yet."""


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What an application has when it is imported."""

    rules: list[ServedRule] = []
    classes: list[MappedClass] = []
    held: list[str] = []
    """Dotted functions of the project that somebody else than their module holds on to."""
    random_settings: list[str] = []
    """Names of settings that each process draws for itself (`SECRET_KEY = os.urandom(24)`)."""
    opened: list[str] = []
    """Files of its own sources that it was ever seen to read, relative to their root."""
    application_wide: list[str] = []
    """`KIND FUNCTION` of the project's hooks, error handlers and filters for every request."""

    @property
    def descriptions(self) -> dict[str, str]:
        """Endpoints of packages that describe the whole API, and how they do.

        What a package would say of it in one service describes a part.
        """
        return {each.endpoint: each.description for each in self.rules if each.description}
