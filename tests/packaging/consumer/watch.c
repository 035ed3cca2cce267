/* Tells of each event, "KIND NODE" a line, as whoever has only the packages would: cc watch.c $(pkg-config --cflags --libs rollcall-c) */
#include <stdio.h>

#include <rollcall/rollcall.h>

int main(void) {
    rollcall_observer_options options = {sizeof options, NULL, NULL, 0, 0, 0, 0};
    rollcall_error error;
    rollcall_event event;
    rollcall_view *view = rollcall_view_open(&options, &error);
    int found = 0;
    if (view == NULL) return fprintf(stderr, "%s\n", error.message), 1;
    while ((found = rollcall_view_next(view, 1000000000, &event, sizeof event, &error)) >= 0) {
        if (found == 1) printf("%s %s\n", rollcall_event_name(event.kind), event.node);
        if (fflush(stdout) != 0) break;
    }
    rollcall_view_free(view);
    return 1;
}
