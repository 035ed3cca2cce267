// rollcall._rollcall: what the Python package `rollcall` is made of, over the library for C. Times are seconds, instants those of
// time.monotonic(). Whatever may wait gives the interpreter's lock away, and is one thread's at a time; a beat does neither.
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <rollcall/rollcall.h>

namespace py = pybind11;

namespace {

constexpr double ns_a_second = 1e9;
double seconds(std::int64_t ns) { return static_cast<double>(ns) / ns_a_second; }

// 90 years are for ever.
std::int64_t nanoseconds(double s, const char* what) {
    if (!(s >= 0)) throw py::value_error(std::string(what) + " must be a number of seconds, 0 or more");
    return s < 3e9 ? static_cast<std::int64_t>(s * ns_a_second) : std::int64_t{3'000'000'000'000'000'000};
}

// The package's Error(kind, message) and the members of its Beat, by number.
struct Package {
    py::object error;
    std::vector<py::object> beats;
};
Package& package() {
    static auto* const known = new Package;  // never destroyed: the interpreter may be gone by then
    return *known;
}

[[noreturn]] void raise(const rollcall_error& error) {
    const py::object made = package().error(rollcall_error_name(error.kind), py::str(std::string(error.message)));
    PyErr_SetObject(package().error.ptr(), made.ptr());
    throw py::error_already_set();
}

// Calls what may wait: without the interpreter's lock, and not beside another thread's call.
template <class Call>
auto alone(std::mutex& mutex, const Call& call) {
    const py::gil_scoped_release away;
    const std::lock_guard lock(mutex);
    return call();
}

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

using Tags = std::vector<std::pair<std::string, std::string>>;

std::vector<rollcall_tag> for_c(const Tags& tags) {
    std::vector<rollcall_tag> out;
    for (const auto& [key, value] : tags) out.push_back({key.c_str(), value.c_str()});
    return out;
}

// Calls without arguments that are too short for pybind11's dispatch, which costs ten times as much: functions of CPython's own, each bound to a
// handle that it keeps alive.
template <class Handle>
PyObject* bind(PyMethodDef& method, const std::shared_ptr<Handle>& handle) {
    const py::capsule self(new std::shared_ptr<Handle>(handle), [](void* kept) { delete static_cast<std::shared_ptr<Handle>*>(kept); });
    PyObject* bound = PyCFunction_New(&method, self.ptr());
    if (bound == nullptr) throw py::error_already_set();
    return bound;
}
template <class Handle>
Handle* bound_handle(PyObject* self) {
    return static_cast<std::shared_ptr<Handle>*>(PyCapsule_GetPointer(self, nullptr))->get();
}

PyObject* beat_now(PyObject* self, PyObject*) {
    return package().beats[static_cast<std::size_t>(rollcall_beat(bound_handle<rollcall_member>(self)))].inc_ref().ptr();
}
// Somebody may have kept its progress(): after its end there is no guard, and nobody is held back.
struct GuardHandle {
    rollcall_guard* guard;
    ~GuardHandle() { rollcall_guard_end(guard); }
};
PyObject* progress_now(PyObject* self, PyObject*) {
    if (rollcall_guard* guard = bound_handle<GuardHandle>(self)->guard) rollcall_guard_progress(guard);
    Py_RETURN_NONE;
}
PyMethodDef beat_method{"beat", beat_now, METH_NOARGS, "A sign of life: one atomic instruction. True where there is nothing to do, else see Beat."};
PyMethodDef progress_method{"progress", progress_now, METH_NOARGS, "The budget begins anew. Means nothing after the guard's end."};

class Member {
public:
    Member(const std::string& node, const std::string& cluster, const std::string& endpoint, const Tags& tags, const std::string& dir, double wait, bool replace) {
        const auto all = for_c(tags);
        rollcall_member_options options{};
        options.size = sizeof options;
        options.cluster = or_null(cluster);
        options.node = node.c_str();
        options.endpoint = or_null(endpoint);
        options.dir = or_null(dir);
        options.tags = all.data();
        options.tag_count = all.size();
        options.wait_ns = nanoseconds(wait, "wait");
        options.replace = replace;
        rollcall_error error{};
        handle_ = {alone(mutex_, [&] { return rollcall_join(&options, &error); }), [](rollcall_member* member) {
                       const py::gil_scoped_release away;
                       rollcall_member_free(member);
                   }};
        if (!handle_) raise(error);
    }
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    py::object bound_beat() const { return py::reinterpret_steal<py::object>(bind(beat_method, handle_)); }
    py::object beat_at(double now) { return package().beats[static_cast<std::size_t>(rollcall_beat_at(handle_.get(), nanoseconds(now, "now")))]; }
    template <class Call>
    void do_or_raise(const Call& call) {
        rollcall_error error{};
        if (alone(mutex_, [&] { return call(handle_.get(), &error); }) != 0) raise(error);
    }
    void set_tags(const Tags& tags) {
        const auto all = for_c(tags);
        do_or_raise([&](auto* me, auto* error) { return rollcall_set_tags(me, all.data(), all.size(), error); });
    }
    void set_endpoint(const std::string& endpoint) {
        do_or_raise([&](auto* me, auto* error) { return rollcall_set_endpoint(me, endpoint.c_str(), error); });
    }
    rollcall_member* handle() const { return handle_.get(); }
    std::mutex& mutex() { return mutex_; }

private:
    std::mutex mutex_;
    std::shared_ptr<rollcall_member> handle_;
};

class Guard {
public:
    Guard(Member& member, double budget, const std::string& name) : handle_(std::make_shared<GuardHandle>(rollcall_guard_begin(member.handle(), checked(budget), name.c_str()))) {
        if (handle_->guard == nullptr) throw std::bad_alloc();
    }

