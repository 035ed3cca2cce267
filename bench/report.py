#!/usr/bin/env python3
"""What the benchmarks measured: the table of what must hold, a table of everything, and plots.

usage: bench/report.py check RAW...            one line a requirement; exit 1 if any falls short
       bench/report.py write FOLDER RAW...     results.json, table.md and the plots
RAW are Google Benchmark's JSON files and that of instructions.py; of the repetitions of a benchmark the fastest counts.
"""
import json
import math
import sys
from pathlib import Path

UNIT = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


class Measured:
    """Nanoseconds and counters by the benchmark's name, as `Scan/1000000`."""

    def __init__(self, files):
        self.fastest, self.context, self.instructions = {}, {}, {}
        for file in files:
            raw = json.loads(Path(file).read_text())
            if "benchmarks" not in raw:
                self.instructions = raw
                continue
            self.context.update(raw["context"])
            for entry in raw["benchmarks"]:
                if entry["run_type"] == "iteration":
                    self.add(entry)

    def add(self, entry):
        name = "/".join(p for p in entry["name"].split("/") if ":" not in p and p not in ("manual_time", "real_time"))
        if entry.get("error_occurred"):
            raise SystemExit(f"bench: {name}: {entry['error_message']}")
        ns = entry["real_time"] * UNIT[entry["time_unit"]]
        counters = {k: v for k, v in entry.items() if isinstance(v, float) and k not in ("real_time", "cpu_time")}
        before = self.fastest.get(name)
        if before is None:
            self.fastest[name] = {"ns": ns, **counters}
            return
        before["ns"] = min(before["ns"], ns)
        for key, value in counters.items():
            best = max if key.endswith("_a_second") else min
            before[key] = best(before.get(key, value), value)

    def __call__(self, name, what="ns"):
        return self.fastest[name][what]


def requirements(m):
    """(what, figure, limit, unit); a negative limit is a lower bound."""
    def ratio(a, b):
        return m(a) / m(b)

    yield "full scan, 1M words / reading them", ratio("Scan/1000000", "ReadTheSameArray/1000000"), 1.10, "x"
    yield "full scan, 16M words / reading them", ratio("Scan/16000000", "ReadTheSameArray/16000000"), 1.10, "x"
    for n in (1000, 10000, 100000):
        yield f"full scan, {n} words / reading them", ratio(f"Scan/{n}", f"ReadTheSameArray/{n}"), 1.6, "x"
    yield "mutex and map / full scan, 1M", ratio("UsualDesign/1000000", "Scan/1000000"), -800, "x"
    yield "mutex and map / full scan, 10k", ratio("UsualDesign/10000", "Scan/10000"), -60, "x"
    yield "mutex and map / a bare walk of its map, 1M", ratio("UsualDesign/1000000", "BareWalkOfItsMap/1000000"), 1.2, "x"
    full = m("FullScan/1000000")
    yield "quiet step, 1M, mean / full scan", m("QuietStep/1000000") / full, 0.02, "x"
    yield "quiet step, 1M, p99 / full scan", m("QuietStep/1000000", "p99_ns") / full, 0.04, "x"
    yield "quiet step, 1M, blocks read", m("QuietStep/1000000", "blocks_read"), 0.01, "x"
    for kind in ("AllSilentAtOnce", "AllSilentSpread"):
        for judgement, limit in (("suspect", 120), ("dead", 120), ("evicted", 180)):
            yield f"{kind}, 1M, {judgement}", m(f"{kind}/1000000", f"{judgement}_ns"), limit, "ns a peer"
        yield f"{kind}, 1M, longest step", m(f"{kind}/1000000", "longest_ns") / 1e6, 20, "ms"
    yield "step with a million suspects / full scan", m("StepWithAllSuspect/1000000") / full, 1.2, "x"
    for what, counted in m.instructions.items():
        yield f"instructions a {what}", counted["instructions"], counted["limit"], ""
    yield "beat(now) / bare load and swap", ratio("MemberBeatNow", "BareLoadAndSwap"), 1.1, "x"
    yield "beats of two producers / of one", 2 * m("MemberAlone") / m("MemberBesideAMember"), -1.9, "x"
    yield "beat beside an engine at 1 kHz / beside a busy loop", ratio("MemberBesideAnEngine/1000", "MemberBesideABusyLoop"), 1.25, "x"
    answer = m("PingOfOneLine") / 2
    yield "event, spinning / ping of four lines", (m("EventToASpinningObserver") - answer) / (m("PingOfFourLines") - answer), 1.3, "x"
    yield "event, asleep / bare futex", (m("EventToASleepingObserver") - answer) / (m("BareFutex") - answer), 1.3, "x"
    for kind in ("Asleep", "Spinning"):
        yield f"detector's time an event, 64 observers / one, {kind.lower()}", ratio(f"CpuTimeOfAnEvent{kind}/64", f"CpuTimeOfAnEvent{kind}/1"), 1.05, "x"
    yield "find, 1M / flat table", ratio("Find/1000000", "FindInAFlatTable/1000000"), 1.8, "x"
    yield "snapshot, 1M / copying the bytes", ratio("Snapshot/1000000", "CopyTheBytes/1000000"), 2, "x"
    yield "joins, one at a time", m("JoinThroughTheSocket/1", "joins_a_second"), -10_000, "a second"
    yield "joins, pipelined", m("JoinThroughTheSocket/64", "joins_a_second"), -100_000, "a second"
    yield "admissions on used memory", m("AdmitOnUsedMemory", "joins_a_second"), -2_000_000, "a second"
    yield "SIGKILL to dead / SIGKILL to pidfd to futex", ratio("KillToDead/0", "KillToPidfdToFutex/0"), 1.3, "x"
    yield "detection delay, p99, less the timer's own", (m("DetectionDelay", "p99_ns") - m("TimerLateness", "p99_ns")) / 1e6, 1, "ms"
    yield "engine at rest, 10k peers", m("EngineAtRest/10000") / 1e9, 0.005, "cores"


