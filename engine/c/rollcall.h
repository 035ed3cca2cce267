/* rollcall for C, and for every language that calls C. Link with -lrollcall.
 *
 *     rollcall_member_options options = {.size = sizeof options, .node = "worker-1"};
 *     rollcall_error error;
 *     rollcall_member *me = rollcall_join(&options, &error);
 *     if (me == NULL) return fail(error.message);
 *     while (do_work())
 *         if (rollcall_beat(me) > ROLLCALL_BEAT_UNOBSERVED && rollcall_rejoin(me, &error) != 0) return fail(error.message);
 *     rollcall_member_free(me);
 *
 * The ABI is stable: handles are opaque, symbols have versions, structures that you make begin with their size, and those that you are given only
 * grow at their end. Numbers of enumerations never change; new ones may come.
 *
 * Durations and instants are nanoseconds; instants are of CLOCK_MONOTONIC. Text is UTF-8 ending in NUL. NULL stands for the default. What is
 * returned belongs to the library until its _free, which takes NULL too. A function that takes an error fills it on failure; it may be NULL.
 * A handle is for one thread at a time, except where another word is said; different handles are independent. After fork() a child may only free
 * its copies of handles. Nothing is thrown, no signal is taken but SIGBUS (see rollcall(3)).
 */
#ifndef ROLLCALL_H
#define ROLLCALL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rollcall_member rollcall_member;
typedef struct rollcall_guard rollcall_guard;
typedef struct rollcall_observer rollcall_observer;
typedef struct rollcall_view rollcall_view;
typedef struct rollcall_peers rollcall_peers;

/* Why something failed. */
enum {
    ROLLCALL_OK = 0,
    ROLLCALL_INVALID = 1,      /* an argument, a setting or a name makes no sense */
    ROLLCALL_NO_CLUSTER = 2,   /* nothing has been created under this name */
    ROLLCALL_NO_ENGINE = 3,    /* the memory is there, its engine is not */
    ROLLCALL_HELD = 4,         /* somebody living holds the node id */
    ROLLCALL_FULL = 5,         /* capacity, memory or descriptors are exhausted */
    ROLLCALL_REFUSED = 6,      /* permission, owner, another cluster */
    ROLLCALL_REPLACED = 7,     /* another life of this node has taken over */
    ROLLCALL_UNKNOWN_NODE = 8, /* no such node */
    ROLLCALL_INCOMPATIBLE = 9, /* another layout version, boot, time namespace */
    ROLLCALL_DAMAGED = 10,     /* what lies there is not rollcall's memory, or no longer */
    ROLLCALL_TIMEOUT = 11,     /* time ran out */
    ROLLCALL_BUSY = 12,        /* a reader found no quiet moment: try again */
    ROLLCALL_SYSTEM = 13       /* the operating system said no */
};

typedef struct rollcall_error {
    int32_t kind;      /* ROLLCALL_... */
    char message[508]; /* what, where, what to do; one line */
} rollcall_error;

/* "no_cluster", "held" and so on; "unknown" for a number that is none. Never NULL. The same for the other enumerations below. */
const char *rollcall_error_name(int kind);
const char *rollcall_beat_name(int beat);
const char *rollcall_event_name(int kind);
const char *rollcall_state_name(int state);
const char *rollcall_reason_name(int reason);
/* "1.2.3": of the library that is loaded. */
const char *rollcall_version(void);

/* ---- members -------------------------------------------------------------------------------------------------------------------------- */

typedef struct rollcall_tag {
    const char *key, *value;
} rollcall_tag;

typedef struct rollcall_member_options {
    size_t size;             /* sizeof(rollcall_member_options) */
    const char *cluster;     /* "default" */
    const char *node;        /* required: 1 to 63 bytes without controls or white space */
    const char *endpoint;    /* up to 255 bytes */
    const char *dir;         /* $ROLLCALL_DIR, else the folders of this user and of root */
    const rollcall_tag *tags; /* up to 512 bytes in all: keys, values, and two bytes a tag */
    size_t tag_count;
    int64_t wait_ns;         /* go on trying so long while there is no engine or the id is held */
    int32_t replace;         /* not 0: take the id from a living holder (needs the same uid, or operator) */
} rollcall_member_options;

