"""Members: what a program is to the others."""
from __future__ import annotations

import enum
from types import TracebackType
from typing import Callable, Mapping, Optional, Type

from . import _rollcall


class Error(Exception):
    """What went wrong, in one line; ``kind`` is one of invalid, no_cluster, no_engine, held, full, refused, replaced, unknown_node, incompatible,
    damaged, timeout, busy, system."""

    kind: str

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[Type[Error], tuple[str, str]]:
        return Error, (self.kind, str(self))


class Beat(enum.Enum):
    """What a beat answers. True where there is nothing to do: ``me.beat() or me.rejoin()``."""

    counted = 0
    unobserved = 1  #: it stands, but no engine has looked for the suspect timeout: go on beating
    superseded = 2  #: the memory was replaced: rejoin()
    evicted = 3  #: the slot is free, dead or somebody else's: rejoin()
    damaged = 4  #: the word is not what it must be: rejoin()
    replaced = 5  #: another life of this node has taken over: end
    not_mine = 6  #: a forked child's copy of its parent's member: make one of your own
    stalled = 7  #: did not beat, because a guard's budget is over: go on; rejoin() waits for it too

    def __bool__(self) -> bool:
        return self is Beat.counted or self is Beat.unobserved


_rollcall.meet(Error, list(Beat))


class Guard(_rollcall.Guard):
    """Beats tied to progress: see Member.guard()."""

    progress: Callable[[], None]  #: The budget begins anew. Means nothing after the guard's end.

    def __init__(self, member: Member, budget: float, name: str = "") -> None:
        super().__init__(member, budget, name)
        self.progress = self.bound_progress()

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.end()


class Member(_rollcall.Member):
    """One life of a node in this process, kept alive by beats. Joins when it is made, leaves at the end of its ``with`` block or with its object.

    ``wait``: go on trying so long while there is no engine, or the id is held. ``replace``: take the id from a living holder.
    Raises Error: no_cluster, no_engine, held, full, refused, invalid, incompatible, timeout.
    """

    beat: Callable[[], Beat]  #: A sign of life: one atomic instruction. True where there is nothing to do.

    def __init__(self, node: str, *, cluster: str = "default", endpoint: str = "", tags: Optional[Mapping[str, str]] = None, dir: str = "", wait: float = 0.0, replace: bool = False) -> None:
        super().__init__(node, cluster, endpoint, list((tags or {}).items()), dir, wait, replace)
        self.beat = self.bound_beat()

    def set_tags(self, tags: Mapping[str, str]) -> None:  # type: ignore[override]
        """Replaces all tags."""
        super().set_tags(list(tags.items()))

    def guard(self, budget: float, name: str = "") -> Guard:
        """From now on this member beats only while progress is made: the guard must end, or its progress() be called, within ``budget`` seconds.
        While it is over, beats answer ``Beat.stalled``, silence is judged as always, and ``rollcall why`` shows ``name``.

            with me.guard(0.2, "write the journal"):
                write_journal()
        """
        return Guard(self, budget, name)

    def __enter__(self) -> Member:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        try:
            self.leave()
        except Error:  # nobody heard it: silence will tell. An error of the block matters more than that
            pass
