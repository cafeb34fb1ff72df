/* What the parts of the agent share. agent.c says what the agent is; each file begins with what it is for. */
#ifndef BOX_H
#define BOX_H

#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WORKSPACE "/workspace"
#define CHUNK (1u << 18) /* how much of a stream goes in one frame */
#define INODES(bytes) ((bytes) / 1024 + 1024) /* of a disk: an empty file has no size, but a kilobyte of the kernel's memory */

/* wire.c */
typedef struct {
    char *data; /* followed by a NUL that is not counted */
    size_t size;
} Field;

typedef struct {
    Field *fields;
    size_t count;
} Request;

Request *receive(void);
void reply_begin(const char *verdict);
void reply_add(const void *data, size_t size);
char *reply_room(size_t size);
void reply_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
void reply_send(void);
void reply_error(int error, const char *text);
void send_part(const void *data, size_t size);
void *grown(void *block, size_t size);

/* guard.c */
void guard_self(void);
int guard_keep_powers(void);
void powers(int wanted);
int guard_limit(const Field *setting);
int guard_filter(const Field *program);
void guard_volunteer(int wanted);
int guard_command(void);

/* boxes.c */
_Noreturn void serve_boxes(void);

/* command.c */
double now(void);
void reap_orphans(void);
void kill_everything(void);
int run_command(const Request *request, void (*tick)(void));

/* files.c */
int read_file(const Request *request);
int write_file(const Request *request);

/* tree.c */
int pack(int root, int layer, unsigned long long limit);
int unpack(const char *root);
int unpack_stream(const char *root, int from);
int clear(const char *path);

/* layers.c */
int layers_prepare(const Field *bytes);
int layers_freeze(unsigned long long limit);
int layers_reset(void);

#endif
