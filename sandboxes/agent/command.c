/* One command: its streams, its end, and what it leaves running. */
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FLOOD (256ull << 20)   /* bytes of output past which every process of the box is killed for it */
#define PIPE_SLACK (1u << 20)  /* the largest pipe a user may make: what can be left in one whose writers are dead */
#define TICK_MS 250            /* orphans are reaped this often while a command runs: each counts as a process */
#define NOT_ENDED (-1)
#define FULL_S 2.0             /* how long a command waits for room among the box's processes */

enum { OUT, ERR, IN, CHILD, DRIVER, WATCHED };

/* The head and the tail of a stream within a cap; what fell between is only counted. */
typedef struct {
    char *head, *ring;
    size_t head_cap, ring_cap;
    unsigned long long total;
} Tail;

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static Tail tail_of(size_t cap) {
    /* untouched memory costs nothing: a generous cap is no reason to be sparing */
    return (Tail){grown(NULL, cap - cap / 2), grown(NULL, cap / 2), cap - cap / 2, cap / 2, 0};
}

static void tail_add(Tail *tail, const char *data, size_t size) {
    if (tail->total < tail->head_cap) {
        size_t fits = tail->head_cap - tail->total < size ? tail->head_cap - tail->total : size;
        memcpy(tail->head + tail->total, data, fits);
        tail->total += fits;
        data += fits;
        size -= fits;
    }
    unsigned long long at = tail->total - tail->head_cap;
    tail->total += size;
    while (size && tail->ring_cap) {
        size_t place = at % tail->ring_cap;
        size_t fits = tail->ring_cap - place < size ? tail->ring_cap - place : size;
        memcpy(tail->ring + place, data, fits);
        at += fits;
        data += fits;
        size -= fits;
    }
}

static size_t tail_kept(const Tail *tail) {
    size_t cap = tail->head_cap + tail->ring_cap;
    return tail->total < cap ? (size_t)tail->total : cap;
}

static void tail_reply(const Tail *tail) {
    size_t kept = tail_kept(tail), head = kept < tail->head_cap ? kept : tail->head_cap;
    char *at = reply_room(kept);
    memcpy(at, tail->head, head);
    size_t rest = kept - head;
    if (rest == 0) return;
    size_t end = (size_t)((tail->total - tail->head_cap) % tail->ring_cap);
    size_t first = rest < tail->ring_cap ? 0 : end; /* not full: begins at its start */
    memcpy(at + head, tail->ring + first, rest - first);
    memcpy(at + head + rest - first, tail->ring, first);
}

/* Bury the dead. *status is set, and 1 returned, if `wanted` was among them. */
static int reap(pid_t wanted, int *status) {
    int found = 0, each;
    for (pid_t pid; (pid = waitpid(-1, &each, WNOHANG)) > 0;) {
        if (pid != wanted) continue;
        *status = WIFSIGNALED(each) ? -WTERMSIG(each) : WEXITSTATUS(each);
        found = 1;
    }
    return found;
}

void reap_orphans(void) {
    int unwanted;
    reap(0, &unwanted);
}

/* Kill every process of the box but this one. One signal to all is atomic: not even a fork bomb outruns it. */
static int kill_all(pid_t wanted, int *status) {
    int found = 0;
    for (double patience = now() + 5; now() < patience; usleep(500)) {
        if (kill(-1, SIGKILL) && errno == ESRCH) return reap(wanted, status) || found;
        found |= reap(wanted, status);
    }
    return found;
}

void kill_everything(void) {
    int unwanted;
    kill_all(0, &unwanted);
}

/* The words of a field that are separated by NUL, as a list ended by NULL. */
static char **words(const Field *field) {
    size_t count = 1;
    for (size_t i = 0; i < field->size; i++) count += field->data[i] == '\0';
    char **list = grown(NULL, (count + 1) * sizeof *list), *at = field->data;
    for (size_t i = 0; i < count; i++) {
        list[i] = at;
        at += strlen(at) + 1;
    }
    list[field->size ? count : 0] = NULL;
    return list;
}

/* Like execvpe, but silent about directories that it may not look into. Returns only if it fails, with errno. */
static void execute(char **argv, char **env) {
    const char *name = argv[0], *path = "";
    if (*name == '\0' || strchr(name, '/')) {
        execve(name, argv, env);
        return;
    }
    for (char **each = env; *each; each++)
        if (strncmp(*each, "PATH=", 5) == 0) path = *each + 5;
    int failure = ENOENT;
    for (;;) {
        char place[4096];
        const char *end = strchrnul(path, ':');
        if (snprintf(place, sizeof place, "%.*s/%s", (int)(end - path), path, name) < (int)sizeof place) {
            execve(place, argv, env);
            if (errno != ENOENT && errno != ENOTDIR) failure = errno;
        }
        if (*end == '\0') break;
        path = end + 1;
    }
    errno = failure;
}

/* In the new process, which has our memory until it is the command: turn into it, or say on its stderr why not. */
static _Noreturn void become(char **argv, char **env, const char *cwd, const int streams[3]) {
    const char *what = cwd;
    int status = 126;
    for (int target = 0; target < 3; target++)
        if (dup2(streams[target], target) != target) _exit(126); /* or it would have the agent's own */
    setsid();
    if ((*cwd == '/' || chdir(WORKSPACE) == 0) && chdir(cwd) == 0) {
        what = "its limits";
        if (guard_command() == 0) {
            what = argv[0];
            execute(argv, env);
            if (errno == ENOENT || errno == ENOTDIR) status = 127;
        }
    }
    dprintf(2, "agentgym: %s: %s\n", what, strerror(errno));
    _exit(status);
}

