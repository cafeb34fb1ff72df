/* How a root driver enters bwrap: stage what the box's user can not reach, stop being root.
 *
 *     enter UID COUNT SOURCE... PROGRAM ARGUMENT...
 *
 * Each SOURCE appears as /sys/0, /sys/1, ... in a mount namespace of
 * our own; /sys because it exists everywhere and nothing is ever bound from it. A program of its own, not part of the
 * agent: it runs on the host's side of the wall.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void must(int failed, const char *what) {
    if (!failed) return;
    fprintf(stderr, "agentgym: %s: %s\n", what, strerror(errno));
    exit(125);
}

static void stage(char **sources, int count) {
    must(unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL), "a mount namespace");
    must(mount("stage", "/sys", "tmpfs", 0, "mode=0755,size=1m"), "/sys");
    for (int i = 0; i < count; i++) {
        struct stat status;
        char place[32];
        snprintf(place, sizeof place, "/sys/%d", i);
        must(stat(sources[i], &status), sources[i]);
        must(S_ISDIR(status.st_mode) ? mkdir(place, 0755) : mknod(place, S_IFREG | 0644, 0), place);
        must(mount(sources[i], place, NULL, MS_BIND, NULL), sources[i]);
    }
}

int main(int argc, char **argv) {
    if (argc < 4) return 125;
    unsigned uid = (unsigned)strtoul(argv[1], NULL, 10);
    int count = atoi(argv[2]);
    char **program = argv + 3 + count;
    if (count) stage(argv + 3, count);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    must(setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid), "to stop being root");
    must((int)syscall(SYS_capset, &header, none), "to give up capabilities");
    execvp(*program, program);
    must(1, *program);
}
