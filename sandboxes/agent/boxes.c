/* The fork server: one process inside bwrap that makes a box for every message, each a few system calls away.
 *
 * Entering bwrap costs many mounts and several processes; what it builds (a root, a user namespace in which we are 0) is
 * the same for many boxes. Each box gets process, mount, network, IPC and host name namespaces of its own, its writable
 * places, and then a user namespace in which it is user 1000 and may make no further one. What is made before that
 * belongs to the namespace above it, out of the box's power.
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
#include <sys/syscall.h>
#include <unistd.h>

#define BOX_ID "1000"

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

static int writable_places(unsigned long long disk, unsigned long long scratch) {
    doing = "the mounts";
    if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL)) return -1;
    if (tmpfs(WORKSPACE, "0755", disk) || tmpfs("/tmp", "1777", scratch) || tmpfs("/dev/shm", "1777", scratch / 4))
        return -1;
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

/* In the new process: make the box, tell the driver, and become its agent. The first byte says whether it worked.
 * An exec of its own gives the agent a memory that belongs to the box's user namespace: what may be seen of a process
 * that is not dumpable is for user 0 of that namespace, who in the one above is the box's own user. */
static _Noreturn void furnish(int channel, const char *sizes) {
    unsigned long long disk = 0, scratch = 0;
    doing = "the message";
    int failed = sscanf(sizes, "%llu %llu", &disk, &scratch) != 2 || writable_places(disk, scratch) || loopback_up() ||
                 become_user() || guard_keep_powers();
    if (failed) {
        dprintf(channel, "!%s: %s", doing, strerror(errno));
        _exit(1);
    }
    dup2(channel, 0);
    dup2(channel, 1);
    if (write(1, ".", 1) == 1) execve("/proc/self/exe", (char *[]){"agent", NULL}, (char *[]){NULL});
    _exit(1);
}

/* One message: two sizes in bytes as text, and the box's end of its channel. -1 when the driver has hung up. */
static int next_box(char *sizes, size_t room) {
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec text = {sizes, room - 1};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got;
    while ((got = recvmsg(0, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {}
    struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header == NULL || header->cmsg_type != SCM_RIGHTS) return -1;
    sizes[got] = '\0';
    int channel;
    memcpy(&channel, CMSG_DATA(header), sizeof channel);
    return channel;
}

/* Make boxes until the driver hangs up; then they all die with us. */
_Noreturn void serve_boxes(void) {
    char sizes[64];
    signal(SIGCHLD, SIG_IGN); /* nobody asks how a box ended */
    for (int channel; (channel = next_box(sizes, sizeof sizes)) >= 0; close(channel)) {
        int flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD;
        long pid = syscall(SYS_clone, flags, 0, 0, 0, 0);
        if (pid < 0) dprintf(channel, "!a process: %s", strerror(errno));
        if (pid == 0) {
            signal(SIGCHLD, SIG_DFL);
            furnish(channel, sizes);
        }
    }
    _exit(0);
}
