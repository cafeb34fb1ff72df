/* The workspace as an overlay: what it began with lies below, read-only; what commands change, in a tmpfs above.
 *
 * So going back is a new upper layer, and a snapshot is the upper layer alone, whatever the size of the tree. Where the
 * workspace is writable from the start (in a container, under an older kernel) it is one layer: a snapshot is all of it,
 * and going back is removing everything and filling it again.
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
#include <sys/statvfs.h>
#include <unistd.h>

#define MAKING "/run/layer" /* where an upper layer is for a moment, before only the overlay holds it */

static unsigned long long disk; /* bytes for both layers together */
static int upper = -1;          /* the upper layer's directory while there is one */

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

/* The settings of a box's own namespaces (its queues, its process numbers) belong to its user: not to be changed. */
static void close_settings(void) {
    unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL) == 0) mount(NULL, "/proc/sys", NULL, flags, NULL);
}

/* Cover the workspace if it is read-only, with `bytes` of disk for both layers. Reply: "layered" or "whole". */
int layers_prepare(const Field *bytes) {
    struct statfs status;
    int failure = statfs(WORKSPACE, &status) ? errno : 0, closed = status.f_flags & ST_RDONLY;
    if (!failure && closed) {
        powers(1);
        disk = strtoull(bytes->data, NULL, 10);
        failure = unshare(CLONE_NEWNS) ? errno : cover();
        close_settings();
        powers(0);
    } else if (access(MAKING, F_OK) == 0) { /* no container, but a kernel that can not layer */
        powers(1);
        if (unshare(CLONE_NEWNS) == 0) close_settings();
        powers(0);
    }
    reply_format("%s", closed ? "layered" : "whole");
    return failure;
}

/* Send what lies above the base, or everything if there is one layer. */
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

/* Back to the base, or to an empty workspace if there is one layer: no process, no scratch, no change. */
int layers_reset(void) {
    kill_everything();
    remove_ipc();
    int failure = clear("/tmp");
    if (!failure) failure = clear("/dev/shm");
    clear("/dev/mqueue"); /* a container has one */
    if (failure) return failure;
    if (upper < 0) return clear(WORKSPACE);
    powers(1);
    uncover();
    failure = cover();
    powers(0);
    return failure;
}
