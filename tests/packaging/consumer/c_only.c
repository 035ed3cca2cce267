/* The library for C, as whoever finds the package links it. */
#include <rollcall/rollcall.h>

int main(void) { return rollcall_version() == 0; }
