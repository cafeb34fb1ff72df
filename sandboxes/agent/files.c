/* Single files, read and written as the box's own user would: /proc/self is not to mean the agent's own descriptors. */
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_path(const char *path, int flags, mode_t mode) {
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC, .mode = mode, .resolve = RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

/* Where a path counts from: a workspace that was locked is in the way of relative ones only. */
static int enter(const char *path) { return *path != '/' && chdir(WORKSPACE) ? errno : 0; }

/* Fields: "read", path, cap. Reply: the file's bytes, at most cap of them; more is EFBIG. */
int read_file(const Request *request) {
    unsigned long long cap = strtoull(request->fields[2].data, NULL, 10);
    struct stat status;
    int failure = enter(request->fields[1].data);
    if (failure) return failure;
    int file = open_path(request->fields[1].data, O_RDONLY | O_NONBLOCK, 0);
    if (file < 0) failure = errno;
    chdir("/");
    if (failure) return failure;
    fstat(file, &status);
    if (S_ISDIR(status.st_mode)) failure = EISDIR;
    else if (!S_ISREG(status.st_mode)) failure = EINVAL;
    else if ((unsigned long long)status.st_size > cap) failure = EFBIG;
    char *data = NULL;
    size_t size = 0, room = 0;
    for (ssize_t got = 1; !failure && got > 0 && size <= cap; size += (size_t)got) { /* /proc says 0 and has more */
        if (size == room) data = grown(data, room = room ? 2 * room : (size_t)status.st_size + 4096);
        got = read(file, data + size, room - size);
        if (got < 0) {
            failure = errno;
            break;
        }
    }
    close(file);
    if (!failure && size > cap) failure = EFBIG;
    if (!failure) reply_add(data, size);
    free(data);
    return failure;
}

static int make_parents(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int there = open_path(path, O_PATH | O_DIRECTORY, 0), failure = there < 0 ? errno : 0;
        if (there >= 0) close(there);
        if (failure == ENOENT) failure = mkdir(path, 0777) && errno != EEXIST ? errno : 0;
        *slash = '/';
        if (failure) return failure;
    }
    return 0;
}

/* Fields: "write", path, mode; then parts, an empty one last. The parts are taken whatever happens. */
int write_file(const Request *request) {
    struct stat status;
    int mode = atoi(request->fields[2].data), file = -1, failure = enter(request->fields[1].data);
    if (!failure) failure = make_parents(request->fields[1].data);
    if (!failure) {
        file = open_path(request->fields[1].data, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, 0600);
        if (file < 0) failure = errno;
        else if (fstat(file, &status) || !S_ISREG(status.st_mode)) failure = EINVAL; /* a pipe's other end could be ours */
    }
    chdir("/");
    for (const Field *part; (part = receive()->fields)->size;) {
        for (size_t at = 0; !failure && at < part->size;) {
            ssize_t put = write(file, part->data + at, part->size - at);
            if (put < 0) failure = errno;
            else at += (size_t)put;
        }
    }
    if (!failure && fchmod(file, (mode_t)mode)) failure = errno;
    if (file >= 0) close(file);
    return failure;
}
