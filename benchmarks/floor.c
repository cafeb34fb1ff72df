/* The kernel's floor: for a sandbox, which needs root, or with PROGRAM for a command. Prints the median and the 95th
 * percentile in ms and the rate a second.
 *
 * A sandbox is mount, pid, ipc, net and uts namespaces, a tmpfs and an overlay over /usr, and /bin/true run in them: no
 * walls, no agent, no limits; what every sandbox pays before it does anything of its own.  A command is a spawn and a wait.
 *
 *     floor ROUNDS STREAMS [PROGRAM]
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int one(void) {
    int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS | SIGCHLD, status;
    pid_t pid = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (pid == 0) {
        int failed = mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("t", "/mnt", "tmpfs", 0, "size=50m") ||
                     mkdir("/mnt/up", 0755) || mkdir("/mnt/work", 0755) || mkdir("/mnt/all", 0755) ||
                     mount("o", "/mnt/all", "overlay", 0, "lowerdir=/usr,upperdir=/mnt/up,workdir=/mnt/work");
        if (!failed) execl("/bin/true", "true", (char *)NULL);
        perror("floor");
        _exit(1);
    }
    waitpid(pid, &status, 0);
    return status;
}

static int command(char *program) {
    int status = 0;
    pid_t pid;
    if (posix_spawn(&pid, program, NULL, NULL, (char *[]){program, NULL}, (char *[]){NULL})) return -1;
    waitpid(pid, &status, 0);
    return status;
}

static int order(const void *a, const void *b) { return *(const double *)a > *(const double *)b ? 1 : -1; }

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 100, streams = argc > 2 ? atoi(argv[2]) : 1;
    size_t bytes = (size_t)(rounds * streams) * sizeof(double);
    double *took = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), began = now();
    for (int stream = 0; stream < streams; stream++) {
        if (fork()) continue;
        for (int i = 0; i < rounds; i++) {
            double start = now();
            if (argc > 3 ? command(argv[3]) : one()) _exit(1);
            took[stream * rounds + i] = now() - start;
        }
        _exit(0);
    }
    int failed = 0, status;
    while (wait(&status) > 0) failed |= status;
    double total = now() - began;
    int count = rounds * streams;
    qsort(took, (size_t)count, sizeof *took, order);
    printf("%.3f %.3f %.1f\n", took[count / 2], took[(int)(count * 0.95)], count / total * 1e3);
    return failed != 0;
}
