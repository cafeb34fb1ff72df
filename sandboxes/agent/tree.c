/* A directory tree as one byte stream, and back: modes, times, symlinks and holes kept; devices and sockets left out.
 *
 * The driver's archive.py writes the same format. An entry is kind, mode, mtime in ns, length of the path, size, and the
 * path; a link's target or a file's extents follow (offset, count, bytes; 0, 0 ends them). Of an overlay's upper layer,
 * 'w' is a name that is gone and 'D' a directory that replaces the one below.
 */
#include "box.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LONGEST 3800 /* of a path in a stream: with the root before it, one that every call takes */

typedef struct __attribute__((packed)) {
    char kind;
    uint32_t mode;
    int64_t mtime;
    uint32_t path;
    uint64_t size;
} Entry;

typedef struct __attribute__((packed)) {
    uint64_t at, count;
} Extent;

/* -- packing */

static char held[CHUNK];
static size_t holding;
static unsigned long long allowed;
static char path[LONGEST + NAME_MAX + 2];

static int emit(const void *data, size_t size) {
    const char *from = data;
    if (size > allowed) return EFBIG;
    allowed -= size;
    while (size) {
        size_t fits = CHUNK - holding < size ? CHUNK - holding : size;
        memcpy(held + holding, from, fits);
        holding += fits;
        from += fits;
        size -= fits;
        if (holding < CHUNK) break;
        send_part(held, holding);
        holding = 0;
    }
    return 0;
}

static int emit_entry(char kind, const struct stat *status, uint64_t size) {
    int64_t mtime = status->st_mtim.tv_sec * 1000000000ll + status->st_mtim.tv_nsec;
    Entry entry = {kind, htobe32(status->st_mode & 07777), (int64_t)htobe64((uint64_t)mtime),
                   htobe32((uint32_t)strlen(path)), htobe64(size)};
    int failure = emit(&entry, sizeof entry);
    return failure ? failure : emit(path, strlen(path));
}

static int emit_extents(int file, off_t size) {
    static char data[CHUNK];
    for (off_t at = 0; at < size;) {
        off_t start = lseek(file, at, SEEK_DATA);
        if (start < 0) break; /* nothing but a hole to the end */
        at = lseek(file, start, SEEK_HOLE);
        if (at < 0 || at > size) at = size;
        while (start < at) {
            size_t wanted = (size_t)(at - start) < sizeof data ? (size_t)(at - start) : sizeof data;
            ssize_t got = pread(file, data, wanted, start);
            if (got <= 0) break;
            Extent extent = {htobe64((uint64_t)start), htobe64((uint64_t)got)};
            if (emit(&extent, sizeof extent) || emit(data, (size_t)got)) return EFBIG;
            start += got;
        }
    }
    return emit(&(Extent){0, 0}, sizeof(Extent));
}

/* Open something of our own whose permission bits forbid it: lend ourselves the bit, and take it back. */
static int opened(int directory, const char *name, int flags, mode_t needed, const struct stat *status) {
    int closed = (status->st_mode & needed) != needed;
    if (closed) fchmodat(directory, name, (status->st_mode & 07777) | needed, 0);
    int file = openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC);
    int failure = errno;
    if (closed) fchmodat(directory, name, status->st_mode & 07777, 0);
    errno = failure;
    return file;
}

static int pack_directory(int directory, int layer);

static int pack_entry(int directory, const char *name, int layer) {
    struct stat status;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW)) return errno;
    if (S_ISLNK(status.st_mode)) {
        char target[PATH_MAX];
        ssize_t size = readlinkat(directory, name, target, sizeof target);
        if (size < 0) return errno;
        int failure = emit_entry('l', &status, (uint64_t)size);
        return failure ? failure : emit(target, (size_t)size);
    }
    if (S_ISFIFO(status.st_mode)) return emit_entry('p', &status, 0);
    if (layer && S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0)) return emit_entry('w', &status, 0);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return 0;
    int flags = S_ISDIR(status.st_mode) ? O_RDONLY | O_DIRECTORY : O_RDONLY | O_NONBLOCK;
    int file = opened(directory, name, flags, S_ISDIR(status.st_mode) ? 0700 : 0400, &status), failure;
    if (file < 0) return errno;
    if (S_ISDIR(status.st_mode)) {
        char opaque = 0;
        if (layer) fgetxattr(file, "user.overlay.opaque", &opaque, 1);
        int lent = (status.st_mode & 0700) != 0700; /* to be walked, it stays open a little longer */
        if (lent) fchmod(file, (status.st_mode & 07777) | 0700);
        failure = emit_entry(opaque == 'y' ? 'D' : 'd', &status, 0);
        if (!failure) failure = pack_directory(dup(file), layer);
        if (lent) fchmod(file, status.st_mode & 07777);
    } else {
        failure = emit_entry('f', &status, (uint64_t)status.st_size);
        if (!failure) failure = emit_extents(file, status.st_size);
    }
    close(file);
    return failure;
}

