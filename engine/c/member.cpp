// Members and guards for C.
#include "engine/c/edge.hpp"
#include "engine/client/member.hpp"

using namespace rollcall;

static_assert(int{ROLLCALL_BEAT_UNOBSERVED} == int{Beat::unobserved} && int{ROLLCALL_BEAT_DAMAGED} == int{Beat::damaged} && int{ROLLCALL_BEAT_STALLED} == int{Beat::stalled});

struct rollcall_member {
    Member member;
};
struct rollcall_guard {
    Guard guard;
};

namespace {

// Of two tags of one key the later one counts.
Result<Tags> tags_of(const rollcall_tag* tags, std::size_t count) {
    Tags all;
    for (std::size_t i = 0; i < count; ++i) {
        if (tags[i].key == nullptr) return fail(ErrorKind::invalid, "tag " + std::to_string(i) + " has no key");
        all.insert_or_assign(c::text(tags[i].key), c::text(tags[i].value));
    }
    return all;
}

Result<Member> join(const rollcall_member_options& options) {
    auto tags = tags_of(options.tags, options.tags == nullptr ? 0 : options.tag_count);
    if (!tags) return fail(tags.error());
    MemberOptions o;
    if (options.cluster != nullptr) o.cluster = options.cluster;
    o.node = c::text(options.node);
    o.endpoint = c::text(options.endpoint);
    o.dir = c::text(options.dir);
    o.tags = std::move(*tags);
    o.replace = options.replace != 0;
    o.wait = Duration{options.wait_ns};
    return Member::join(std::move(o));
}

}  // namespace

ROLLCALL_EXPORT rollcall_member* rollcall_join(const rollcall_member_options* given, rollcall_error* error) try {
    rollcall_member_options options;
    if (!c::take_options(given, options, error)) return nullptr;
    auto member = join(options);
    if (!member) return c::failed(error, member.error()), nullptr;
    return new rollcall_member{std::move(*member)};
} catch (const std::bad_alloc&) {
    c::no_memory(error);
    return nullptr;
}

ROLLCALL_EXPORT void rollcall_member_free(rollcall_member* member) { delete member; }

ROLLCALL_EXPORT int rollcall_beat(rollcall_member* member) { return member->member.beat().kind; }
ROLLCALL_EXPORT int rollcall_beat_at(rollcall_member* member, int64_t now_ns) { return member->member.beat(instant_from_ns(now_ns)).kind; }

ROLLCALL_EXPORT int rollcall_start_beating(rollcall_member* member, rollcall_error* error) { return c::said(member->member.start_beating(), error); }
ROLLCALL_EXPORT void rollcall_keep_known(rollcall_member* member) { member->member.keep_known(); }
ROLLCALL_EXPORT int rollcall_rejoin(rollcall_member* member, rollcall_error* error) {
    return member->member.rejoin() ? int{ROLLCALL_OK} : c::failed(error, member->member.error());
}
ROLLCALL_EXPORT int rollcall_leave(rollcall_member* member, rollcall_error* error) { return c::said(member->member.leave(), error); }

ROLLCALL_EXPORT int rollcall_set_tags(rollcall_member* member, const rollcall_tag* tags, size_t count, rollcall_error* error) try {
    auto all = tags_of(tags, tags == nullptr ? 0 : count);
    return all ? c::said(member->member.set_tags(std::move(*all)), error) : c::failed(error, all.error());
} catch (const std::bad_alloc&) {
    return c::no_memory(error);
}
ROLLCALL_EXPORT int rollcall_set_endpoint(rollcall_member* member, const char* endpoint, rollcall_error* error) try {
    return c::said(member->member.set_endpoint(c::text(endpoint)), error);
} catch (const std::bad_alloc&) {
    return c::no_memory(error);
}

ROLLCALL_EXPORT const char* rollcall_member_node(const rollcall_member* member) { return member->member.node().c_str(); }
ROLLCALL_EXPORT uint64_t rollcall_member_incarnation(const rollcall_member* member) { return member->member.incarnation().value; }
ROLLCALL_EXPORT int64_t rollcall_member_interval(const rollcall_member* member) { return member->member.interval().count(); }
ROLLCALL_EXPORT int64_t rollcall_member_suspect_timeout(const rollcall_member* member) { return member->member.suspect_timeout().count(); }

ROLLCALL_EXPORT rollcall_guard* rollcall_guard_begin(rollcall_member* member, int64_t budget_ns, const char* name) try {
    return new rollcall_guard{member->member.guard(Duration{budget_ns}, name == nullptr ? std::string_view() : std::string_view(name))};
} catch (const std::bad_alloc&) {
    return nullptr;
}
ROLLCALL_EXPORT void rollcall_guard_progress(rollcall_guard* guard) { guard->guard.progress(); }
ROLLCALL_EXPORT void rollcall_guard_rest(rollcall_guard* guard) { guard->guard.rest(); }
ROLLCALL_EXPORT void rollcall_guard_end(rollcall_guard* guard) { delete guard; }

ROLLCALL_EXPORT const char* rollcall_beat_name(int beat) {
    return beat < 0 || beat > ROLLCALL_BEAT_STALLED ? "unknown" : to_string(static_cast<Beat::Kind>(beat)).data();
}
ROLLCALL_EXPORT const char* rollcall_version(void) { return ROLLCALL_VERSION; }