/* What a beat answers. Up to ROLLCALL_BEAT_UNOBSERVED there is nothing to do. */
enum {
    ROLLCALL_BEAT_COUNTED = 0,
    ROLLCALL_BEAT_UNOBSERVED = 1, /* it stands, but no engine has looked for the suspect timeout: go on beating */
    ROLLCALL_BEAT_SUPERSEDED = 2, /* the memory was replaced: rejoin */
    ROLLCALL_BEAT_EVICTED = 3,    /* the slot is free, dead or somebody else's: rejoin */
    ROLLCALL_BEAT_DAMAGED = 4,    /* the word is not what it must be: rejoin */
    ROLLCALL_BEAT_REPLACED = 5,   /* another life of this node has taken over: end */
    ROLLCALL_BEAT_NOT_MINE = 6,   /* a forked child's copy of its parent's member: join anew */
    ROLLCALL_BEAT_STALLED = 7     /* did not beat: a guard's budget is over. Go on; a rejoin waits for it too */
};

/* Returns once everybody can see `joined`; NULL on failure: NO_CLUSTER, NO_ENGINE, HELD, FULL, REFUSED, INVALID, INCOMPATIBLE, TIMEOUT. */
rollcall_member *rollcall_join(const rollcall_member_options *options, rollcall_error *error);
/* Says goodbye, if that was not done. */
void rollcall_member_free(rollcall_member *member);

/* A sign of life: one atomic instruction and a clock read. Any thread while no other function runs; async-signal-safe. */
int rollcall_beat(rollcall_member *member);
/* The same at an instant read before: about 6 ns. */
int rollcall_beat_at(rollcall_member *member, int64_t now_ns);
/* A thread that beats and rejoins by itself until the member leaves. Safe twice. 0, or FULL, INVALID. */
int rollcall_start_beating(rollcall_member *member, rollcall_error *error);
/* For loops of their own: connects to a new engine where the old one has ended. Cheap while nothing happened. */
void rollcall_keep_known(rollcall_member *member);
/* After a beat that was not counted. 0: go on beating, and call it again after the next such beat. Else this member is over: why. */
int rollcall_rejoin(rollcall_member *member, rollcall_error *error);
/* Says goodbye: `left`. Safe twice. 0, or NO_ENGINE if nobody heard it. */
int rollcall_leave(rollcall_member *member, rollcall_error *error);
/* Replaces all tags; the endpoint. 0, or as joining fails. */
int rollcall_set_tags(rollcall_member *member, const rollcall_tag *tags, size_t count, rollcall_error *error);
int rollcall_set_endpoint(rollcall_member *member, const char *endpoint, rollcall_error *error);

const char *rollcall_member_node(const rollcall_member *member);
uint64_t rollcall_member_incarnation(const rollcall_member *member); /* grows with every life: a fencing token */
int64_t rollcall_member_interval(const rollcall_member *member);     /* how often to beat */
int64_t rollcall_member_suspect_timeout(const rollcall_member *member);

/* From now on the member beats only while progress is made: what follows must end (rollcall_guard_end), or rollcall_guard_progress be called,
 * within the budget (more than 0), or beats answer STALLED, silence is judged as always, and `rollcall why` shows the name (up to 39 bytes, or
 * NULL). Any thread, while others beat. A guard may be told of progress or rest by any thread, also in a signal handler. NULL: no memory. */
rollcall_guard *rollcall_guard_begin(rollcall_member *member, int64_t budget_ns, const char *name);
void rollcall_guard_progress(rollcall_guard *guard); /* the budget begins anew */
void rollcall_guard_rest(rollcall_guard *guard);     /* nothing is expected until the next progress */
void rollcall_guard_end(rollcall_guard *guard);      /* takes NULL too */

/* ---- observers ------------------------------------------------------------------------------------------------------------------------ */

enum { ROLLCALL_STATE_NONE = 0, ROLLCALL_STATE_ALIVE = 1, ROLLCALL_STATE_SUSPECT = 2, ROLLCALL_STATE_DEAD = 3 };

