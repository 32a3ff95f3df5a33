/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The preload library: what a client program's calls on the driver's files become. Every wrapper
 * first asks whether the path or descriptor is one of ours and passes all else to the C library
 * untouched. Nothing here allocates from the heap; errno changes only on failure.
 *
 * State that a forked child must not share lies in a page that fork wipes (struct process); the
 * table of descriptors is inherited as the descriptors are.
 */
#ifndef HOST_USER_PRELOAD_H
#define HOST_USER_PRELOAD_H

#include <dirent.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "host/user/nodes.h"
#include "host/user/proto.h"

#define EXPORT __attribute__((visibility("default")))
#define LH_PATH 4096u

/* -- core.c: the C library's own functions, and where the daemon is ------------------------------
 */

#define LH_REAL_FUNCTIONS(X)                                                                     \
	X(int, openat, (int, const char *, int, ...))                                            \
	X(FILE *, fopen, (const char *, const char *))                                           \
	X(int, close, (int))                                                                     \
	X(int, close_range, (unsigned int, unsigned int, int))                                   \
	X(void, closefrom, (int))                                                                \
	X(int, fclose, (FILE *))                                                                 \
	X(int, dup, (int))                                                                       \
	X(int, dup2, (int, int))                                                                 \
	X(int, dup3, (int, int, int))                                                            \
	X(int, fcntl, (int, int, ...))                                                           \
	X(int, ioctl, (int, unsigned long, ...))                                                 \
	X(void *, mmap, (void *, size_t, int, int, int, off_t))                                  \
	X(ssize_t, read, (int, void *, size_t))                                                  \
	X(ssize_t, write, (int, const void *, size_t))                                           \
	X(ssize_t, readv, (int, const struct iovec *, int))                                      \
	X(ssize_t, writev, (int, const struct iovec *, int))                                     \
	X(ssize_t, pread, (int, void *, size_t, off_t))                                          \
	X(ssize_t, pwrite, (int, const void *, size_t, off_t))                                   \
	X(int, glob, (const char *, int, int (*)(const char *, int), glob_t *))                  \
	X(int, fileno, (FILE *))                                                                 \
	X(DIR *, fdopendir, (int))                                                               \
	X(ssize_t, recvmsg, (int, struct msghdr *, int))                                         \
	X(int, ppoll, (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *))      \
	X(int, poll, (struct pollfd *, nfds_t, int))                                             \
	X(int, select, (int, fd_set *, fd_set *, fd_set *, struct timeval *))                    \
	X(int, pselect,                                                                          \
	  (int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *))        \
	X(int, epoll_ctl, (int, int, int, struct epoll_event *))                                 \
	X(int, epoll_pwait, (int, struct epoll_event *, int, int, const sigset_t *))             \
	X(DIR *, opendir, (const char *))                                                        \
	X(struct dirent *, readdir, (DIR *))                                                     \
	X(int, closedir, (DIR *))                                                                \
	X(void, rewinddir, (DIR *))                                                              \
	X(int, scandir,                                                                          \
	  (const char *, struct dirent ***, int (*)(const struct dirent *),                      \
	   int (*)(const struct dirent **, const struct dirent **)))                             \
	X(char *, realpath, (const char *, char *))                                              \
	X(char *, getcwd, (char *, size_t))                                                      \
	X(int, chdir, (const char *))                                                            \
	X(pid_t, fork, (void))                                                                   \
	X(pid_t, _Fork, (void))                                                                  \
	X(int, execve, (const char *, char *const[], char *const[]))                             \
	X(int, execvpe, (const char *, char *const[], char *const[]))                            \
	X(int, fexecve, (int, char *const[], char *const[]))                                     \
	X(int, posix_spawn,                                                                      \
	  (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, \
	   char *const[], char *const[]))                                                        \
	X(int, posix_spawnp,                                                                     \
	  (pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, \
	   char *const[], char *const[]))                                                        \
	X(int, setuid, (uid_t))                                                                  \
	X(int, setgid, (gid_t))                                                                  \
	X(int, seteuid, (uid_t))                                                                 \
	X(int, setegid, (gid_t))                                                                 \
	X(int, setreuid, (uid_t, uid_t))                                                         \
	X(int, setregid, (gid_t, gid_t))                                                         \
	X(int, setresuid, (uid_t, uid_t, uid_t))                                                 \
	X(int, setresgid, (gid_t, gid_t, gid_t))                                                 \
	X(int, setgroups, (size_t, const gid_t *))                                               \
	X(int, initgroups, (const char *, gid_t))

