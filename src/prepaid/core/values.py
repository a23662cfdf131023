"""Values: what the core takes, decides on, and gives back."""

from msgspec import Struct


class Value(Struct, frozen=True, gc=False):
    """Something that is what its fields say, and never changes.

    A struct and not a frozen dataclass, since each charge makes a dozen of them: one takes a tenth
    of the time to make. The garbage collector need not look at them: what never changes can't
    come to hold itself.
    """
