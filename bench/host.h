/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * For benchmarks with the user-space host: where its command and NVIDIA's programs are, machines,
 * what processes use, and how a line is printed. A failure ends the program.
 */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/types.h"

/* The command of this build; the folder of NVIDIA's libraries, which need not be there. */
extern char host_leafhopper[], host_libraries[];

/* Finds them, from where this program is, and has libraries found there; our own path. */
const char *host_begin(void);
/* A line: the value and whether it is at most, or at least, the goal. */
void host_report(const char *what, double value, double goal);
void host_report_least(const char *what, double value, double goal);
/* A line: it is not measured, and why. */
void host_skip(const char *what, const char *why);
/* Tells errno and ends the program with 1. */
_Noreturn void host_fail(const char *what);

/* The program as a client of a machine of its own, until it ends; it must end with 0. */
void host_run(const char *program, const char *argument);
/* Runs a program without its output: microseconds, and in *cpu those of the CPUs. */
double host_spawn_us(char *const argv[], double *cpu);
double host_usage_us(const struct rusage *usage);
/* Nanoseconds that all threads of the process ran so far; -1 when the kernel does not say. */
double host_ran_ns(pid_t pid);
/* Reports, as what, how much of a processor the idle process uses, which is to be nothing; name:
 * who is idle. */
void host_report_idle(pid_t pid, const char *name, const char *what);
/* Sorts them. */
double host_median(double *values, size_t count);

/* Who listens at the socket of that path; NULL: the machine's that we are a client of. */
pid_t host_daemon(const char *path);
/* Keeps thread tid on the CPU of that number among those we may use; one CPU serves for all. */
void host_pin(pid_t tid, int number);
/* The same with all threads of the process. */
void host_pin_all(pid_t pid, int number);
int host_cpus(void);

/* -- The bare round trip over shared memory of two processes that spin and sleep as daemon and
 * client do */

/* The other process begins, on that CPU. */
void host_echo_start(int cpu);
/* Nanoseconds of a round trip, the mean of so many. */
double host_echo_ns(u32 count);
void host_echo_stop(void);

#endif