/* The ground of a judgement. */
enum {
    ROLLCALL_REASON_NONE = 0,
    ROLLCALL_REASON_JOIN = 1,
    ROLLCALL_REASON_REGISTERED = 2,
    ROLLCALL_REASON_HEARTBEAT = 3,
    ROLLCALL_REASON_SILENCE = 4,
    ROLLCALL_REASON_PROCESS_EXIT = 5,
    ROLLCALL_REASON_GOODBYE = 6,
    ROLLCALL_REASON_REPLACED = 7,
    ROLLCALL_REASON_OPERATOR = 8,
    ROLLCALL_REASON_HOST_SILENCE = 9,
    ROLLCALL_REASON_HOST_RESTARTED = 10,
    ROLLCALL_REASON_HOST_SAID = 11,
    ROLLCALL_REASON_UNOBSERVED = 12
};

enum {
    ROLLCALL_EVENT_NONE = 0,
    ROLLCALL_EVENT_JOINED = 1,
    ROLLCALL_EVENT_SUSPECT = 2,
    ROLLCALL_EVENT_RECOVERED = 3,
    ROLLCALL_EVENT_DEAD = 4,
    ROLLCALL_EVENT_EVICTED = 5,
    ROLLCALL_EVENT_LEFT = 6,
    ROLLCALL_EVENT_UPDATED = 7,
    ROLLCALL_EVENT_PAUSED = 8, /* the detector itself was not observing */
    ROLLCALL_EVENT_GAP = 9,    /* this observer missed events: from_sequence to sequence */
    ROLLCALL_EVENT_HOST_JOINED = 10,
    ROLLCALL_EVENT_HOST_SUSPECT = 11,
    ROLLCALL_EVENT_HOST_RECOVERED = 12,
    ROLLCALL_EVENT_HOST_DEAD = 13,
    ROLLCALL_EVENT_HOST_EVICTED = 14,
    ROLLCALL_EVENT_HOST_LEFT = 15,
    ROLLCALL_EVENT_HOST_UPDATED = 16,
    ROLLCALL_EVENT_ONE_WAY = 17,
    ROLLCALL_EVENT_ORPHANED = 18,
    ROLLCALL_EVENT_DUPLICATE = 19,
    ROLLCALL_EVENT_MASS_SILENCE = 20,
    ROLLCALL_EVENT_HOST_DUPLICATE = 21
};

/* What the detector saw when it judged. Durations that were not involved are 0. */
typedef struct rollcall_evidence {
    int64_t age_ns;  /* of the last beat */
    int64_t lost_ns; /* how much of that age nobody was observing */
    int64_t late_ns; /* how long after the threshold the detector looked */
    int64_t suspect_timeout_ns, dead_timeout_ns;
    int32_t exit_code; /* how the process ended: -1 where it is not known or was a signal */
    int32_t signal;    /* 0: none */
} rollcall_evidence;

typedef struct rollcall_event {
    int32_t kind, state, reason; /* state: of the peer after this event; NONE once it is gone */
    uint32_t slot, generation, epoch;
    uint64_t sequence;      /* no number is ever left out: a gap says so */
    uint64_t from_sequence; /* of a gap: the first one missed */
    uint64_t stream;        /* the unbroken series that the sequence belongs to */
    uint64_t view;          /* number of the membership after this event */
    uint64_t incarnation;
    int64_t at_ns;     /* when it was judged */
    int64_t wall_us;   /* the same for show: microseconds since 1970, UTC */
    int64_t length_ns; /* of PAUSED */
    rollcall_evidence evidence;
    char node[64]; /* of an event of a host: the host's */
    char host[64]; /* "": this one */
} rollcall_event;

typedef struct rollcall_peer {
    const char *node, *endpoint, *host; /* host "": this one */
    const rollcall_tag *tags;
    size_t tag_count;
    int32_t state, reason;
    uint64_t incarnation, last_event; /* the sequence of the event that brought it into this form */
    uint32_t slot, generation;
    int64_t since_ns;          /* in this state since */
    int64_t last_heartbeat_ns; /* -1: none any more, its end is proved */
    uint32_t pid, uid, gid;    /* pid 0: none, or not visible */
    int32_t is_local;          /* judged by its own word on this host */
    rollcall_evidence evidence;
    const char *stall_guard; /* the guard that holds it back; NULL: none. rollcall_snapshot looks only at those who are not alive */
    int64_t stall_since_ns, stall_budget_ns;
} rollcall_peer;

