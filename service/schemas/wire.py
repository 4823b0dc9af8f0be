"""What all wire types have in common."""

from msgspec import Struct


class Wire(Struct, gc=False):
    """A tree of values, in which nothing refers back: the collector need not look at it.

    A thousand streams decode so many of them that it would take a sixth of their CPU time.
    """