    py::object bound_progress() const { return py::reinterpret_steal<py::object>(bind(progress_method, handle_)); }
    void rest() {
        if (handle_->guard != nullptr) rollcall_guard_rest(handle_->guard);
    }
    void end() { rollcall_guard_end(std::exchange(handle_->guard, nullptr)); }

private:
    static std::int64_t checked(double budget) {
        if (!(budget > 0)) throw py::value_error("budget must be a number of seconds above 0");
        return nanoseconds(budget, "budget");
    }
    std::shared_ptr<GuardHandle> handle_;
};

py::object optional_number(std::int64_t value, std::int64_t none) { return value == none ? py::none() : py::object(py::int_(value)); }

// age, lost, late, suspect_timeout, dead_timeout, exit_code, signal
py::tuple evidence_of(const rollcall_evidence& e) {
    return py::make_tuple(seconds(e.age_ns), seconds(e.lost_ns), seconds(e.late_ns), seconds(e.suspect_timeout_ns), seconds(e.dead_timeout_ns), optional_number(e.exit_code, -1),
                          optional_number(e.signal, 0));
}

// In the order of the package's Event.
py::tuple event_of(const rollcall_event& e) {
    return py::make_tuple(rollcall_event_name(e.kind), std::string(e.node), rollcall_state_name(e.state), rollcall_reason_name(e.reason), std::string(e.host), e.sequence, e.from_sequence,
                          e.stream, e.view, e.incarnation, e.epoch, seconds(e.at_ns), static_cast<double>(e.wall_us) / 1e6, seconds(e.length_ns), evidence_of(e.evidence));
}

py::dict peer_of(const rollcall_peer& p) {
    using namespace py::literals;
    py::dict tags;
    for (std::size_t i = 0; i < p.tag_count; ++i) tags[py::str(p.tags[i].key)] = py::str(p.tags[i].value);
    py::object stall = py::none();
    if (p.stall_guard != nullptr) stall = py::dict("guard"_a = p.stall_guard, "since"_a = seconds(p.stall_since_ns), "budget"_a = seconds(p.stall_budget_ns));
    const rollcall_evidence& e = p.evidence;
    return py::dict("node"_a = p.node, "endpoint"_a = p.endpoint, "host"_a = p.host, "tags"_a = tags, "state"_a = rollcall_state_name(p.state), "reason"_a = rollcall_reason_name(p.reason),
                    "since"_a = seconds(p.since_ns), "last_heartbeat"_a = p.last_heartbeat_ns < 0 ? py::none() : py::object(py::float_(seconds(p.last_heartbeat_ns))),
                    "incarnation"_a = p.incarnation, "slot"_a = p.slot, "generation"_a = p.generation, "last_event"_a = p.last_event, "pid"_a = optional_number(p.pid, 0), "uid"_a = p.uid,
                    "gid"_a = p.gid, "local"_a = p.is_local != 0, "stall"_a = stall,
                    "evidence"_a = py::dict("age"_a = seconds(e.age_ns), "lost"_a = seconds(e.lost_ns), "late"_a = seconds(e.late_ns), "suspect_timeout"_a = seconds(e.suspect_timeout_ns),
                                            "dead_timeout"_a = seconds(e.dead_timeout_ns), "exit_code"_a = optional_number(e.exit_code, -1), "signal"_a = optional_number(e.signal, 0)));
}

// A list of the library's, freed whatever happens.
class Peers {
public:
    Peers(rollcall_peers* list, const rollcall_error& error) : list_(list) {
        if (list == nullptr) raise(error);
    }
    ~Peers() { rollcall_peers_free(list_); }
    Peers(const Peers&) = delete;
    Peers& operator=(const Peers&) = delete;