def lines(m):
    for what, figure, limit, unit in requirements(m):
        least = limit < 0
        limit = abs(limit)
        holds = figure >= limit if least else figure <= limit
        part = (figure / limit if least else limit / figure if figure > 0 else math.inf)
        yield holds, what, f"{figure:.4g}", f"{'>=' if least else '<='} {limit:g} {unit}", f"{part:.2f}"


def check(m):
    bad = 0
    for holds, what, figure, limit, margin in lines(m):
        bad += not holds
        print(f"{'holds' if holds else 'falls short':11}  {what:58} {figure:>10}  {limit:18} margin {margin} x")
    return 1 if bad else 0


def describe(m):
    c = m.context
    return f"{c.get('machine', 'a machine').replace('_', ' ')}, {c['num_cpus']} cores, g++ {c.get('compiler', '')}, commit {c.get('commit', '')}" + (f", scan in {c['scan']}" if "scan" in c else "")


def table(m):
    out = [f"Measured on {describe(m)}.", "", "| | what | figure | limit | margin |", "|---|---|---|---|---|"]
    out += [f"| {'holds' if h else '**falls short**'} | {w} | {f} | {l} | {g} x |" for h, w, f, l, g in lines(m)]
    out += ["", "| benchmark | ns | |", "|---|---|---|"]
    for name, figures in sorted(m.fastest.items()):
        rest = ", ".join(f"{k} {v:.4g}" for k, v in figures.items() if k != "ns")
        out.append(f"| {name} | {figures['ns']:.4g} | {rest} |")
    return "\n".join(out) + "\n"


COLOURS = ["#0b6e4f", "#c44536", "#2b59c3", "#8a6d3b", "#6a4c93", "#444444"]


