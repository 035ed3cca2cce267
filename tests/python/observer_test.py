#!/usr/bin/env python3
"""Observers and views in Python: events by poll, for and async for; snapshots; over the death of engines and memories."""
import asyncio
import signal
import unittest

import rollcall
from cluster import Cluster, eventually

PATIENT = ("--heartbeat", "100ms", "--suspect", "20s", "--dead", "30s", "--evict", "40s", "--scan", "5ms")


class Observers(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(*PATIENT)
        self.addCleanup(self.cluster.end)

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait()

    def test_hear_of_each_event_once(self):
        seen = rollcall.Observer(dir=self.cluster.dir)
        member = self.cluster.join("a", "--tag", "k=v")
        self.kill(member)
        story = []
        for event in seen:
            story.append((event.kind, event.node, event.reason))
            if event.kind == "dead":
                break
        self.assertEqual(story, [("joined", "a", "join"), ("dead", "a", "process_exit")])
        self.assertEqual((event.evidence.signal, event.evidence.exit_code), (9, None))
        self.assertIsNone(seen.next(0.05))
        again = rollcall.Observer(dir=self.cluster.dir, after=event.sequence - 1, stream=event.stream)
        self.assertEqual(again.poll(), event)
        from_the_first = rollcall.Observer(dir=self.cluster.dir, after=0)
        self.assertEqual(from_the_first.poll().sequence, 1)

    def test_show_peers_as_dicts(self):
        self.cluster.join("a", "--tag", "k=v")
        self.cluster.join("b")
        seen = rollcall.Observer(dir=self.cluster.dir)
        peers = seen.snapshot()
        self.assertEqual(set(peers), {"a", "b"})
        self.assertEqual((peers["a"]["tags"], peers["a"]["state"], peers["a"]["local"]), ({"k": "v"}, "alive", True))
        self.assertEqual(peers["a"]["evidence"]["suspect_timeout"] > 0.9, True)
        info = seen.info()
        self.assertEqual((info["cluster"], info["running"], info["heartbeat"], info["peers_joined"]), ("default", True, 0.1, 2))
        with self.assertRaises(rollcall.Error) as unknown:
            seen.find("nobody")
        self.assertEqual(unknown.exception.kind, "unknown_node")

    def test_go_on_with_the_next_memory(self):
        seen = rollcall.Observer(dir=self.cluster.dir)
        self.kill(self.cluster.engine)
        self.assertEqual(self.cluster.say("stop", "--remove"), 0)
        self.cluster.start_engine()
        self.assertEqual(seen.next(30).kind, "gap")  # of all that the new memory knows by then
        self.cluster.join("late")
        event = seen.next(30)
        self.assertEqual((event.kind, event.node), ("joined", "late"))

    def test_can_be_awaited(self):
        async def hear(source):
            async for event in source:
                if event.kind == "dead":
                    return event.node

        async def all_of_it():
            view = rollcall.View(dir=self.cluster.dir)
            hearing = [asyncio.create_task(hear(source)) for source in (rollcall.Observer(dir=self.cluster.dir), view.events())]
            ticks = 0
            await asyncio.sleep(0)
            member = await asyncio.to_thread(self.cluster.join, "a")
            await asyncio.to_thread(self.kill, member)
            while not all(task.done() for task in hearing):
                ticks += 1
                await asyncio.sleep(0.01)
            self.assertEqual([task.result() for task in hearing], ["a", "a"])
            self.assertEqual(view["a"]["state"], "dead")

        asyncio.run(asyncio.wait_for(all_of_it(), 60))

    def test_await_the_next_memory_too(self):
        async def late(source, there):
            async for event in source:
                if event.kind == "gap":
                    there.set()
                if event.node == "late":
                    return True

        async def all_of_it():
            sources = (rollcall.Observer(dir=self.cluster.dir), rollcall.View(dir=self.cluster.dir).events())
            there = [asyncio.Event() for _ in sources]
            hearing = [asyncio.create_task(late(*pair)) for pair in zip(sources, there)]
            await asyncio.sleep(0)

            def replace():
                self.kill(self.cluster.engine)
                self.cluster.say("stop", "--remove")
                self.cluster.start_engine()

            await asyncio.to_thread(replace)
            await asyncio.gather(*(each.wait() for each in there))
            await asyncio.to_thread(self.cluster.join, "late")
            self.assertEqual(await asyncio.gather(*hearing), [True, True])

        asyncio.run(asyncio.wait_for(all_of_it(), 60))


class Views(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(*PATIENT)
        self.addCleanup(self.cluster.end)

    def test_are_mappings_that_change_with_their_events(self):
        view = rollcall.View(dir=self.cluster.dir)
        self.assertEqual((len(view), list(view), "a" in view), (0, [], False))
        self.cluster.join("a", "--tag", "k=v")
        self.assertEqual(len(view), 0)
        event = view.next(30)
        self.assertEqual((event.kind, event.view, view.number), ("joined", view.number, event.view))
        self.assertEqual((list(view), view["a"]["tags"], view.get("b")), (["a"], {"k": "v"}, None))
        with self.assertRaises(KeyError):
            view["b"]
        self.assertIsNone(view.next(0.05))

    def test_go_on_with_the_next_memory(self):
        view = rollcall.View(dir=self.cluster.dir)
        member = self.cluster.join("a")
        self.cluster.engine.send_signal(signal.SIGKILL)
        self.cluster.engine.wait()
        member.send_signal(signal.SIGKILL)
        member.wait()
        self.cluster.say("stop", "--remove")
        self.cluster.start_engine()
        self.cluster.join("b")
        self.assertTrue(eventually(lambda: view.next(0.1) and list(view) == ["b"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
