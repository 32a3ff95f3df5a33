/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The daemon: driver and GPUs in a process of their own, as a kernel is. One thread runs the event
 * loop (connections come and go), each client thread has a channel thread that serves its requests,
 * and one thread closes files whose last descriptor is gone.
 *
 * Locks, outermost first: the table of connections, that of files, conn->lock, that of areas, a
 * monitor's, that of the users' shares. None is held while rm runs; those of areas and monitors are
 * taken under uvm's.
 */
#ifndef HOST_USER_DAEMON_H
#define HOST_USER_DAEMON_H

#include <pthread.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "host/user/nodes.h"
#include "host/user/proto.h"
#include "os/user/user.h"
#include "rm/rm.h"
#include "uvm/uvm.h"

#define DAEMON_MAX_CONNS 8192u
#define DAEMON_MAX_PENDING 1024u  /* sockets that have not said yet what they are */
#define DAEMON_MAX_CHANNELS 1024u /* of one connection */
#define DAEMON_MAX_ADMINS 64u
#define DAEMON_MAX_FILES 4096u	      /* that one connection may use at a time */
#define DAEMON_MAX_MAPPINGS 65536u    /* of one connection */
#define DAEMON_MAX_RIGHTS 64u	      /* descriptors of one connection that nothing named yet */
#define DAEMON_CHANNEL_STACK KIB(256) /* of a channel thread */

struct machine;
struct channel;
struct mapping;
struct leaver;
struct pinned;
struct bell;
struct watch;
struct monitor;
struct area;
struct os_user_pin_ops;

struct daemon_config {
	const char *socket_path;
	mode_t socket_mode;
	struct machine *machine;
	int ready_fd;  /* one byte is written once clients can connect; -1: none */
	int parent_fd; /* the daemon ends when this hangs up; -1: none */
};

/* What epoll reports on. Handlers run on the event loop; a source dies only through loop_remove. */
struct source {
	int fd;
	void (*event)(struct source *source, u32 events);
	void (*release)(struct source *source); /* after the current batch of events */
	struct source *dead_next;
	bool removed;
};

/* -- daemon.c: the event loop ------------------------------------------------------------------ */

/* Serves until stopped; returns 0, or an errno when it could not start. */
int daemon_run(const struct daemon_config *config);
/* Ends daemon_run. Any thread. */
void daemon_stop(void);
struct machine *daemon_machine(void);
/* Watches fd for input and hang-up. 0 or an errno, the source untouched then. Event loop only. */
int loop_add(struct source *source, int fd);
/* Stops watching; release runs later. Event loop only. */
void loop_detach(struct source *source);
/* The same, and closes the descriptor. */
void loop_remove(struct source *source);

/* -- daemon_conn.c: connections ---------------------------------------------------------------- */

struct binding {
	struct dfile *file; /* referenced */
	u64 token;
};

/* An open or a binding that came to nothing, for the request that asks for it. */
struct failure {
	u64 token;
	int rc;
};

#define DAEMON_MAX_FAILURES                                                  \
	16u /* kept of one connection; of older ones a request waits in vain \
	     */

struct right {
	u64 token;
	int fd;
};

struct conn {
	struct source sock;
	struct source exit; /* pidfd of the process: it may die while a child holds the socket */
	bool has_exit;
	u64 id;
	u64 secret[2];
	struct ucred cred;
	u64 started, space; /* of struct os_cred */
	gid_t *groups;	    /* supplementary ones */
	u32 group_count;
	u32 refs;
	u32 dead; /* set once by the event loop; channels end */
	pthread_mutex_t lock;
	pthread_cond_t bound;	  /* a binding was added, or a failure */
	struct channel *channels; /* under lock, like all below */
	u32 channel_count;
	struct binding *bindings;
	u32 binding_count;
	u32 binding_room;
	struct failure failures[DAEMON_MAX_FAILURES];
	u32 failure_count;     /* ever */
	u32 unbinds;	       /* bindings that were removed; read without the lock */
	struct leaver *leaver; /* of the event loop; for its end */
	struct mapping *mappings;
	u32 mapping_count;
	struct monitor *monitor; /* of managed memory; once there is some */
	struct right rights[DAEMON_MAX_RIGHTS];
	u32 right_count;
	struct pinned *pinned;
	struct conn *next; /* under the table's lock */
	bool counted;	   /* in its user's share */
};

