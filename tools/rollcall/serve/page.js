// The membership as /members has it, kept up to date by /events. What cannot be known from an event is asked for again.
"use strict";

const $ = (id) => document.getElementById(id);
const glyphs = { alive: "●", suspect: "?", dead: "✕" };
const states = ["alive", "suspect", "dead"];
const crowd = 400;        // members from which on names are left out
const shown_events = 200; // of which half may be from before

const members = new Map();   // by node
const by_slot = new Map();
const sections = new Map();  // by host
let settings = { suspect_ms: 3000, dead_ms: 5000 };
let own_host = "";
let source = null, stream = "", head = 0;
let current = null;          // the member that the keyboard is at

const make = (tag, cls, text) => {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  return e;
};
const rounded = (ms) => ms === null || ms === undefined ? "unknown" : ms < 1000 ? Math.round(ms) + " ms" : ms < 60000 ? (ms / 1000).toFixed(1) + " s" : ms < 3600000 ? Math.round(ms / 60000) + " min" : Math.round(ms / 3600000) + " h";

// One request at a time of each kind: a slow one is not overtaken.
async function json(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({ error: answer.statusText }))).error);
  return answer.json();
}

function section_of(host) {
  let s = sections.get(host);
  if (s) return s;
  const element = make("section", "host");
  const title = make("header"), name = make("h3", "", host), state = make("span", "state"), counts = make("span", "counts");
  const grid = make("div", "grid");
  element.setAttribute("aria-label", "Host " + host);
  grid.setAttribute("role", "group");
  grid.setAttribute("aria-label", "Members of host " + host);
  title.append(name, state, counts);
  element.append(title, grid);
  s = { element, grid, state, counts, host, members: 0 };
  sections.set(host, s);
  const after = [...sections.keys()].filter((h) => (h === own_host) < (host === own_host) || ((h === own_host) === (host === own_host) && h > host)).sort()[0];
  $("members").insertBefore(element, after === undefined ? null : sections.get(after).element);
  return s;
}

// In the order of their names, as people read them: worker-2 before worker-10.
const order = new Intl.Collator("en", { numeric: true }).compare;
function place_for(node, among) {
  let low = 0, high = among.length;
  if (high && order(among[high - 1].member.node, node) < 0) return null;  // as they come at first
  while (low < high) {
    const middle = (low + high) >> 1;
    if (order(among[middle].member.node, node) < 0) low = middle + 1;
    else high = middle;
  }
  return among[low] || null;
}

function add(m) {
  const old = members.get(m.node);
  if (old) remove(old);
  m.section = section_of(m.host || own_host);
  m.element = make("button", "member");
  m.element.type = "button";
  m.element.tabIndex = -1;
  m.element.member = m;
  m.glyph = make("span", "glyph");
  m.glyph.setAttribute("aria-hidden", "true");
  m.element.append(m.glyph, make("span", "name", m.node));
  m.section.grid.insertBefore(m.element, place_for(m.node, m.section.grid.children));
  ++m.section.members;
  members.set(m.node, m);
  know(m, m);
  show(m);
  return m;
}

// What no event tells.
function know(m, { slot, endpoint, tags }) {
  if (by_slot.get(m.slot) === m) by_slot.delete(m.slot);
  Object.assign(m, { slot, endpoint, tags });
  if (slot !== undefined) by_slot.set(slot, m);
  m.words = [m.node, m.host || own_host, endpoint || "", ...Object.entries(tags || {}).map(([k, v]) => k + "=" + v)].join(" ").toLowerCase();
}

function remove(m) {
  if (current === m) current = null;
  m.element.remove();
  members.delete(m.node);
  if (by_slot.get(m.slot) === m) by_slot.delete(m.slot);
  if (--m.section.members === 0) {
    m.section.element.remove();
    sections.delete(m.section.host);
  }
}

function show(m) {
  const e = m.element;
  for (const s of states) e.classList.toggle(s, s === m.state);
  m.glyph.textContent = glyphs[m.state] || "·";
  e.setAttribute("aria-label", m.node + ", " + m.state + (m.reason ? ", " + m.reason.replaceAll("_", " ") : ""));
  e.title = m.node + ": " + m.state;
  e.hidden = !passes(m);
}