struct lh_real {
#define X(ret, name, args) ret(*name) args;
	LH_REAL_FUNCTIONS(X)
#undef X
};

/* The C library's functions, resolved at the first use. */
const struct lh_real *lh_real(void);
/* Whether there is a daemon to talk to at all (the environment named one). */
bool lh_active(void);
const char *lh_socket_path(void);
/* The daemon's tree of files, and its length. */
const char *lh_tree(size_t *length);
/* "LD_PRELOAD=..." and "LEAFHOPPER_SOCKET=..." as this process got them, to hand on. */
const char *lh_env_preload(void);
const char *lh_env_socket(void);
/* Our own library's path, as LD_PRELOAD names it. */
const char *lh_self(void);

/* -- path.c: which paths are ours ----------------------------------------------------------------
 */

struct lh_where {
	char tree[LH_PATH];  /* where the file lies */
	const char *virtual; /* how the program names it: within tree, behind the tree's root */
};

/* True when the path is ours. */
bool lh_path(int dirfd, const char *path, struct lh_where *where);
/* A path within the tree as programs name it: moves the name to its start. True when it was one. */
bool lh_path_strip(char *path);

/* What lies at a path of ours. */
enum lh_what {
	LH_WHAT_ERROR, /* errno says */
	LH_WHAT_FILE,  /* or a directory: as the tree has it */
	LH_WHAT_NODE,  /* a device node */
	LH_WHAT_TEXT,  /* made when it is read */
};
/* st is filled as programs are to see it. */
enum lh_what lh_stat(const struct lh_where *where, int flags, struct stat *st);
/* What programs are to see of a descriptor of a text made when it was read; false for others. */
bool lh_text_stat(int fd, struct stat *st);
/* access(2)'s question by the caller's effective (or real) user. 0 or an errno. */
int lh_allowed(const struct stat *st, int mode, bool effective);
/* The device node of a driver's file with that number. */
bool lh_node_of(dev_t rdev, enum tree_node *node, u32 *minor);
dev_t lh_node_rdev(enum tree_node node, u32 minor);

/* -- conn.c: the connection, channels, and calls on them ------------------------------------------
 */

struct lh_link;

struct lh_chan {
	struct lh_shm *shm;
	struct lh_link *link; /* the connection it belongs to */
	u32 generation;	      /* of that connection */
	u32 sent;
	u32 seen;
	u32 spin;
	bool busy; /* a call is under way, or was jumped out of */
};

/* A channel of the calling thread, connected; NULL with errno set. Every enter has its leave. */
struct lh_chan *lh_enter(void);
void lh_leave(void);
/* Sends msg and serves the daemon until its reply, which replaces msg. The result, or -errno. */
s32 lh_exchange(struct lh_chan *chan, struct lh_msg *msg);
/* Of the connection now in use; 0 for none. */
u32 lh_generation(void);
/*
 * Signals that the program has not blocked are kept from it for a while, where a wait must not be
 * interrupted anywhere. When that is over, what waits gives up with LH_RESTART, its caller lets
 * them in and begins again, with twice the patience: the daemon may just be slow.
 */
struct lh_patience {
	sigset_t before; /* the program's mask */
	u64 until;	 /* CLOCK_MONOTONIC, ns */
};
#define LH_RESTART (-512) /* as the kernel's ERESTARTSYS: no call's result */
#define LH_PATIENCE_NS 100000000u
#define LH_PATIENCE_MAX_NS 1600000000u

static inline u64 lh_more_patience(u64 ns)
{
	return ns < LH_PATIENCE_MAX_NS ? ns * 2 : ns;
}

