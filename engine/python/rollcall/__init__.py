"""Who is alive on this host, and on others: members, observers and views of rollcall's shared memory.

    import rollcall

    with rollcall.Member("worker-1", tags={"role": "worker"}) as me:
        while do_work():
            me.beat() or me.rejoin()

    for event in rollcall.Observer():
        print(event.kind, event.node, event.reason)

Durations are seconds. Instants are those of time.monotonic(). Whatever goes wrong raises Error, whose ``kind`` is for programs. Objects may be
used by any thread, one after the other; beat() by any number at once. After a fork a child has no member: its copy of its parent's answers
``Beat.not_mine``, and it makes one of its own.
"""
from __future__ import annotations

from ._members import Beat, Error, Guard, Member
from ._observers import Event, Evidence, Info, Observer, Peer, PeerEvidence, Stall, View
from ._rollcall import version as _version

__all__ = ["Beat", "Error", "Event", "Evidence", "Guard", "Info", "Member", "Observer", "Peer", "PeerEvidence", "Stall", "View", "__version__"]
__version__ = _version()