// The filter.
let wanted = "", wanted_states = new Set(states);
const passes = (m) => wanted_states.has(m.state) && (wanted === "" || wanted.split(" ").every((word) => m.words.includes(word)));
function filter() {
  wanted = $("text").value.trim().toLowerCase();
  wanted_states = new Set([...document.querySelectorAll("#filter input[type=checkbox]:checked")].map((box) => box.name));
  for (const m of members.values()) {
    const hidden = !passes(m);
    if (m.element.hidden !== hidden) m.element.hidden = hidden;
  }
  summarise();
}

// Counts, headings, which member the Tab key reaches. At most once a frame, however many events come.
let is_due = false;
function summarise() {
  if (is_due) return;
  is_due = true;
  requestAnimationFrame(() => {
    is_due = false;
    const counts = { alive: 0, suspect: 0, dead: 0 }, of = new Map();
    for (const m of members.values()) {
      ++counts[m.state];
      let o = of.get(m.section);
      if (!o) of.set(m.section, o = { alive: 0, suspect: 0, dead: 0, seen: 0 });
      ++o[m.state];
      if (!m.element.hidden) ++o.seen;
    }
    for (const s of states) $(s).value = counts[s];
    for (const [s, o] of of) {
      s.counts.textContent = states.filter((state) => o[state]).map((state) => o[state] + " " + state).join(", ");
      s.element.hidden = o.seen === 0;
    }
    $("members").classList.toggle("crowded", members.size > crowd);
    $("empty").hidden = members.size !== 0;
    title(counts);
    if (!current || current.element.hidden || !current.element.isConnected) point_at(document.querySelector(".member:not([hidden])"), false);
  });
}

// The keyboard: Tab reaches the grid once, arrows move in it.
function point_at(element, focus) {
  if (current) current.element.tabIndex = -1;
  current = element ? element.member : null;
  if (!element) return;
  element.tabIndex = 0;
  if (focus) element.focus();
}
function move(event) {
  if (!event.target.member) return;
  const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  const all = [...document.querySelectorAll(".member:not([hidden])")];
  const at = all.indexOf(event.target);
  let to = -1;
  if (event.key in steps) {
    to = Math.min(all.length - 1, Math.max(0, at + steps[event.key]));
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    // The nearest one of the next row.
    const here = event.target.getBoundingClientRect(), down = event.key === "ArrowDown";
    let row = null, best = Infinity;
    for (let i = at + (down ? 1 : -1); i >= 0 && i < all.length; i += down ? 1 : -1) {
      const r = all[i].getBoundingClientRect();
      if (Math.abs(r.top - here.top) < 2) continue;
      if (row !== null && Math.abs(r.top - row) > 2) break;
      row = r.top;
      if (Math.abs(r.left - here.left) < best) best = Math.abs(r.left - here.left), to = i;
    }
  }
  if (to < 0) return;
  event.preventDefault();
  point_at(all[to], true);
}

// Events.
const kinds = { joined: "good", recovered: "good", suspect: "doubtful", dead: "bad", evicted: "bad", left: "", paused: "doubtful", gap: "doubtful", orphaned: "doubtful", duplicate: "doubtful", one_way: "doubtful", mass_silence: "bad" };
const plain = (kind) => kind.replace(/^host_/, "");
function sentence(e) {
  if (e.event === "gap") return "events " + e.from + " to " + e.to + " are lost to this page";
  if (e.event === "paused") return "the detector did not look for " + rounded(e.length_ms);
  const why = e.reason === "join" ? "" : e.signal ? "killed by signal " + e.signal : e.exit_code !== null && e.exit_code !== undefined ? "exited with code " + e.exit_code : (e.reason || "").replaceAll("_", " ");
  const is_silence = ["silence", "host_silence", "unobserved"].includes(e.reason) && ["suspect", "dead"].includes(plain(e.event));
  return [why, is_silence ? "silent for " + rounded(e.age_ms - (e.lost_ms || 0)) : ""].filter(Boolean).join(", ");
}
function line_of(e) {
  const li = make("li"), time = make("time", "", e.time ? new Date(e.time).toLocaleTimeString() : "");
  if (e.time) time.dateTime = e.time;
  li.append(time, make("span", "kind " + (kinds[plain(e.event)] || ""), e.event.replaceAll("_", " ")), " " + (e.node || "") + (e.host && e.host !== own_host && e.host !== e.node ? " on " + e.host : ""));
  const text = sentence(e);
  if (text) li.append(": " + text);
  return li;
}
const beats = new Array(120).fill(null).map(() => ({ good: 0, bad: 0 }));  // events of five seconds each
let beat_at = Math.floor(Date.now() / 5000);
function note_rhythm(e) {
  turn_rhythm();
  const slot = beats[beats.length - 1];
  if (kinds[plain(e.event)] === "good" || e.event === "left") ++slot.good;
  else ++slot.bad;
}
function turn_rhythm() {
  for (const now = Math.floor(Date.now() / 5000); beat_at < now; ++beat_at) beats.shift(), beats.push({ good: 0, bad: 0 });
}
function draw_rhythm() {
  turn_rhythm();
  const canvas = $("rhythm"), pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
  const most = Math.max(4, ...beats.map((b) => b.good + b.bad)), width = canvas.width / beats.length;
  pen.clearRect(0, 0, canvas.width, canvas.height);
  beats.forEach((b, i) => {
    const good = canvas.height * b.good / most, bad = canvas.height * b.bad / most;
    pen.fillStyle = style.getPropertyValue("--alive");
    pen.fillRect(i * width, canvas.height - good, width - 1, good);
    pen.fillStyle = style.getPropertyValue("--dead");
    pen.fillRect(i * width, canvas.height - good - bad, width - 1, bad);
  });
}

