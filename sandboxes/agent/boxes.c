/* The fork server: one process inside bwrap that makes a box for every message, each a few system calls away.
 *
 * Entering bwrap costs many mounts and several processes; what it builds (a root, a user namespace in which we are 0) is
 * the same for many boxes. Each box gets process, mount, network, IPC and host name namespaces of its own, its writable
 * places, and then a user namespace in which it is user 1000 and may make no further one. What is made before that
 * belongs to the namespace above it, out of the box's power.
 *
 * Workspaces are unpacked here once, as bases; each box that asks for one sees it read-only, and its agent lays a layer
 * over it. Messages: "base ID BYTES" with a stream's descriptor, "drop ID", "box DISK SCRATCH ID" with a channel's.
 */
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define BOX_ID "1000"
#define BASES "/run/bases"
#define MOST_BASES 256

static int layered;              /* whether boxes can lay layers over bases; else their workspaces begin empty */
static int failures[MOST_BASES]; /* why a base can not be had */

static const char *doing; /* for the message, should it fail */

static int put(const char *path, const char *text) {
    doing = path;
    int file = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t done = file < 0 ? -1 : write(file, text, strlen(text));
    close(file);
    return done == (ssize_t)strlen(text) ? 0 : -1;
}

static int tmpfs(const char *path, const char *mode, unsigned long long bytes) {
    char options[64];
    snprintf(options, sizeof options, "mode=%s,size=%llu,nr_inodes=%llu", mode, bytes, INODES(bytes));
    doing = path;
    return mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options);
}

static int loopback_up(void) {
    struct ifreq request = {.ifr_name = "lo"};
    doing = "the loopback interface";
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int failed = ioctl(any, SIOCGIFFLAGS, &request);
    request.ifr_flags |= IFF_UP;
    failed = failed || ioctl(any, SIOCSIFFLAGS, &request);
    close(any);
    return failed;
}

static const char *place_of(int base) {
    static char place[32];
    snprintf(place, sizeof place, BASES "/%d", base);
    return place;
}

/* Unpack a workspace, and close it for good. */
static void add_base(int base, unsigned long long bytes, int stream) {
    const char *place = place_of(base);
    int closed = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV;
    failures[base] = (mkdir(place, 0755) && errno != EEXIST) || tmpfs(place, "0755", bytes) ? errno : 0;
    if (!failures[base] && stream >= 0) failures[base] = unpack_stream(place, stream);
    if (!failures[base] && mount(NULL, place, NULL, (unsigned long)closed, NULL)) failures[base] = errno;
}

/* Boxes that use it go on doing so. The directory stays: to remove it would take it from boxes that are being made. */
static void drop_base(int base) { umount2(place_of(base), MNT_DETACH); }

/* A layer needs extended attributes on tmpfs (Linux 6.6): without them it could not say that a directory was replaced. */
#ifndef CAN_LAYER /* a test says no */
#define CAN_LAYER !setxattr(BASES, "user.agentgym", "y", 1, 0)
#endif

static void prepare_bases(void) {
    layered = !tmpfs(BASES, "0711", 1 << 20) && CAN_LAYER;
    if (layered) add_base(0, 4096, -1);
    else umount2(BASES, MNT_DETACH);
}

/* The workspace: a base, and no way to the others; or a place to be filled. */
static int workspace(unsigned long long disk, int base) {
    doing = "the workspace";
    if (!layered) return tmpfs(WORKSPACE, "0755", disk);
    struct statfs got;
    errno = failures[base];
    if (errno || mount(place_of(base), WORKSPACE, NULL, MS_BIND, NULL) || statfs(WORKSPACE, &got)) return -1;
    errno = ESTALE; /* it was dropped while we came to be, and what is there instead is writable, and everybody's */
    return !(got.f_flags & ST_RDONLY) || tmpfs(BASES, "0", 4096) ||
           mount(NULL, BASES, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL);
}

static int writable_places(unsigned long long disk, unsigned long long scratch, int base) {
    doing = "the mounts";
    if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL)) return -1;
    if (workspace(disk, base) || tmpfs("/tmp", "1777", scratch) || tmpfs("/dev/shm", "1777", scratch / 4)) return -1;
    doing = "/dev/pts"; /* or boxes would see each other's terminals */
    if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620")) return -1;
    doing = "/proc";
    return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static int become_user(void) {
    doing = "a user namespace";
    return unshare(CLONE_NEWUSER) || put("/proc/self/uid_map", BOX_ID " 0 1") ||
           put("/proc/self/setgroups", "deny") || put("/proc/self/gid_map", BOX_ID " 0 1") ||
           put("/proc/sys/user/max_user_namespaces", "0");
}

/* In the new process: tell the driver who we are, make the box, say whether that worked, and become its agent.
 * An exec of its own gives the agent a memory that belongs to the box's user namespace: what may be seen of a process
 * that is not dumpable is for user 0 of that namespace, who in the one above is the box's own user. */
static _Noreturn void furnish(int channel, unsigned long long disk, unsigned long long scratch, int base) {
    if (write(channel, ".", 1) != 1) _exit(0);
    int failed = writable_places(disk, scratch, base) || loopback_up() || become_user() || guard_keep_powers();
    if (failed) {
        dprintf(channel, "!%s: %s", doing, strerror(errno));
        _exit(1);
    }
    dup2(channel, 0);
    dup2(channel, 1);
    if (write(1, ".", 1) == 1) execve("/proc/self/exe", (char *[]){"agent", NULL}, (char *[]){NULL});
    _exit(1);
}

/* One message, and the descriptor that came with it, or -1. 0 when the driver has hung up. */
static int next_message(char *text, size_t room, int *descriptor) {
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec vector = {text, room - 1};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got;
    while ((got = recvmsg(0, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {}
    if (got <= 0) return 0;
    text[got] = '\0';
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *descriptor = -1;
    if (header && header->cmsg_type == SCM_RIGHTS) memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    return 1;
}

static void make_box(int channel, unsigned long long disk, unsigned long long scratch, int base) {
    int flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD;
    long pid = syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (pid < 0) dprintf(channel, "!a process: %s", strerror(errno));
    if (pid == 0) {
        signal(SIGCHLD, SIG_DFL);
        furnish(channel, disk, scratch, base);
    }
}

/* Make boxes until the driver hangs up; then they all die with us. */
_Noreturn void serve_boxes(void) {
    char text[128];
    int descriptor, base;
    unsigned long long bytes, scratch;
    signal(SIGCHLD, SIG_IGN); /* nobody asks how a box ended */
    umask(0);
    prepare_bases();
    while (next_message(text, sizeof text, &descriptor)) {
        if (sscanf(text, "box %llu %llu %d", &bytes, &scratch, &base) == 3 && base >= 0 && base < MOST_BASES)
            make_box(descriptor, bytes, scratch, base);
        else if (sscanf(text, "base %d %llu", &base, &bytes) == 2 && base > 0 && base < MOST_BASES && layered)
            add_base(base, bytes, descriptor);
        else if (sscanf(text, "drop %d", &base) == 1 && base > 0 && base < MOST_BASES)
            drop_base(base);
        if (descriptor >= 0) close(descriptor);
    }
    _exit(0);
}
