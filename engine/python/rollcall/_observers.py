"""Observers and views: what a program sees of the others."""
from __future__ import annotations

import asyncio
import os
import time
from typing import AsyncIterator, Dict, Iterator, Mapping, NamedTuple, Optional, Protocol, TypedDict

from . import _rollcall
from ._members import Error

_SLICE = 0.1  # a signal is heard after this long
_LOOK_FOR_ANOTHER = 1.0  # whether the memory was replaced, which no descriptor tells


class Evidence(NamedTuple):
    """What the detector saw when it judged, in seconds. Durations that were not involved are 0."""

    age: float  #: of the last beat
    lost: float  #: how much of that age nobody was observing
    late: float  #: how long after the threshold the detector looked
    suspect_timeout: float
    dead_timeout: float
    exit_code: Optional[int]  #: how the process ended, where it is known
    signal: Optional[int]


class Event(NamedTuple):
    """One entry of the stream. ``gap``: this observer missed ``from_sequence`` to ``sequence``."""

    kind: str  #: joined, suspect, recovered, dead, evicted, left, updated, paused, gap, host_joined ...
    node: str  #: of an event of a host, the host
    state: str  #: of the peer after it: alive, suspect, dead; none once it is gone
    reason: str  #: silence, process_exit, goodbye ...
    host: str  #: "": this one
    sequence: int  #: no number is ever left out: a gap says so
    from_sequence: int
    stream: int  #: the unbroken series that the sequence belongs to
    view: int  #: number of the membership after it
    incarnation: int
    epoch: int
    at: float  #: when it was judged, by time.monotonic()
    wall: float  #: the same for show, by time.time()
    length: float  #: of ``paused``
    evidence: Evidence


class PeerEvidence(TypedDict):
    age: float
    lost: float
    late: float
    suspect_timeout: float
    dead_timeout: float
    exit_code: Optional[int]
    signal: Optional[int]


class Stall(TypedDict):
    """The guard that holds a member back."""

    guard: str
    since: float
    budget: float


class Peer(TypedDict):
    """A node as it is seen."""

    node: str
    endpoint: str
    host: str
    tags: Dict[str, str]
    state: str
    reason: str
    since: float
    last_heartbeat: Optional[float]
    incarnation: int
    slot: int
    generation: int
    last_event: int
    pid: Optional[int]
    uid: int
    gid: int
    local: bool
    stall: Optional[Stall]
    evidence: PeerEvidence


class Info(TypedDict):
    """What the memory says of its engine, and the settings in force."""

    cluster: str
    node: str
    host: str
    engine_version: str
    stream: int
    view: int
    head: int
    epoch: int
    engine_pid: int
    capacity: int
    ring: int
    running: bool
    heartbeat: float
    suspect: float
    dead: float
    evict: float
    scan: float
    last_step: float
    peers_joined: int
    peers_suspected: int
    peers_dead: int
    peers_evicted: int
    peers_recovered: int
    peers_left: int


def _event(told: _rollcall.Told) -> Event:
    *fields, evidence = told
    return Event._make([*fields, Evidence._make(evidence)])


class _Readable(Protocol):
    def fileno(self) -> int: ...


async def _readable(source: _Readable, timeout: float) -> None:
    """Returns when there may be something to read, or time is over."""
    loop, descriptor = asyncio.get_running_loop(), source.fileno()
    told = asyncio.Event()
    loop.add_reader(descriptor, told.set)
    try:
        await asyncio.wait_for(told.wait(), timeout)
    except asyncio.TimeoutError:
        pass
    finally:
        loop.remove_reader(descriptor)
    try:
        os.read(descriptor, 8)
    except BlockingIOError:
        pass


def _slices(timeout: Optional[float]) -> Iterator[float]:
    """How long to wait next, until ``timeout`` is over."""
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        left = _SLICE if end is None else end - time.monotonic()
        yield min(max(left, 0.0), _SLICE)
        if left <= 0:
            return