function take(e) {
  const is_new = e.seq > head;
  if (is_new) head = e.seq, note_rhythm(e);
  const timeline = $("timeline");
  timeline.prepend(line_of(e));
  while (timeline.childElementCount > shown_events) timeline.lastElementChild.remove();
  if (!is_new) return;  // the members were asked for after it
  if (e.event === "gap") return load();
  if (!e.node || e.event.startsWith("host_") || ["orphaned", "one_way", "mass_silence"].includes(e.event)) return note_hosts();
  let m = members.get(e.node);
  if (e.state === null) {
    if (m && (m.incarnation === undefined || m.incarnation <= e.incarnation)) remove(m);
  } else {
    if (!m || m.incarnation !== e.incarnation || (m.host || own_host) !== (e.host || own_host)) {
      m = add({ node: e.node, host: e.host || own_host, state: e.state, reason: e.reason, incarnation: e.incarnation, tags: {} });
      ask_again();  // for its slot, endpoint and tags
    }
    if (e.event === "updated") ask_again();
    m.state = e.state;
    m.reason = e.reason;
    show(m);
    m.element.classList.remove("fresh");
    void m.element.offsetWidth;
    m.element.classList.add("fresh");
  }
  summarise();
}

// The whole, when events are not enough: at first, after a gap, when somebody new came.
let again = 0;
function ask_again() {
  if (!again) again = setTimeout(() => { again = 0; load(true); }, members.size > 2000 ? 5000 : 1000);
}
// One at a time. `keep`: events go on as they are, if they are of the same memory; what they told since the answer was made counts more than the answer.
let is_loading = false, next_load = null;
async function load(keep = false) {
  if (is_loading) {
    next_load = { keep: keep && (next_load === null || next_load.keep) };
    return;
  }
  is_loading = true;
  try {
    const all = await json("/members");
    if (keep && stream === all.stream && all.head_sequence < head) {
      for (const p of all.peers) if (members.get(p.node)?.incarnation === p.incarnation) know(members.get(p.node), p);
      return ask_again();
    }
    settings = all.settings;
    own_host = all.host || own_host;
    $("cluster").textContent = all.cluster;
    const there = new Set();
    for (const p of all.peers.sort((a, b) => order(a.node, b.node))) {
      there.add(p.node);
      const m = members.get(p.node);
      if (m && m.incarnation === p.incarnation && (m.host || own_host) === p.host) Object.assign(m, { state: p.state, reason: p.reason }), know(m, p), show(m);
      else add({ node: p.node, host: p.host, state: p.state, reason: p.reason, incarnation: p.incarnation, slot: p.slot, endpoint: p.endpoint, tags: p.tags });
    }
    for (const m of [...members.values()]) if (!there.has(m.node)) remove(m);
    say_engine(all);
    if (!keep || stream !== all.stream) listen(all.stream, all.head_sequence);
    note_hosts();
    for (const s of sections.values()) if (s.host === own_host) s.state.textContent = "here";
    summarise();
  } catch (error) {
    trouble(error);
    setTimeout(load, 2000, false);
  } finally {
    is_loading = false;
    if (next_load !== null) {
      const { keep: as_before } = next_load;
      next_load = null;
      load(as_before);
    }
  }
}