def plot(title, unit, curves, caption, x_name="peers", x_label=lambda x: f"{x:,}"):
    """An SVG, log-log; `curves` is [(name, [(x, y)])]."""
    xs = [x for _, points in curves for x, _ in points]
    ys = [y for _, points in curves for _, y in points]
    x0, x1 = math.floor(math.log10(min(xs))), math.ceil(math.log10(max(xs)))
    y0, y1 = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
    left, top, width, height = 70, 40, 520, 320

    def at(x, y):
        return left + (math.log10(x) - x0) / (x1 - x0) * width, top + height - (math.log10(y) - y0) / (y1 - y0) * height

    s = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 420" font-family="sans-serif" font-size="12">',
         '<rect width="860" height="420" fill="white"/>', f'<text x="{left}" y="24" font-size="15">{title}</text>']
    for e in range(x0, x1 + 1):
        x, _ = at(10 ** e, 10 ** y0)
        s.append(f'<line x1="{x:.0f}" y1="{top}" x2="{x:.0f}" y2="{top + height}" stroke="#ddd"/><text x="{x:.0f}" y="{top + height + 16}" text-anchor="middle">{x_label(10 ** e)}</text>')
    for e in range(y0, y1 + 1):
        _, y = at(10 ** x0, 10 ** e)
        s.append(f'<line x1="{left}" y1="{y:.0f}" x2="{left + width}" y2="{y:.0f}" stroke="#ddd"/><text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{10.0 ** e:g} {unit}</text>')
    for i, (name, points) in enumerate(curves):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{'M' if j == 0 else 'L'}{x:.1f},{y:.1f}" for j, (x, y) in enumerate(at(*p) for p in points))
        s.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        s += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in (at(*p) for p in points)]
        s.append(f'<text x="{left + width + 14}" y="{top + 20 + 20 * i}" fill="{colour}">{name}</text>')
    s.append(f'<text x="{left}" y="{top + height + 36}">{x_name}</text><text x="{left}" y="{top + height + 54}" fill="#666">{caption}</text></svg>')
    return "\n".join(s) + "\n"


def curve(m, name, what="ns", scale=1.0):
    points = []
    for key, figures in m.fastest.items():
        parts = key.split("/")
        if parts[0] == name and len(parts) == 2 and figures.get(what, 0) > 0:
            points.append((int(parts[1]), figures[what] * scale))
    return sorted(points)


def percentiles(m, name):
    """How many times in one so long or longer: one in 2, in 10, in 100, in 1000."""
    figures = m.fastest[name]
    return [(n, figures[key]) for n, key in ((2, "p50_ns"), (10, "p90_ns"), (100, "p99_ns"), (1000, "p999_ns"))]


def write(folder, m):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps({"context": m.context, "fastest": m.fastest, "instructions": m.instructions}, indent=1, sort_keys=True) + "\n")
    (folder / "table.md").write_text(table(m))
    per_item = [("UsualDesign", "mutex and map"), ("ALineForEachPeer", "a line a peer"), ("Scan", "rollcall"), ("ReadTheSameArray", "reading the words")]
    (folder / "scan.svg").write_text(plot("A look at every peer", "ns", [(label, [(n, ns / n) for n, ns in curve(m, name)]) for name, label in per_item], describe(m)))
    steps = [("FullScan", "scan of all words"), ("QuietStep", "quiet step"), ("ChangingStep", "1 % changing")]
    ways = [("PingOfFourLines", "ping of four lines"), ("EventToASpinningObserver", "event, spinning"), ("BareFutex", "bare futex"), ("EventToASleepingObserver", "event, asleep"), ("BareEventfd", "bare eventfd"), ("EventToAnObserverOfItsDescriptor", "event, event loop")]
    (folder / "events.svg").write_text(plot("An event to another process and the answer", "ns", [(label, percentiles(m, name)) for name, label in ways],
                                            describe(m), "the slowest one in", lambda n: f"{n:,}"))
    (folder / "step.svg").write_text(plot("One step of the engine", "us", [(label, curve(m, name, scale=1e-3)) for name, label in steps], describe(m)))


def main(arguments):
    if len(arguments) >= 2 and arguments[0] == "check":
        return check(Measured(arguments[1:]))
    if len(arguments) >= 3 and arguments[0] == "write":
        write(Path(arguments[1]), Measured(arguments[2:]))
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
