# coding: latin-1
# The orchard of Schönbrunn.

from . import views  # noqa