/* As lh_exchange, but LH_RESTART once patience is over: the exchange then still is to be ended. */
s32 lh_exchange_within(struct lh_chan *chan, struct lh_msg *msg,
		       const struct lh_patience *patience);
/* Ends an exchange that was given up: waits for the reply to it. */
void lh_chan_finish(struct lh_chan *chan);
/* Around binding a file; signals are blocked in between. 0 or LH_RESTART. */
int lh_bind_lock(struct lh_patience *patience, u64 ns);
void lh_bind_unlock(const struct lh_patience *patience);
/* Fills in a hello on behalf of the channel's connection with a fresh token. */
void lh_hello_fill(const struct lh_chan *chan, struct lh_hello *hello, u32 role);
/* Sends a descriptor, which is closed in every case; the token to name it by, 0 on failure. */
u64 lh_descriptor_send(struct lh_chan *chan, int fd);
/* Credentials changed: the next call connects anew. */
void lh_disconnect(void);
/* Makes what the library needs once, before the program may want numbers. False: no memory. */
bool lh_setup(void);
/*
 * True in a child that runs in its parent's memory (vfork): its descriptors are its own, all that
 * is known of them here is the parent's and must stay.
 */
bool lh_borrowed(void);
/* Reads or writes this process's own memory; false for a bad address. */
bool lh_copy(bool write, u64 address, void *mem, size_t size);
/*
 * True for what lies on the calling thread's stack, between the frame given and the stack's far
 * end: it is mapped and writable for as long as those frames live.
 */
bool lh_on_stack(const void *frame, u64 address, size_t size);

/* -- own.c: the library's own descriptors among the program's -------------------------------------
 */

/* A program's call that may give a file to, or take one from, a number that is not its own yet. */
struct lh_claim {
	sigset_t before;
	bool locked;
};

/* True for a descriptor of a connection, which programs must not know of. */
bool lh_is_hidden(int fd);
/* The lowest such descriptor that is first or higher; -1 for none. */
int lh_hidden_from(unsigned int first);
/* True when the program has a file of that number: what it does with that reaches none of ours. */
bool lh_is_theirs(int fd);
/*
 * Until the end of the claim the library takes no number, and fd is none of its: what had it has
 * moved away. 0, or EMFILE where there is no other number.
 */
int lh_claim(int fd, struct lh_claim *claim);
/* As lh_claim, but ours stay. */
void lh_claim_all(struct lh_claim *claim);
void lh_claim_end(const struct lh_claim *claim);

/* -- fd.c: which descriptors are ours
 * -------------------------------------------------------------- */

struct lh_file {
	u64 id;
	enum tree_node node;
	u32 minor;
};

/* Known from before, at the cost of two loads. False when not known to be ours. */
bool lh_fd_known(int fd);
/* As lh_fd_known, but asks the kernel about a descriptor that nothing is known of. */
bool lh_fd_ours(int fd);
/* The file behind a descriptor of ours, usable on this connection. 0 or an errno. */
int lh_fd_file(struct lh_chan *chan, int fd, struct lh_file *file);
/* What is known of it without asking anybody. */
bool lh_fd_peek(int fd, struct lh_file *file);
void lh_fd_set(const struct lh_chan *chan, int fd, const struct lh_file *file);
void lh_fd_copy(int from, int to);
void lh_fd_forget(int fd);
/* The daemon does not know the file on this connection: binds it again at its next use. */
void lh_fd_unbind(int fd);
/* Looks for what exec handed us; once, before the program runs. */
void lh_fd_inherit(void);
/* Highest number ever used plus one. */
int lh_fd_end(void);

/* -- open.c
 * ---------------------------------------------------------------------------------------- */

int lh_open(int dirfd, const char *path, int flags, mode_t mode);

/* -- poll.c
 * ---------------------------------------------------------------------------------------- */

/* Drains the descriptor's wake-ups and asks the driver: POLLIN | POLLPRI or 0. */
short lh_poll_ask(int fd);
/* epoll.c: a descriptor was closed. */
void lh_epoll_forget(int fd);

#endif
