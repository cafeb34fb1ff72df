/* The workspace as an overlay: what it was filled with stays below, frozen; what commands change lies in a tmpfs above.
 *
 * So going back is a new upper layer, and a snapshot is the upper layer alone, whatever the size of the tree. Mounting
 * takes capabilities in the box's own user namespace; where the agent has none (in a container) the workspace is one
 * layer, a snapshot all of it, and going back is removing everything and filling it again.
 */
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define MAKING "/run/layer" /* where an upper layer is for a moment, before only the overlay holds it */

static unsigned long long disk; /* bytes for all layers together; 0: one layer only */
static int upper = -1;          /* the upper layer's directory while there is one */

/* The settings of a box's own namespaces (its queues, its process numbers) belong to its user: not to be changed. */
static void close_settings(void) {
    unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL) == 0) mount(NULL, "/proc/sys", NULL, flags, NULL);
}

/* With `bytes` of disk for it, begin to layer; without the power to mount, don't. */
void layers_prepare(const Field *bytes) {
    powers(1);
    if (unshare(CLONE_NEWNS) == 0) {
        disk = strtoull(bytes->data, NULL, 10);
        close_settings();
    }
    powers(0);
}

static int directory(const char *path) { return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

/* Put an empty upper layer over the workspace. */
static int cover(void) {
    struct statfs used;
    struct stat base;
    char options[128];
    if (statfs(WORKSPACE, &used) || stat(WORKSPACE, &base)) return errno;
    unsigned long long below = (unsigned long long)(used.f_blocks - used.f_bfree) * (unsigned long long)used.f_bsize;
    unsigned long long left = disk > below + 65536 ? disk - below : 65536;
    snprintf(options, sizeof options, "mode=0755,size=%llu,nr_inodes=%llu", left, INODES(left));
    if (mount("layer", MAKING, "tmpfs", MS_NOSUID | MS_NODEV, options)) return errno;
    int failure = 0;
    mkdir(MAKING "/work", 0700);
    if (mkdir(MAKING "/up", 0700) || (upper = directory(MAKING "/up")) < 0) failure = errno;
    fchmod(upper, base.st_mode & 07777);
    futimens(upper, (struct timespec[2]){base.st_atim, base.st_mtim});
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/up,workdir=%s/work,userxattr", WORKSPACE, MAKING, MAKING);
    if (!failure && mount("workspace", WORKSPACE, "overlay", MS_NOSUID | MS_NODEV, options)) failure = errno;
    umount2(MAKING, MNT_DETACH);
    if (failure && upper >= 0) close(upper), upper = -1;
    return failure;
}

static void uncover(void) {
    close(upper);
    upper = -1;
    umount2(WORKSPACE, MNT_DETACH);
}

/* Fill the empty workspace from the parts that follow, and freeze that. Reply: "layered" or "whole". */
int layers_fill(void) {
    int failure = unpack(WORKSPACE);
    if (failure) return failure;
    powers(1);
    if (disk && cover()) disk = 0;
    powers(0);
    reply_format("%s", disk ? "layered" : "whole");
    return 0;
}

/* Send what lies above the base, or everything if there is none. */
int layers_freeze(unsigned long long limit) {
    int failure = upper >= 0 ? pack(dup(upper), 1, limit) : pack(directory(WORKSPACE), 0, limit);
    reply_begin("ok"); /* again, after the parts */
    return failure;
}

/* What processes leave behind that is neither a file nor a process. */
static void remove_ipc(void) {
    static const struct {
        const char *list;
        int kind;
    } each[] = {{"/proc/sysvipc/shm", 0}, {"/proc/sysvipc/sem", 1}, {"/proc/sysvipc/msg", 2}};
    for (int i = 0; i < 3; i++) {
        FILE *list = fopen(each[i].list, "re");
        char line[512];
        int id;
        while (list && fgets(line, sizeof line, list)) {
            if (sscanf(line, "%*d %d", &id) != 1) continue;
            if (each[i].kind == 0) shmctl(id, IPC_RMID, NULL);
            if (each[i].kind == 1) semctl(id, 0, IPC_RMID);
            if (each[i].kind == 2) msgctl(id, IPC_RMID, NULL);
        }
        if (list) fclose(list);
    }
}

/* Back to what the workspace was filled with, or to an empty one if it is whole: no process, no scratch, no change. */
int layers_reset(void) {
    kill_everything();
    remove_ipc();
    int failure = clear("/tmp");
    if (!failure) failure = clear("/dev/shm");
    if (failure) return failure;
    if (upper < 0) return clear(WORKSPACE);
    powers(1);
    uncover();
    failure = cover();
    powers(0);
    return failure;
}