/* A client said hello on sock with the memfd of its first channel; takes over both on success (0).
 */
int conn_create(int sock, const struct ucred *cred, int memfd);
/* Referenced, or NULL when there is none of this id and secret. */
struct conn *conn_find(u64 id, const u64 secret[2]);
void conn_put(struct conn *conn);
/* The client of that id, if it is there, loses its connection. */
void conn_expel(u64 id);
/* Wakes channels that missed their connection's death; returns how many connections still die. */
u32 conn_sweep(void);
u32 conn_count(void);
/* Ends all connections; conn_sweep tells when their threads are gone. */
void conn_shutdown(void);

/* -- daemon_file.c: open files ----------------------------------------------------------------- */

struct dfile {
	struct source sock;
	u64 id;
	u32 refs; /* of the structure: while there is life, bindings, channels that remember it */
	u32 life; /* one while there are uses, one for the event loop: then the socket is closed */
	/*
	 * Of rm's file: one for the open descriptors, one for each request in flight. It is closed
	 * when this falls to 0, which is final.
	 */
	u32 uses;
	u32 hung_up;  /* the last descriptor is gone */
	u32 notified; /* a byte is under way and the client has not asked since */
	u32 opened;   /* LH_OP_OPEN came */
	uid_t uid;    /* in whose share it counts */
	enum tree_node node;
	u32 minor;
	/* One of the two once it is opened, written once. */
	struct rm_file *rm;
	struct uvm_file *uvm;
	u64 mm;		    /* the address space that unified memory's file serves; 0: none yet */
	struct area *areas; /* managed memory that clients have mapped (daemon_area.c) */
	struct area *area_hit;
	struct dfile *next; /* of the table of all */
	struct dfile *close_next;
};

extern const struct rm_host_ops dfile_host_ops;
extern const struct uvm_host_ops dfile_uvm_ops;

/*
 * A socket said that it is to be a file of conn; takes over sock on success. 0 or an errno, which
 * the request for the token gets.
 */
int dfile_create(int sock, struct conn *conn, u64 token);
/* Completes the open on the calling channel's behalf. 0 or an errno. */
int dfile_open(struct dfile *file, enum tree_node node, u32 minor);
/* A file of conn by its id; in use until dfile_put. NULL for none. */
struct dfile *dfile_get(struct conn *conn, u64 id);
/* The same on the channel's thread, which remembers the file; dfile_forget ends that. */
struct dfile *dfile_of_channel(struct channel *channel, u64 id);
void dfile_forget(struct channel *channel);
/* Whether LH_OP_OPEN came and succeeded. */
bool dfile_is_open(const struct dfile *file);
/* An ioctl of a file of unified memory's. 0 or an errno. */
int dfile_uvm_ioctl(struct dfile *file, u32 cmd, u64 arg);
/* One more use of a file that is in use. */
struct dfile *dfile_again(struct dfile *file);
/* Nothing of a file of unified memory's is mapped there any more. */
void dfile_unmapped(struct dfile *file, u64 address, u64 size);
/*
 * A file of conn by the token that it came with or, soon, will: 0 or an errno (EIO: none came). In
 * use until dfile_put.
 */
int dfile_by_token(struct conn *conn, u64 token, struct dfile **out);
void dfile_put(struct dfile *file);
/* Wakes whoever polls the file, unless a byte is under way. */
void dfile_tell(struct dfile *file);
/* Lets conn use the file. 0 or an errno. */
int dfile_bind(struct conn *conn, struct dfile *file, u64 token);
/* What dfile_unbind_all needs of a connection, made with it; freed by free. */
struct leaver *leaver_make(void);
/* The connection ends: drops all its bindings and what it has mapped, when the closer gets to it.
 */
void dfile_unbind_all(struct conn *conn);
/* A client closed a descriptor: when it was the last, the file is closed before this returns. */
void dfile_closed(struct conn *conn, u64 id);
/* Waits until files whose last descriptor went before the call are closed. */
void dfile_settle(void);
int dfile_start(void);
/* Closes all that are left. */
void dfile_stop(void);
u32 dfile_count(void);