function listen(of, from) {
  if (source) source.close();
  stream = of;
  head = from;
  $("timeline").replaceChildren();
  if (document.hidden) return;  // browsers have few connections for all tabs together
  source = new EventSource("/events?from=" + Math.max(0, from - shown_events / 2) + "&stream=" + of);
  source.onmessage = (message) => take(JSON.parse(message.data));
  // What is refused (too many readers, a token that is over) is not tried again by the browser.
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) trouble("no events come: trying again"), setTimeout(load, 2000, false); };
  source.addEventListener("hello", (message) => { if (JSON.parse(message.data).stream !== stream) load(); });
}

function trouble(error) {
  $("engine").textContent = "✕ " + (error.message || error);
  $("engine").className = "bad";
}
function say_engine(o) {
  const late = o.last_step_age_ms > settings.suspect_ms;
  $("engine").textContent = !o.engine.running ? "✕ no engine runs; this is what the last one left" : late ? "✕ engine '" + o.engine.node + "' has not looked for " + rounded(o.last_step_age_ms) : "● engine '" + o.engine.node + "' runs, pid " + o.engine.pid;
  $("engine").className = !o.engine.running || late ? "bad" : "";
}

let hosts_due = 0;
function note_hosts() {
  if (!hosts_due) hosts_due = setTimeout(async () => {
    hosts_due = 0;
    const all = await json("/hosts").catch(() => null);
    for (const h of all ? all.hosts : []) {
      const s = sections.get(h.host);
      if (s) s.state.textContent = (glyphs[h.state] || "") + " " + h.state + (h.loss > 0.01 ? ", loss " + Math.round(h.loss * 100) + " %" : "");
    }
  }, 200);
}

async function look() {
  if (document.hidden) {
    const o = await json("/ages").catch(() => null);
    if (o) title(o.states);
  } else {
    try {
      const o = await json("/ages");
      if (o.stream !== stream && stream !== "") await load();
      say_engine(o);
      o.slots.forEach((slot, i) => {
        const m = by_slot.get(slot);
        if (!m) return;
        m.age = o.ages_ms[i];
        const age = String(Math.min(3, Math.floor(4 * m.age / settings.suspect_ms)));
        if (m.element.dataset.age !== age) m.element.dataset.age = age;
      });
    } catch (error) {
      trouble(error);
    }
    draw_rhythm();
  }
  setTimeout(look, document.hidden ? 10000 : members.size > 5000 ? 2000 : 1000);
}
function title(counts) { document.title = (counts.dead ? "✕" + counts.dead + " " : counts.suspect ? "?" + counts.suspect + " " : "") + "rollcall " + $("cluster").textContent; }

// The evidence.
async function explain(m) {
  $("evidence-title").textContent = m.node;
  const why = await json("/why?node=" + encodeURIComponent(m.node)).catch((error) => ({ explanation: String(error.message), history: [], peer: null }));
  $("evidence-text").replaceChildren(...why.explanation.trim().split("\n").map((line) => make("p", "", line.trim())));
  const p = why.peer, facts = [];
  if (p) facts.push(["state", (glyphs[p.state] || "") + " " + p.state], ["host", p.host], ["endpoint", p.endpoint], ["pid", p.pid], ["incarnation", p.incarnation], ["last beat", p.last_heartbeat_age_ms === null ? null : rounded(p.last_heartbeat_age_ms) + " ago"], ...Object.entries(p.tags));
  $("evidence-facts").replaceChildren(...facts.filter(([, v]) => v !== null && v !== "" && v !== undefined).flatMap(([k, v]) => [make("dt", "", k), make("dd", "", String(v))]));
  $("evidence-events").replaceChildren(...why.history.reverse().map(line_of));
  if (!$("evidence").open) $("evidence").showModal();
}

$("filter").addEventListener("input", filter);
$("filter").addEventListener("submit", (event) => event.preventDefault());
$("members").addEventListener("keydown", move);
$("members").addEventListener("click", (event) => {
  const element = event.target.closest(".member");
  if (!element) return;
  point_at(element, true);
  explain(element.member);
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return load();
  if (source) source.close();
  source = null;
});
load();
look();
