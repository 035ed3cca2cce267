"""Tells of each event, "KIND NODE" a line, as whoever has only the packages would."""
import rollcall

for event in rollcall.View().events():
    print(event.kind, event.node, flush=True)
