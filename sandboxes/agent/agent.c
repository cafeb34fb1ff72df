/* The agent that lives in a box as its PID 1: does what the driver asks over stdin and stdout, and dies at EOF.
 *
 * Where the driver listens at LINK, a connection to it takes the place of both: what holds the box up then passes
 * nothing on, and a command's round trip is shorter.
 *
 * Not trusted: it runs as the box's own user, so nothing that it reports may decide a verdict on its own. Statically
 * linked and small, because its boot is part of every box's start, and because it must run in any root file system.
 */
#include "box.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINK "/run/link/socket"

static double dies_at;

/* Leave, if the driver has or our time is over; then say so, whatever the driver is waiting for. */
static void check(void) {
    struct pollfd driver = {0, 0, 0};
    if (now() > dies_at) {
        reply_begin("over");
        reply_send();
        _exit(0);
    }
    if (poll(&driver, 1, 0) > 0) _exit(0);
}

static void wait_for_request(void) {
    struct pollfd driver = {0, POLLIN, 0};
    for (;;) {
        double left = dies_at - now();
        int ready = poll(&driver, 1, left > 0 ? (left < 3600 ? (int)(left * 1e3) + 1 : 3600000) : 0);
        if (ready > 0) return;
        if (left <= 0) check();
    }
}

/* Fields: "hello", lifetime in seconds, the disk's bytes, the system call filter, limits of each command. */
static int hello(const Request *request) {
    dies_at = now() + strtod(request->fields[1].data, NULL);
    for (size_t i = 4; i < request->count; i++)
        if (guard_limit(&request->fields[i])) return EINVAL;
    int failure = layers_prepare(&request->fields[2]);
    return failure ? failure : guard_filter(&request->fields[3]) ? errno : 0;
}

static int answer(const Request *request) {
    const char *name = request->fields[0].data;
    if (!strcmp(name, "exec") && request->count == 7) return run_command(request, check);
    if (!strcmp(name, "read") && request->count == 3) return read_file(request);
    if (!strcmp(name, "write") && request->count == 3) return write_file(request);
    if (!strcmp(name, "freeze") && request->count == 2) return layers_freeze(strtoull(request->fields[1].data, NULL, 10));
    if (!strcmp(name, "unpack")) return unpack(WORKSPACE);
    if (!strcmp(name, "reset")) return layers_reset();
    if (!strcmp(name, "ping")) return 0;
    if (!strcmp(name, "hello") && request->count >= 4) return hello(request);
    return ENOSYS;
}

/* If it can not be had, stdin and stdout are the channel. EOF on either ends us. */
static void connect_to_driver(void) {
    struct sockaddr_un place = {AF_UNIX, LINK};
    int link = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link < 0) return;
    if (connect(link, (struct sockaddr *)&place, sizeof place) == 0) {
        dup2(link, 0);
        dup2(link, 1);
    }
    close(link);
}

/* Alone, the agent of the box that somebody else has made around it; with an argument, a fork server for boxes. */
int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) serve_boxes();
    guard_self();
    connect_to_driver();
    dies_at = now() + 120;
    for (;;) {
        wait_for_request();
        const Request *request = receive();
        reap_orphans();
        reply_begin("ok");
        int failure = answer(request);
        if (failure) reply_error(failure, strerror(failure));
        reply_send();
    }
}
