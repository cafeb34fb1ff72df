/* Frames on standard input and output: a 4-byte length, then fields each with a 4-byte length. Big-endian.
 *
 * The driver is trusted; it is the driver that checks what comes back. When it hangs up, the agent leaves at once, and
 * every process of the box with it.
 */
#include "box.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUEST_CAP (1u << 30)

static char *reply;
static size_t filled, room;

void *grown(void *block, size_t size) {
    block = realloc(block, size ? size : 1);
    if (block == NULL) _exit(4);
    return block;
}

static void read_exactly(char *to, size_t count) {
    while (count) {
        ssize_t got = read(0, to, count);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) _exit(0);
        to += got;
        count -= (size_t)got;
    }
}

static void write_exactly(const char *from, size_t count) {
    while (count) {
        ssize_t put = write(1, from, count);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) _exit(0);
        from += put;
        count -= (size_t)put;
    }
}

static uint32_t number_at(const char *at) {
    uint32_t number;
    memcpy(&number, at, sizeof number);
    return ntohl(number);
}

/* The next request. Its memory is good until the one after. */
Request *receive(void) {
    static Request request;
    static char *body;
    char header[4];
    read_exactly(header, sizeof header);
    size_t size = number_at(header), at = 0;
    if (size > REQUEST_CAP) _exit(5);
    body = grown(body, size + 1);
    read_exactly(body, size);
    request.count = 0;
    while (at + 4 <= size) {
        size_t length = number_at(body + at);
        body[at] = '\0'; /* ends the field before; its own length has been read */
        at += 4;
        if (length > size - at) _exit(5);
        request.fields = grown(request.fields, (request.count + 1) * sizeof(Field));
        request.fields[request.count++] = (Field){body + at, length};
        at += length;
    }
    body[size] = '\0';
    if (at != size || request.count == 0) _exit(5);
    return &request;
}

char *reply_room(size_t size) {
    size_t needed = filled + 4 + size;
    if (needed > room) {
        room = needed + needed / 2;
        reply = grown(reply, room);
    }
    uint32_t length = htonl((uint32_t)size);
    memcpy(reply + filled, &length, 4);
    char *at = reply + filled + 4;
    filled = needed;
    return at;
}

void reply_add(const void *data, size_t size) {
    if (size) memcpy(reply_room(size), data, size);
    else reply_room(0);
}

void reply_format(const char *format, ...) {
    char text[64];
    va_list values;
    va_start(values, format);
    int size = vsnprintf(text, sizeof text, format, values);
    va_end(values);
    reply_add(text, (size_t)size);
}

void reply_begin(const char *verdict) {
    filled = 0;
    reply_room(0);
    filled = 4; /* the frame's own length, filled in when it is sent */
    reply_add(verdict, strlen(verdict));
}

void reply_send(void) {
    uint32_t length = htonl((uint32_t)(filled - 4));
    memcpy(reply, &length, 4);
    write_exactly(reply, filled);
    if (room > (4u << 20)) { /* a large reply was an exception: give its memory back to the box */
        free(reply);
        reply = NULL;
        room = 0;
    }
}

void reply_error(int error, const char *text) {
    reply_begin("error");
    reply_format("%d", error);
    reply_add(text, strlen(text));
}

void send_part(const void *data, size_t size) {
    reply_begin("part");
    reply_add(data, size);
    reply_send();
}