/* -- daemon_channel.c: one client thread's requests -------------------------------------------- */

/*
 * A piece of the client's memory that it read ahead, in the channel's mirror of it; reads and kept
 * writes are of the mirror.
 */
struct piece {
	u64 address;
	u32 size;   /* 0: none */
	u32 at;	    /* in the mirror */
	bool stale; /* the client's memory was written: the mirror is not what is there */
	u32 late_at, late_size; /* within: kept to be written with the reply */
};

struct channel {
	struct conn *conn;
	struct channel *next;
	struct lh_shm *shm;
	u32 seen;   /* the client's count of messages */
	u32 posted; /* ours */
	bool broken;
	struct dfile *file;	    /* of the last request, referenced; valid while */
	u32 file_unbinds;	    /* the connection counts this */
	struct os_user_signal gone; /* the client is: nothing waits for its sake any more */
	/* The request being served: the ioctl's structure, and what a control's points to. */
	struct piece pieces[2];
	bool sure;  /* writes to the second cannot fail */
	u8 *mirror; /* the shared data, until that is needed for questions: then spare */
	u8 spare[2 * LH_PREFETCH_MAX];
};

/* Starts a thread on the memfd, which it takes over in every case. 0 or an errno. */
int channel_start(struct conn *conn, int memfd, bool first);
/*
 * Wakes the thread if it sleeps, and ends what a signal would end; it then sees conn->dead.
 * conn->lock held.
 */
void channel_wake(struct channel *channel);
/* The channel that the calling thread serves, or NULL. */
struct channel *channel_current(void);
/* Asks the client thread; false when it is gone. msg is the question, then the answer. */
bool channel_ask(struct channel *channel, struct lh_msg *msg);
/* Serves one message (ours already, checked here) and fills the reply: also the fuzzer's entry. */
bool channel_serve(struct channel *channel, struct lh_msg *msg);

/* -- daemon_process.c -------------------------------------------------------------------------- */

/* Fills in what the connection's process is beyond its number. */
void daemon_process_identify(struct conn *conn);

/* -- daemon_copy.c: user copies and credentials of the calling thread -------------------------- */

/* From now on the calling thread acts for the channel's client; clear: for the driver again. */
void daemon_caller_set(struct channel *channel);
void daemon_caller_clear(void);
/* Around one ioctl: takes what the client read ahead; puts the kept write into the reply. */
void daemon_copy_begin(struct channel *channel, const struct lh_msg *msg);
void daemon_copy_end(struct channel *channel, struct lh_msg *reply);

/* -- daemon_share.c: how much of the daemon each user has ----------------------------------------
 */

enum share_kind {
	SHARE_PENDING,
	SHARE_CONN,
	SHARE_CHANNEL,
	SHARE_FILE,
	SHARE_WATCH,
	SHARE_MONITOR,
	SHARE_PINNED,
	SHARE_VIDEO, /* memory files of video memory, until it is freed */
	SHARE_KINDS,
};

/* Once the limit on descriptors is what it will be. */
void share_init(void);
/* The administrator and the daemon's own user, who may have all there is. */
bool share_privileged(uid_t uid);
/* Counts one more for the user; false when that is too much. Any thread, like the others. */
bool share_take(uid_t uid, enum share_kind kind);
void share_drop(uid_t uid, enum share_kind kind);
/* Who has most of a kind. */
uid_t share_greediest(enum share_kind kind);

/* -- daemon_map.c: what clients have mapped ------------------------------------------------------
 */

/* 0 or an errno. */
int uvm_errno(enum uvm_result result);
void serve_map(struct channel *channel, struct lh_msg *msg);
void serve_unmap(struct channel *channel, struct lh_msg *msg);
void serve_watch(struct channel *channel, struct lh_msg *msg);
/* All of a connection's, which then has none; to be freed where waiting for the driver does no
 * harm. */
struct mapping *mappings_take(struct conn *conn);
void mappings_free(struct mapping *first);

/* -- daemon_uffd.c: userfaultfds of clients ------------------------------------------------------
 */

