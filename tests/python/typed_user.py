"""Not run: what a type checker must understand of the package. `assert_type` fails where a hint is wrong or missing."""
from typing import Callable, Dict, Optional

from typing_extensions import assert_type

import rollcall


def member(me: rollcall.Member) -> None:
    assert_type(me.beat(), rollcall.Beat)
    assert_type(me.beat, Callable[[], rollcall.Beat])
    assert_type(me.incarnation, int)
    with me.guard(0.5, "work") as guard:
        assert_type(guard, rollcall.Guard)
        guard.progress()
    me.set_tags({"role": "main"})


def observer(seen: rollcall.Observer) -> None:
    assert_type(seen.snapshot(), Dict[str, rollcall.Peer])
    assert_type(seen.poll(), Optional[rollcall.Event])
    assert_type(seen.find("a")["tags"], Dict[str, str])
    for event in seen:
        assert_type(event.node, str)
        assert_type(event.evidence.age, float)


async def view(known: rollcall.View) -> None:
    assert_type(known["a"], rollcall.Peer)
    assert_type(len(known), int)
    async for event in known.events():
        assert_type(event, rollcall.Event)
    for event in known.events():
        assert_type(event, rollcall.Event)