/* The command's process. Where the box's processes are counted with ours, a box that is full has no room for it. */
static pid_t spawn(char **argv, char **env, const char *cwd, const int streams[3], double patience) {
    for (double began = now();; usleep(5000), reap_orphans()) {
        guard_volunteer(1);
        pid_t pid = vfork();
        if (pid == 0) become(argv, env, cwd, streams);
        int failure = errno;
        guard_volunteer(0);
        errno = failure;
        if (pid > 0 || failure != EAGAIN || now() > began + patience) return pid;
    }
}

/* The reply for a command whose time was over before there was room for it: what took the room is killed. */
static int reply_no_room(double seconds) {
    kill_everything();
    reply_format("%d", -SIGKILL);
    reply_format("timeout");
    reply_room(0);
    reply_room(0);
    reply_format("0");
    reply_format("0");
    reply_format("%.6f", seconds);
    return 0;
}

static int unblocked(int descriptor) {
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    return descriptor;
}

static void drop(int *descriptor) {
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
}

/* Take what is in a pipe now. 0 when it is empty or at its end; at its end it is dropped, or poll would spin. */
static int pull(int *descriptor, Tail *tail) {
    static char data[1 << 16];
    ssize_t got = read(*descriptor, data, sizeof data);
    if (got > 0) tail_add(tail, data, (size_t)got);
    else if (got == 0 || errno != EAGAIN) drop(descriptor);
    return got > 0;
}

static void push(int *descriptor, Field *unfed) {
    ssize_t put = write(*descriptor, unfed->data, unfed->size < CHUNK ? unfed->size : CHUNK);
    if (put > 0) {
        unfed->data += put;
        unfed->size -= (size_t)put;
    }
    if (unfed->size == 0 || (put < 0 && errno != EAGAIN)) drop(descriptor);
}

static void drain(int *descriptor, Tail *tail) {
    unsigned long long stop = tail->total + PIPE_SLACK; /* others may hold the pipe, and go on writing */
    while (*descriptor >= 0 && tail->total < stop && pull(descriptor, tail)) {}
    drop(descriptor);
}

/* Move bytes until the command's own process has ended, whoever else holds its pipes. What we killed it for, or "". */
static const char *attend(struct pollfd *watched, pid_t pid, double ends, Field *stdin_, Tail *tails, int *status,
                          void (*tick)(void)) {
    for (;;) {
        double left = ends - now();
        int flood = tails[OUT].total + tails[ERR].total > FLOOD;
        if (left <= 0 || flood) {
            if (!kill_all(pid, status)) *status = -SIGKILL;
            return flood ? "output" : "timeout";
        }
        int ready = poll(watched, WATCHED, left < TICK_MS / 1e3 ? (int)(left * 1e3) + 1 : TICK_MS);
        if (watched[IN].revents) push(&watched[IN].fd, stdin_);
        if (watched[OUT].revents) pull(&watched[OUT].fd, &tails[OUT]);
        if (watched[ERR].revents) pull(&watched[ERR].fd, &tails[ERR]);
        if (ready <= 0 || watched[CHILD].revents || watched[DRIVER].revents) {
            tick();
            if (reap(pid, status)) return "";
        }
    }
}

/* Fields: "exec", time-out in seconds, cap of each stream, cwd, argv, environment, stdin.
 * Reply: exit code (negative: a signal), why we killed it, stdout, stderr, bytes dropped of each, seconds. */
int run_command(const Request *request, void (*tick)(void)) {
    const Field *field = request->fields;
    double timeout = strtod(field[1].data, NULL), began = now();
    size_t cap = strtoull(field[2].data, NULL, 10);
    Field unfed = field[6];
    char **argv = words(&field[4]), **env = words(&field[5]);
    int out[2] = {-1, -1}, err[2] = {-1, -1}, in[2] = {-1, -1};
    int ready = !pipe2(out, O_CLOEXEC) && !pipe2(err, O_CLOEXEC) &&
                (unfed.size ? !pipe2(in, O_CLOEXEC) : (in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0);
    int streams[3] = {in[0], out[1], err[1]};
    pid_t pid = ready ? spawn(argv, env, field[3].data, streams, timeout < FULL_S ? timeout : FULL_S) : -1;
    int failure = errno;
    free(argv);
    free(env);
    drop(&in[0]);
    drop(&out[1]);
    drop(&err[1]);
    if (pid < 0) {
        drop(&out[0]);
        drop(&err[0]);
        drop(&in[1]);
        return failure == EAGAIN && timeout <= FULL_S ? reply_no_room(now() - began) : failure;
    }
    struct pollfd watched[WATCHED] = {
        [OUT] = {unblocked(out[0]), POLLIN, 0},
        [ERR] = {unblocked(err[0]), POLLIN, 0},
        [IN] = {unfed.size ? unblocked(in[1]) : -1, POLLOUT, 0},
        [CHILD] = {(int)syscall(SYS_pidfd_open, pid, 0), POLLIN, 0},
        [DRIVER] = {0, 0, 0},
    };
    Tail tails[2] = {tail_of(cap), tail_of(cap)};
    int status = 0;
    const char *killed = attend(watched, pid, began + timeout, &unfed, tails, &status, tick);
    close(watched[CHILD].fd);
    drop(&watched[IN].fd);
    reply_format("%d", status);
    reply_add(killed, strlen(killed));
    for (int each = OUT; each <= ERR; each++) drain(&watched[each].fd, &tails[each]);
    for (int each = OUT; each <= ERR; each++) tail_reply(&tails[each]);
    for (int each = OUT; each <= ERR; each++) {
        reply_format("%llu", tails[each].total - tail_kept(&tails[each]));
        free(tails[each].head);
        free(tails[each].ring);
    }
    reply_format("%.6f", now() - began);
    return 0;
}