static int pack_directory(int directory, int layer) {
    struct dirent **names = NULL;
    size_t length = strlen(path);
    int failure = 0, count = directory < 0 ? -1 : scandirat(directory, ".", &names, NULL, alphasort);
    if (count < 0) failure = errno;
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;
        if (!failure && strcmp(name, ".") && strcmp(name, "..")) {
            int added = snprintf(path + length, sizeof path - length, length ? "/%s" : "%s", name);
            if (length + (size_t)added > LONGEST) failure = ENAMETOOLONG;
            else failure = pack_entry(directory, name, layer);
            if (failure == ENOENT) failure = 0; /* somebody in the box removed it just now */
            path[length] = '\0';
        }
        free(names[i]);
    }
    free(names);
    if (directory >= 0) close(directory);
    return failure;
}

/* Send the tree under `root` in parts, at most `limit` bytes of it: EFBIG past them. Takes the descriptor. */
int pack(int root, int layer, unsigned long long limit) {
    struct stat status;
    holding = 0;
    allowed = limit;
    path[0] = '\0';
    if (root < 0 || fstat(root, &status)) return errno;
    int lent = (status.st_mode & 0700) != 0700;
    if (lent) fchmod(root, (status.st_mode & 07777) | 0700);
    int failure = emit_entry('d', &status, 0);
    if (!failure) failure = pack_directory(dup(root), layer);
    if (lent) fchmod(root, status.st_mode & 07777);
    close(root);
    if (!failure) failure = emit(&(Entry){.kind = '.'}, sizeof(Entry));
    if (!failure) send_part(held, holding);
    return failure;
}

/* -- unpacking */

static Field part;
static size_t taken;
static int over, stream; /* the parts come from this descriptor; -1: from the driver, by request */

static void next_part(void) {
    static char data[CHUNK];
    if (stream < 0) {
        part = *receive()->fields;
    } else {
        ssize_t got = read(stream, data, sizeof data);
        part = (Field){data, got > 0 ? (size_t)got : 0};
    }
    taken = 0;
    over = part.size == 0;
}

static int take(void *to, size_t count) {
    char *at = to;
    while (count) {
        if (over) return EBADMSG;
        if (taken == part.size) {
            next_part();
            continue;
        }
        size_t fits = part.size - taken < count ? part.size - taken : count;
        memcpy(at, part.data + taken, fits);
        taken += fits;
        at += fits;
        count -= fits;
    }
    return 0;
}

static int remove_one(const char *name, const struct stat *status, int kind, struct FTW *where) {
    (void)status, (void)kind, (void)where;
    return remove(name);
}

/* Make way for an entry. What is there is a base that the driver sent, so it is not deep. */
static void remove_tree(const char *name) { nftw(name, remove_one, 64, FTW_DEPTH | FTW_PHYS); }

static int write_out(int file, const char *data, size_t size, off_t at) {
    while (size) {
        ssize_t put = pwrite(file, data, size, at);
        if (put < 0) return errno;
        data += put;
        size -= (size_t)put;
        at += put;
    }
    return 0;
}

static int unpack_file(const char *name, mode_t mode, const struct timespec times[2], off_t size) {
    static char data[CHUNK];
    int failure = 0, file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return errno;
    for (Extent extent; !failure && !(failure = take(&extent, sizeof extent)) && extent.count;) {
        off_t at = (off_t)be64toh(extent.at);
        for (uint64_t left = be64toh(extent.count); !failure && left;) {
            size_t fits = left < sizeof data ? (size_t)left : sizeof data;
            failure = take(data, fits);
            if (!failure) failure = write_out(file, data, fits, at);
            at += (off_t)fits;
            left -= fits;
        }
    }
    if (!failure && (ftruncate(file, size) || fchmod(file, mode) || futimens(file, times))) failure = errno;
    close(file);
    return failure;
}

typedef struct {
    char *name;
    mode_t mode;
    struct timespec times[2];
} Closing;