    py::dict by_node() const {
        py::dict all;
        for (std::size_t i = 0; i < rollcall_peers_count(list_); ++i) {
            const rollcall_peer* p = rollcall_peers_get(list_, i);
            all[py::str(p->node)] = peer_of(*p);
        }
        return all;
    }
    py::dict first() const { return peer_of(*rollcall_peers_get(list_, 0)); }

private:
    rollcall_peers* list_;
};

struct Where {
    rollcall_observer_options options{};
    Where(const std::string& cluster, const std::string& dir, std::optional<std::uint64_t> after, std::optional<std::uint64_t> stream) {
        options.size = sizeof options;
        options.cluster = or_null(cluster);
        options.dir = or_null(dir);
        options.resume = after.has_value();
        options.after = after.value_or(0);
        options.stream = stream.value_or(0);
    }
};

class Observer {
public:
    Observer(const std::string& cluster, const std::string& dir, std::optional<std::uint64_t> after, std::optional<std::uint64_t> stream) {
        const Where where(cluster, dir, after, stream);
        rollcall_error error{};
        handle_ = alone(mutex_, [&] { return rollcall_observe(&where.options, &error); });
        if (handle_ == nullptr) raise(error);
    }
    ~Observer() {
        const py::gil_scoped_release away;
        rollcall_observer_free(handle_);
    }
    Observer(const Observer&) = delete;
    Observer& operator=(const Observer&) = delete;

    py::object poll() {
        rollcall_event event;
        return alone(mutex_, [&] { return rollcall_poll(handle_, &event, sizeof event); }) == 1 ? py::object(event_of(event)) : py::none();
    }
    bool wait(double timeout) {
        return alone(mutex_, [&, ns = nanoseconds(timeout, "timeout")] { return rollcall_wait(handle_, ns); }) != 0;
    }
    int fileno() {
        return alone(mutex_, [&] { return rollcall_fd(handle_); });
    }
    bool is_stale() {
        return alone(mutex_, [&] { return rollcall_is_stale(handle_); }) != 0;
    }
    py::dict snapshot() {
        rollcall_error error{};
        auto* list = alone(mutex_, [&] { return rollcall_snapshot(handle_, &error); });
        return Peers(list, error).by_node();
    }
    py::dict find(const std::string& node) {
        rollcall_error error{};
        auto* list = alone(mutex_, [&] { return rollcall_find(handle_, node.c_str(), &error); });
        return Peers(list, error).first();
    }
    py::dict info() {
        using namespace py::literals;
        rollcall_info i;
        alone(mutex_, [&] { rollcall_get_info(handle_, &i, sizeof i); });
        return py::dict("cluster"_a = std::string(i.cluster), "node"_a = std::string(i.node), "host"_a = std::string(i.host), "engine_version"_a = std::string(i.engine_version),
                        "stream"_a = i.stream, "view"_a = i.view, "head"_a = i.head, "epoch"_a = i.epoch, "engine_pid"_a = i.engine_pid, "capacity"_a = i.capacity, "ring"_a = i.ring,
                        "running"_a = i.running != 0, "heartbeat"_a = seconds(i.heartbeat_ns), "suspect"_a = seconds(i.suspect_ns), "dead"_a = seconds(i.dead_ns),
                        "evict"_a = seconds(i.evict_ns), "scan"_a = seconds(i.scan_ns), "last_step"_a = seconds(i.last_step_ns), "peers_joined"_a = i.peers_joined,
                        "peers_suspected"_a = i.peers_suspected, "peers_dead"_a = i.peers_dead, "peers_evicted"_a = i.peers_evicted, "peers_recovered"_a = i.peers_recovered,
                        "peers_left"_a = i.peers_left);
    }

private:
    std::mutex mutex_;
    rollcall_observer* handle_ = nullptr;
};

class View {
public:
    View(const std::string& cluster, const std::string& dir) {
        const Where where(cluster, dir, std::nullopt, std::nullopt);
        rollcall_error error{};
        handle_ = alone(mutex_, [&] { return rollcall_view_open(&where.options, &error); });
        if (handle_ == nullptr) raise(error);
    }
    ~View() {
        const py::gil_scoped_release away;
        rollcall_view_free(handle_);
    }
    View(const View&) = delete;
    View& operator=(const View&) = delete;