typedef struct rollcall_observer_options {
    size_t size;         /* sizeof(rollcall_observer_options) */
    const char *cluster; /* "default" */
    const char *dir;     /* $ROLLCALL_DIR, else the folders of this user and of root */
    int32_t resume;      /* not 0: go on after `after` of `stream`. 0: with what comes next */
    uint64_t after;      /* 0: all that the ring still holds */
    uint64_t stream;     /* 0: whichever there is; another one than the memory's is answered by one gap */
} rollcall_observer_options;

/* NULL on failure: NO_CLUSTER, INCOMPATIBLE, DAMAGED, REFUSED. A dead engine's memory is readable too. */
rollcall_observer *rollcall_observe(const rollcall_observer_options *options, rollcall_error *error);
void rollcall_observer_free(rollcall_observer *observer);

/* 1: `event` is the next one; 0: there is none yet. `size` is sizeof(rollcall_event). */
int rollcall_poll(rollcall_observer *observer, rollcall_event *event, size_t size);
/* Sleeps until something was published, the memory was replaced, or time is over. 1, or 0: time over. */
int rollcall_wait(rollcall_observer *observer, int64_t timeout_ns);
/* For poll and epoll: readable when events may be waiting (clear it by read). The observer's; costs one thread. -1 on failure. */
int rollcall_fd(rollcall_observer *observer);
/* Not 0: the memory was replaced, and another observer has to be made. Costs a stat. */
int rollcall_is_stale(const rollcall_observer *observer);

/* All peers at exactly one moment, and poll goes on behind it; NULL: BUSY, DAMAGED, FULL. Blocks nobody. */
rollcall_peers *rollcall_snapshot(rollcall_observer *observer, rollcall_error *error);
/* One peer, as a list of one; NULL: UNKNOWN_NODE, BUSY, DAMAGED. */
rollcall_peers *rollcall_find(const rollcall_observer *observer, const char *node, rollcall_error *error);
size_t rollcall_peers_count(const rollcall_peers *peers);
/* Belongs to the list; NULL beyond its end. */
const rollcall_peer *rollcall_peers_get(const rollcall_peers *peers, size_t index);
uint64_t rollcall_peers_sequence(const rollcall_peers *peers); /* the last event that the list knows of */
void rollcall_peers_free(rollcall_peers *peers);

typedef struct rollcall_info {
    char cluster[64], node[64], host[64], engine_version[32]; /* node: the engine's own */
    uint64_t stream, view, head; /* head: sequence of the last event */
    uint32_t epoch, engine_pid, capacity, ring;
    int32_t running;
    int64_t heartbeat_ns, suspect_ns, dead_ns, evict_ns, scan_ns; /* settings in force */
    int64_t last_step_ns;                                         /* when the detector last looked */
    uint64_t peers_joined, peers_suspected, peers_dead, peers_evicted, peers_recovered, peers_left; /* since the memory was created */
} rollcall_info;

/* `size` is sizeof(rollcall_info). */
void rollcall_get_info(const rollcall_observer *observer, rollcall_info *info, size_t size);

/* ---- views: the membership, kept up to date -------------------------------------------------------------------------------------------- */

/* Fails as rollcall_observe and rollcall_snapshot do. The options' `resume` is not asked. */
rollcall_view *rollcall_view_open(const rollcall_observer_options *options, rollcall_error *error);
void rollcall_view_free(rollcall_view *view);
/* Takes the next event into the view, and waits for it up to `timeout_ns`. Gaps, snapshots and memory that was replaced are seen to: what could not
 * be seen is told by one gap. 1: `event` is told and known; 0: time is over; -1: BUSY, DAMAGED, FULL; a later call tries again. */
int rollcall_view_next(rollcall_view *view, int64_t timeout_ns, rollcall_event *event, size_t size, rollcall_error *error);
/* As rollcall_fd; another one after the memory was replaced. */
int rollcall_view_fd(rollcall_view *view);
/* What the view knows now, without a look at the memory. Lists as above, of one in the second case; NULL: UNKNOWN_NODE, FULL. */
rollcall_peers *rollcall_view_peers(const rollcall_view *view, rollcall_error *error);
rollcall_peers *rollcall_view_find(const rollcall_view *view, const char *node, rollcall_error *error);
uint64_t rollcall_view_number(const rollcall_view *view); /* of the membership */

#ifdef __cplusplus
}
#endif
#endif
