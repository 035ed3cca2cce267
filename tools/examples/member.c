/* A member in C: this process is alive as long as its work goes on. Build it with: cc member.c -lrollcall */
#include <stdio.h>
#include <time.h>

#include <rollcall/rollcall.h>

static int do_some_work(void) { return nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL) == 0; }

int main(int argc, char **argv) {
    rollcall_tag role = {"role", "worker"};
    rollcall_member_options options = {.size = sizeof options, .node = argc > 1 ? argv[1] : "worker-1", .tags = &role, .tag_count = 1};
    rollcall_error error;
    rollcall_member *me = rollcall_join(&options, &error);
    if (me == NULL) return fprintf(stderr, "%s\n", error.message), 1;
    while (do_some_work()) /* the beat is where the work is: a program that hangs falls silent */
        if (rollcall_beat(me) > ROLLCALL_BEAT_UNOBSERVED && rollcall_rejoin(me, &error) != 0) return fprintf(stderr, "%s\n", error.message), 1;
    rollcall_member_free(me);
    return 0;
}
