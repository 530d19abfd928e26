"""The one table of plug-ins: a new framework is a file beside this one, and a line here."""

from __future__ import annotations

from pathlib import Path

from migrator.graph.framework import Framework
from migrator.graph.frameworks.alchemical import Alchemical
from migrator.graph.frameworks.apiflask import ApiFlask
from migrator.graph.frameworks.argparse import Argparse
from migrator.graph.frameworks.blinker import Blinker
from migrator.graph.frameworks.celery import Celery
from migrator.graph.frameworks.click import Click
from migrator.graph.frameworks.connexion import Connexion
from migrator.graph.frameworks.dbapi import DatabaseApi
from migrator.graph.frameworks.file_extensions import FileExtensions
from migrator.graph.frameworks.files import Files
from migrator.graph.frameworks.flask import Flask
from migrator.graph.frameworks.flask_admin import FlaskAdmin
from migrator.graph.frameworks.flask_appbuilder import FlaskAppBuilder
from migrator.graph.frameworks.flask_bootstrap import FlaskBootstrap
from migrator.graph.frameworks.flask_caching import FlaskCaching
from migrator.graph.frameworks.flask_classful import FlaskClassful
from migrator.graph.frameworks.flask_limiter import FlaskLimiter
from migrator.graph.frameworks.flask_login import FlaskLogin
from migrator.graph.frameworks.flask_oauthlib import FlaskOAuthlib
from migrator.graph.frameworks.flask_restful import FlaskRestful
from migrator.graph.frameworks.flask_security import FlaskSecurity
from migrator.graph.frameworks.flask_smorest import FlaskSmorest
from migrator.graph.frameworks.flask_socketio import FlaskSocketIO
from migrator.graph.frameworks.flask_sqlalchemy import FlaskSQLAlchemy
from migrator.graph.frameworks.functools import Functools
from migrator.graph.frameworks.importing import Importing
from migrator.graph.frameworks.jinja import Jinja
from migrator.graph.frameworks.marshmallow import Marshmallow
from migrator.graph.frameworks.namedtuple import NamedTuples
from migrator.graph.frameworks.pluggy import Pluggy
from migrator.graph.frameworks.processes import Processes
from migrator.graph.frameworks.sql_files import SqlFiles
from migrator.graph.frameworks.sqlalchemy import SQLAlchemy
from migrator.graph.frameworks.sqlalchemy_continuum import SQLAlchemyContinuum
from migrator.graph.frameworks.sqlalchemy_helpers import SQLAlchemyHelpers
from migrator.graph.frameworks.strings import Strings
from migrator.graph.frameworks.systems import Systems
from migrator.graph.frameworks.threads import Threads
from migrator.graph.frameworks.werkzeug import Werkzeug
from migrator.graph.frameworks.wtforms import WTForms


def all_frameworks(root: Path | None = None) -> tuple[Framework, ...]:
    """A new object of every plug-in, in the order in which they are asked and finish.

    Templates are looked for below `root`.
    """
    flask, sqlalchemy, login = Flask(), SQLAlchemy(), FlaskLogin()
    marshmallow = Marshmallow(sqlalchemy)
    return (
        Functools(),
        Strings(),
        Importing(),
        FlaskSQLAlchemy(),
        Alchemical(),
        SQLAlchemyHelpers(sqlalchemy),
        FlaskOAuthlib(sqlalchemy),
        sqlalchemy,
        SQLAlchemyContinuum(sqlalchemy),
        flask,
        Jinja(root),
        FlaskRestful(flask),
        FlaskAdmin(flask, sqlalchemy),
        FlaskAppBuilder(flask, sqlalchemy),
        FlaskBootstrap(flask),
        Connexion(root, flask),
        FlaskClassful(flask),
        FlaskSecurity(sqlalchemy, login),
        login,
        FlaskCaching(),
        FlaskLimiter(),
        Werkzeug(),
        WTForms(),
        marshmallow,
        FlaskSmorest(flask, marshmallow),
        ApiFlask(flask, marshmallow, login),
        FlaskSocketIO(),
        Pluggy(),
        Click(),
        Argparse(),
        NamedTuples(),
        Celery(),
        Blinker(),
        DatabaseApi(),
        SqlFiles(root),
        Systems(),
        Files(),
        FileExtensions(),
        Threads(),
        Processes(),
    )