static int unpack_entry(const Entry *entry, const char *name, const struct timespec times[2]) {
    char target[PATH_MAX];
    struct stat there;
    uint64_t size = be64toh(entry->size);
    mode_t mode = be32toh(entry->mode);
    int failure = 0, exists = (entry->path ? lstat(name, &there) : stat(name, &there)) == 0; /* the top may be a link */
    if (exists && !(entry->kind == 'd' && S_ISDIR(there.st_mode))) remove_tree(name), exists = 0;
    switch (entry->kind) {
        case 'd':
        case 'D': return exists ? (chmod(name, 0700) ? errno : 0) : (mkdir(name, 0700) ? errno : 0);
        case 'f': return unpack_file(name, mode, times, (off_t)size);
        case 'p': return mkfifo(name, mode) || utimensat(AT_FDCWD, name, times, 0) ? errno : 0;
        case 'w': return 0;
        case 'l':
            if (size >= sizeof target) return ENAMETOOLONG;
            if ((failure = take(target, size))) return failure;
            target[size] = '\0';
            if (symlink(target, name)) return errno;
            utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW);
            return 0;
        default: return EBADMSG;
    }
}

static int unpack_all(const char *root, Closing **closing, size_t *count) {
    for (;;) {
        char name[PATH_MAX];
        Entry entry;
        int failure = take(&entry, sizeof entry);
        if (failure || entry.kind == '.') return failure;
        size_t length = be32toh(entry.path), before = strlen(root);
        if (length > LONGEST) return ENAMETOOLONG;
        memcpy(name, root, before);
        if (length) name[before++] = '/';
        if ((failure = take(name + before, length))) return failure;
        name[before + length] = '\0';
        int64_t mtime = (int64_t)be64toh((uint64_t)entry.mtime);
        struct timespec time = {mtime / 1000000000, mtime % 1000000000};
        if (time.tv_nsec < 0) time = (struct timespec){time.tv_sec - 1, time.tv_nsec + 1000000000};
        struct timespec times[2] = {time, time};
        if ((failure = unpack_entry(&entry, name, times))) return failure;
        if (entry.kind != 'd' && entry.kind != 'D') continue;
        if ((*count & (*count - 1)) == 0) *closing = grown(*closing, (*count ? 2 * *count : 1) * sizeof **closing);
        (*closing)[(*count)++] = (Closing){strdup(name), be32toh(entry.mode), {time, time}};
    }
}

/* Make under the existing directory `root` what the parts that follow say; all of them are taken. */
int unpack(const char *root) { return unpack_stream(root, -1); }

/* The same, from a descriptor; from the driver if it is -1. */
int unpack_stream(const char *root, int from) {
    Closing *closing = NULL;
    size_t count = 0;
    part.size = taken = 0;
    over = 0;
    stream = from;
    int failure = unpack_all(root, &closing, &count);
    while (!over) next_part();
    while (count--) { /* innermost first: a directory's time is its last change's */
        utimensat(AT_FDCWD, closing[count].name, closing[count].times, 0);
        if (chmod(closing[count].name, closing[count].mode) && !failure) failure = errno;
        free(closing[count].name);
    }
    free(closing);
    return failure;
}

/* -- clearing */

/* Empty one directory but for directories that are not empty: those move to the top, so that no depth is too deep. */
static void flatten(int top, int directory) {
    static unsigned long moved;
    DIR *listing = fdopendir(directory);
    for (struct dirent *each; listing && (each = readdir(listing));) {
        const char *name = each->d_name;
        char fresh[32];
        if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
        if (!unlinkat(directory, name, 0) || !unlinkat(directory, name, AT_REMOVEDIR)) continue;
        snprintf(fresh, sizeof fresh, "agentgym-%lu", moved++);
        fchmodat(directory, name, 0700, 0);
        renameat(directory, name, top, fresh);
    }
    if (listing) closedir(listing);
}

/* Attributes are a way to write on a directory that is kept. */
static void forget_attributes(const char *place) {
    static char names[1 << 16]; /* the kernel lists no more */
    ssize_t size = listxattr(place, names, sizeof names);
    for (char *name = names; name < names + size; name += strlen(name) + 1) removexattr(place, name);
}

/* Remove everything inside a directory, whatever its depth and permissions. 0, or the reason that something is left. */
int clear(const char *place) {
    chmod(place, 01777); /* its owner may have closed it */
    forget_attributes(place);
    for (int turns = 0, left = 1; left; turns++) {
        int top = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (top < 0) return errno;
        fchmod(top, 01777);
        DIR *listing = fdopendir(top);
        left = 0;
        for (struct dirent *each; (each = readdir(listing));) {
            if (!strcmp(each->d_name, ".") || !strcmp(each->d_name, "..") || !unlinkat(top, each->d_name, 0)) continue;
            fchmodat(top, each->d_name, 0700, 0);
            int inside = openat(top, each->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (inside >= 0) flatten(top, inside);
            unlinkat(top, each->d_name, AT_REMOVEDIR);
            left = 1;
        }
        closedir(listing);
        if (turns > 1 << 20) return EBUSY;
    }
    return 0;
}
