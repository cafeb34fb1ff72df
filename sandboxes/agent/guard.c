/* The wall between the agent and the commands it starts.
 *
 * Both run as one user. What keeps a command from the agent: it can not trace or open a process that is not dumpable,
 * no signal from inside reaches a PID 1, and it has neither the agent's capabilities nor a way to get them back.
 * Whatever capabilities the agent was given belong to the box's own user namespace and serve for mounts alone
 * (layers.c): they are in effect only between powers(1) and powers(0), and why the filter lets mounts pass.
 */
#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Two for a mount namespace and its mounts, and the bounding set; three for what an overlay does in our name. */
#define MOUNT_POWERS \
    (1u << CAP_SYS_ADMIN | 1u << CAP_SETPCAP | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER | 1u << CAP_CHOWN)

static struct {
    int kind;
    rlim_t value;
} limits[8];
static size_t limit_count;
static struct __user_cap_data_struct permitted[2];
static int oom_score = -1; /* our own file of that name */

static void set_capabilities(int effective, int keep) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct wanted[2] = {{0}};
    for (int half = 0; half < 2; half++) {
        wanted[half].permitted = keep ? permitted[half].permitted : 0;
        wanted[half].effective = effective ? permitted[half].permitted : 0;
    }
    syscall(SYS_capset, &header, wanted);
}

/* Before anything else: nobody looks in, nothing is inherited, no capability outlives an exec. */
void guard_self(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    syscall(SYS_close_range, 3u, ~0u, 0u);
    oom_score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); /* while the file is still ours */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++) {}
    syscall(SYS_capget, &header, permitted);
    set_capabilities(0, 1);
}

/* Before the exec that makes an agent: what it needs for mounts, and nothing else, outlives that exec. */
int guard_keep_powers(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct kept[2] = {{MOUNT_POWERS, MOUNT_POWERS, MOUNT_POWERS}};
    if (syscall(SYS_capset, &header, kept)) return -1;
    for (int capability = 0; capability < 32; capability++)
        if (MOUNT_POWERS >> capability & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)) return -1;
    return 0;
}

void powers(int wanted) { set_capabilities(wanted, 1); }

/* "NAME=number", one of the kernel's resource limits for each command. 0, or -1 if the name is unknown. */
int guard_limit(const Field *setting) {
    static const struct {
        const char *name;
        int kind;
    } known[] = {{"NPROC", RLIMIT_NPROC}, {"FSIZE", RLIMIT_FSIZE}, {"CORE", RLIMIT_CORE},
                 {"NOFILE", RLIMIT_NOFILE}, {"AS", RLIMIT_AS}};
    const char *equals = strchr(setting->data, '=');
    for (size_t i = 0; equals && i < sizeof known / sizeof *known; i++) {
        size_t length = strlen(known[i].name);
        if (length != (size_t)(equals - setting->data) || memcmp(setting->data, known[i].name, length)) continue;
        struct rlimit now;
        getrlimit(known[i].kind, &now);
        rlim_t value = strtoull(equals + 1, NULL, 10);
        limits[limit_count].kind = known[i].kind;
        limits[limit_count++].value = value < now.rlim_max ? value : now.rlim_max;
        return limit_count < sizeof limits / sizeof *limits ? 0 : -1;
    }
    return -1;
}

/* The system call filter, instructions as the kernel takes them: ours and every command's from now on, none if empty. */
int guard_filter(const Field *program) {
    struct sock_fprog filter = {(unsigned short)(program->size / sizeof(struct sock_filter)), (void *)program->data};
    return filter.len ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) : 0;
}

/* Around the birth of a command: the kernel's first choice when memory is short should be a command, not the agent. */
void guard_volunteer(int wanted) {
    ssize_t put = wanted ? pwrite(oom_score, "1000", 4, 0) : pwrite(oom_score, "0", 1, 0);
    (void)put;
}

/* In the new process, last of all before exec. It still shares our memory. 0, or -1 with errno. */
int guard_command(void) {
    set_capabilities(0, 0);
    for (size_t i = 0; i < limit_count; i++) {
        struct rlimit limit = {limits[i].value, limits[i].value};
        if (setrlimit((__rlimit_resource_t)limits[i].kind, &limit)) return -1;
    }
    return signal(SIGPIPE, SIG_DFL) == SIG_ERR ? -1 : 0;
}