#define UFFD_STACK KIB(64) /* of a thread that calls nothing of the driver's */

bool uffd_is(int fd);
/* Without it there is no waiting for two things; the client may change it in its own copy. */
void uffd_set_nonblocking(int fd);
/* A thread that reads from one, 0 or an errno; it sets *stopped before it ends. */
int uffd_thread_start(pthread_t *thread, size_t stack, void *(*main)(void *), void *arg);
/* Waits for a thread that is to end, wherever it waits for the client: for ever, if it cannot. */
void uffd_thread_join(pthread_t thread, const u32 *stopped);

/* -- daemon_bell.c: doorbells in clients' memory -------------------------------------------------
 */

/*
 * The doorbell of an RM client on a GPU for one more mapping of it, made where there is none, and
 * its descriptor, which stays the bell's. 0 or an errno.
 */
int bell_get(u32 gpu, u32 client, int *fd, struct bell **out);
/* The mapping is gone. */
void bell_unmapped(struct bell *bell);
/* A reference that is no mapping, and its end. */
struct bell *bell_again(struct bell *bell);
void bell_put(struct bell *bell);
/*
 * A mapping of the bell is at address in a process that registered it for write protection with
 * uffd, which is taken over in every case. NULL when that cannot be watched.
 */
struct watch *watch_begin(struct bell *bell, int uffd, u64 address, uid_t uid);
/* Waits for the watch's thread. */
void watch_end(struct watch *watch);
/*
 * Has machine_doorbell_armed called once the next store to the bell, in whatever process, tells the
 * GPU; not where it cannot. Waits for no client.
 */
void bell_arm(struct bell *bell);

/* -- daemon_area.c: managed memory that clients have mapped ---------------------------------------
 */

/* The connection's monitor (daemon_monitor.h), in use until monitor_put; NULL: no memory. */
struct monitor *monitor_of(struct conn *conn);
void monitor_put(struct monitor *monitor);
/* Whether the process is to be asked for a userfaultfd. */
bool monitor_wants(struct monitor *monitor);
/*
 * The monitor's process has managed memory of the file's mapped there, by the mapping whose list of
 * areas that is, and which uses both. False: no memory, or too many.
 */
bool area_add(struct monitor *monitor, struct dfile *file, struct area **mapping, u64 address,
	      u64 size);
/* Whether the process may have a hole there: it has too many pieces otherwise. */
bool area_may_cut(struct area *const *mapping, u64 address, u64 size);
/* And has no more in that part; at the end in all of the mapping. */
void area_cut(struct area **mapping, u64 address, u64 size);
void areas_end(struct area **mapping);
void serve_monitor(struct channel *channel, struct lh_msg *msg);
void serve_retire(struct channel *channel, struct lh_msg *msg);
/* struct uvm_host_ops; host_ctx is the file. */
bool area_movable(void *host_ctx, u64 address, u64 size);
bool area_protect(void *host_ctx, u64 address, u64 size);
void area_discard(void *host_ctx, const struct uvm_extent *extent);

/* -- daemon_pin.c: memory of clients -------------------------------------------------------------
 */

/* A descriptor came for a message that names token; one too many is closed. Event loop only. */
void conn_add_right(struct conn *conn, u64 token, int fd);
/* The descriptor of that token, the caller's from now on. wait: for 2 s. -1: none came. */
int conn_take_right(struct conn *conn, u64 token, bool wait);
void serve_unpin(struct channel *channel, struct lh_msg *msg);
/* Closes all that a connection which nobody uses has. */
void conn_drop_memory(struct conn *conn);
extern const struct os_user_pin_ops daemon_pin_ops;
/* Once, before there are clients. */
void pin_start(void);

/* -- daemon_admin.c: status, inject, stop ------------------------------------------------------ */

int admin_create(int sock, const struct ucred *cred);
/* Ends those that said nothing for long; returns whether any are left. Event loop only. */
bool admin_expire(void);

/* -- daemon_text.c: files whose text is made when they are read -------------------------------- */

/* The text of an absolute path, malloc'ed; 0 or an errno. */
int daemon_text(struct machine *machine, const char *path, char **text, size_t *size);

#endif