    py::object next(double timeout) {
        rollcall_event event;
        rollcall_error error{};
        const int found = alone(mutex_, [&, ns = nanoseconds(timeout, "timeout")] { return rollcall_view_next(handle_, ns, &event, sizeof event, &error); });
        if (found < 0) raise(error);
        return found == 1 ? py::object(event_of(event)) : py::none();
    }
    int fileno() {
        return alone(mutex_, [&] { return rollcall_view_fd(handle_); });
    }
    py::dict peers() {
        rollcall_error error{};
        auto* list = alone(mutex_, [&] { return rollcall_view_peers(handle_, &error); });
        return Peers(list, error).by_node();
    }
    py::dict find(const std::string& node) {
        rollcall_error error{};
        auto* list = alone(mutex_, [&] { return rollcall_view_find(handle_, node.c_str(), &error); });
        return Peers(list, error).first();
    }
    std::uint64_t number() {
        return alone(mutex_, [&] { return rollcall_view_number(handle_); });
    }

private:
    std::mutex mutex_;
    rollcall_view* handle_ = nullptr;
};

void define_members(py::module_& module) {
    using namespace py::literals;
    py::class_<Guard>(module, "Guard")
        .def(py::init<Member&, double, const std::string&>(), "member"_a, "budget"_a, "name"_a)
        .def("bound_progress", &Guard::bound_progress)
        .def("rest", &Guard::rest, "Nothing is expected until progress() is called again: the program waits for work.")
        .def("end", &Guard::end, "Nothing is expected any more.");
    py::class_<Member>(module, "Member")
        .def(py::init<const std::string&, const std::string&, const std::string&, const Tags&, const std::string&, double, bool>(), "node"_a, "cluster"_a, "endpoint"_a, "tags"_a, "dir"_a,
             "wait"_a, "replace"_a)
        .def("bound_beat", &Member::bound_beat)
        .def("beat_at", &Member::beat_at, "now"_a, "The same at an instant of time.monotonic() that was read before.")
        .def("start_beating", [](Member& m) { m.do_or_raise(rollcall_start_beating); }, "A thread that beats and rejoins by itself until the member leaves. Tie it to your work by guards.")
        .def("keep_known", [](Member& m) { alone(m.mutex(), [&] { rollcall_keep_known(m.handle()); }); },
             "For loops of their own: connects to a new engine where the old one has ended. Cheap while nothing happened.")
        .def("rejoin", [](Member& m) { m.do_or_raise(rollcall_rejoin); }, "After a beat that did not count. Raises Error where this member is over.")
        .def("leave", [](Member& m) { m.do_or_raise(rollcall_leave); }, "Says goodbye. Safe twice. Raises Error (no_engine) if nobody heard it.")
        .def("set_tags", &Member::set_tags, "tags"_a)
        .def("set_endpoint", &Member::set_endpoint, "endpoint"_a, "Tells where this node is reached.")
        .def_property_readonly("node", [](const Member& m) { return std::string(rollcall_member_node(m.handle())); })
        .def_property_readonly("incarnation", [](const Member& m) { return rollcall_member_incarnation(m.handle()); }, "Grows with every life of the node: a fencing token.")
        .def_property_readonly("interval", [](const Member& m) { return seconds(rollcall_member_interval(m.handle())); }, "How often to beat, in seconds.")
        .def_property_readonly("suspect_timeout", [](const Member& m) { return seconds(rollcall_member_suspect_timeout(m.handle())); }, "Silence before suspicion, in seconds.");
}

void define_observers(py::module_& module) {
    using namespace py::literals;
    py::class_<Observer>(module, "Observer")
        .def(py::init<const std::string&, const std::string&, std::optional<std::uint64_t>, std::optional<std::uint64_t>>(), "cluster"_a, "dir"_a, "after"_a, "stream"_a)
        .def("poll", &Observer::poll)
        .def("wait", &Observer::wait, "timeout"_a)
        .def("fileno", &Observer::fileno)
        .def("is_stale", &Observer::is_stale)
        .def("snapshot", &Observer::snapshot)
        .def("find", &Observer::find, "node"_a)
        .def("info", &Observer::info);
    py::class_<View>(module, "View")
        .def(py::init<const std::string&, const std::string&>(), "cluster"_a, "dir"_a)
        .def("next", &View::next, "timeout"_a)
        .def("fileno", &View::fileno)
        .def("peers", &View::peers)
        .def("find", &View::find, "node"_a)
        .def_property_readonly("number", &View::number);
}

}  // namespace

PYBIND11_MODULE(_rollcall, module) {
    module.doc() = "What the package rollcall is made of. Use the package.";
    module.def("meet", [](py::object error, std::vector<py::object> beats) { package() = {std::move(error), std::move(beats)}; });
    module.def("version", [] { return rollcall_version(); });
    define_members(module);
    define_observers(module);
}