class Observer:
    """Reads a cluster's memory and its events without asking anybody, and without being able to disturb anybody. A dead engine's memory is readable,
    too; memory that was replaced is left for the new one, and what could not be seen is told by one gap.

    Iterate it, ``for`` or ``async for``, for every event from now on; ``after``: go on behind this sequence of ``stream`` (0: all that is still held).
    Raises Error: no_cluster, incompatible, damaged, refused.
    """

    def __init__(self, cluster: str = "default", *, dir: str = "", after: Optional[int] = None, stream: Optional[int] = None) -> None:
        self._where = (cluster, dir)
        self._seen = _rollcall.Observer(cluster, dir, after, stream)
        info = self._seen.info()
        self._after, self._stream = info["head"] if after is None else after, info["stream"] if stream is None else stream

    def snapshot(self) -> Dict[str, Peer]:
        """All peers at exactly one moment, by node; events go on behind it. Blocks nobody. Raises Error: busy, damaged."""
        return self._seen.snapshot()

    def find(self, node: str) -> Peer:
        """One peer. Raises Error: unknown_node, busy."""
        return self._seen.find(node)

    def info(self) -> Info:
        return self._seen.info()

    def poll(self) -> Optional[Event]:
        """The next event, if there is one."""
        told = self._seen.poll()
        if told is None and self._seen.is_stale():
            told = self._seen.poll() or self._attach_again()
        if told is None:
            return None
        event = _event(told)
        self._after, self._stream = event.sequence, event.stream
        return event

    def _attach_again(self) -> Optional[_rollcall.Told]:
        try:
            seen = _rollcall.Observer(*self._where, self._after, self._stream)
        except Error:
            return None  # not there yet
        self._seen = seen
        return seen.poll()

    def next(self, timeout: Optional[float] = None) -> Optional[Event]:
        """The next event, waited for; None: ``timeout`` seconds are over."""
        for slice in _slices(timeout):
            event = self.poll()
            if event is not None:
                return event
            if not self._seen.is_stale():
                self._seen.wait(slice)
            else:
                time.sleep(slice)
        return self.poll()

    def fileno(self) -> int:
        """A descriptor for select and epoll, readable when events may be waiting: read 8 bytes of it, then poll(). Another one after the memory
        was replaced. Costs a thread."""
        return self._seen.fileno()

    def __iter__(self) -> Iterator[Event]:
        while True:
            event = self.next()
            if event is not None:
                yield event

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            event = self.poll()
            if event is not None:
                yield event
            else:
                await _readable(self, _LOOK_FOR_ANOTHER)


class ViewEvents:
    """See View.events()."""

    def __init__(self, view: View, source: _rollcall.View) -> None:
        self._view, self._source = view, source

    def __iter__(self) -> Iterator[Event]:
        while True:
            event = self._view.next()
            if event is not None:
                yield event

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            event = self._view.next(0.0)
            if event is not None:
                yield event
            else:
                await _readable(self._source, _LOOK_FOR_ANOTHER)


class View(Mapping[str, Peer]):
    """The membership, kept up to date: a mapping of nodes to peers, which changes only where an event is taken from it.

        view = rollcall.View()
        for event in view.events():    # or: async for
            print(event.kind, event.node, len(view), "members")

    Raises Error: no_cluster, incompatible, damaged, refused.
    """

    def __init__(self, cluster: str = "default", *, dir: str = "") -> None:
        self._view = _rollcall.View(cluster, dir)

    def next(self, timeout: Optional[float] = None) -> Optional[Event]:
        """Takes the next event into the view; None: ``timeout`` seconds are over. Raises Error: busy; the next call tries again."""
        for slice in _slices(timeout):
            told = self._view.next(slice)
            if told is not None:
                return _event(told)
        return None

    def events(self) -> ViewEvents:
        """Every event from now on, each once it is in the view: for ``for`` and for ``async for``."""
        return ViewEvents(self, self._view)

    def peers(self) -> Dict[str, Peer]:
        """All of them, as a dict of its own."""
        return self._view.peers()

    @property
    def number(self) -> int:
        """Of the membership."""
        return self._view.number

    def __getitem__(self, node: str) -> Peer:
        try:
            return self._view.find(node)
        except Error as error:
            if error.kind == "unknown_node":
                raise KeyError(node) from None
            raise

    def __iter__(self) -> Iterator[str]:
        return iter(self._view.peers())

    def __len__(self) -> int:
        return len(self._view.peers())
