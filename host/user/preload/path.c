// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Which paths are ours. Paths are compared after "." and ".." and doubled slashes are taken out; a
 * relative one counts from the descriptor or directory it starts at. What is ours lies in the
 * daemon's tree, whether it exists there or not.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/user/machine.h"
#include "host/user/preload/preload.h"

enum match {
	MATCH_START, /* anything that begins so */
	MATCH_BELOW, /* the path itself and what is below */
	MATCH_EXACT,
	MATCH_EXISTS, /* what the tree has of what begins so */
};

static const struct {
	const char *prefix;
	enum match match;
} ours[] = {
	{ "/dev/nvidia", MATCH_START },	       { "/dev/char/195:", MATCH_START },
	{ "/dev/char/511:", MATCH_START },     { "/proc/driver/nvidia", MATCH_START },
	{ "/proc/devices", MATCH_EXACT },      { "/proc/modules", MATCH_EXACT },
	{ "/sys/module/nvidia", MATCH_START }, { "/sys/bus/pci/devices", MATCH_BELOW },
	{ "/sys/devices/pci", MATCH_EXISTS },
};

static bool is_ours(const char *path, const char *tree_path)
{
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		size_t n = strlen(ours[i].prefix);

		if (strncmp(path, ours[i].prefix, n) != 0)
			continue;
		switch (ours[i].match) {
		case MATCH_START:
			return true;
		case MATCH_BELOW:
			return path[n] == 0 || path[n] == '/';
		case MATCH_EXACT:
			return path[n] == 0;
		case MATCH_EXISTS:
			return syscall(SYS_faccessat, AT_FDCWD, tree_path, F_OK) == 0;
		}
	}
	return false;
}

/* Takes "//", "." and ".." out of an absolute path, in place. */
static void normalise(char *path)
{
	char *out = path;
	const char *in = path;

	while (*in) {
		const char *end;
		size_t n;

		while (*in == '/')
			in++;
		end = strchrnul(in, '/');
		n = (size_t)(end - in);
		if (n == 2 && in[0] == '.' && in[1] == '.') {
			while (out > path && *--out != '/')
				;
		} else if (n && !(n == 1 && in[0] == '.')) {
			*out++ = '/';
			memmove(out, in, n);
			out += n;
		}
		in = end;
	}
	if (out == path)
		*out++ = '/';
	*out = 0;
}

bool lh_path_strip(char *path)
{
	size_t n;
	const char *tree = lh_tree(&n);

	if (!n || strncmp(path, tree, n) != 0 || (path[n] && path[n] != '/'))
		return false;
	if (!path[n])
		strcpy(path, "/");
	else
		memmove(path, path + n, strlen(path + n) + 1);
	return true;
}

/* The directory that a relative path starts at. */
static bool start_of(int dirfd, char *path, size_t size)
{
	char link[32];
	ssize_t n;
	char *at = link + sizeof(link);
	unsigned int fd = (unsigned int)dirfd;

	if (dirfd == AT_FDCWD) {
		n = syscall(SYS_getcwd, path, size);
		return n > 0 && path[0] == '/';
	}
	*--at = 0;
	do {
		*--at = (char)('0' + fd % 10);
		fd /= 10;
	} while (fd);
	at -= 14;
	memcpy(at, "/proc/self/fd/", 14);
	n = syscall(SYS_readlinkat, AT_FDCWD, at, path, size - 1);
	if (n <= 0 || path[0] != '/')
		return false;
	path[n] = 0;
	return true;
}

/* Cheap: absolute paths that cannot be ours, which nearly all are. */
static bool worth_a_look(const char *path)
{
	size_t n;
	const char *tree;

	if (path[0] != '/')
		return true;
	if (!strncmp(path, "/dev/", 5) || !strncmp(path, "/proc/", 6) ||
	    !strncmp(path, "/sys/", 5) || strstr(path, "/.") || strstr(path, "//"))
		return true;
	tree = lh_tree(&n);
	return strncmp(path, tree, n) == 0;
}

bool lh_path(int dirfd, const char *path, struct lh_where *where)
{
	int saved = errno;
	char *full;
	size_t n, tree_length, length = path ? strlen(path) : 0;
	const char *tree;
	bool began, found = false;

	if (!lh_active() || !length || !worth_a_look(path))
		return false;
	tree = lh_tree(&tree_length);
	memcpy(where->tree, tree, tree_length);
	full = where->tree + tree_length;
	*full = 0;
	n = 0;
	if (path[0] != '/') {
		if (!start_of(dirfd, full, LH_PATH - tree_length))
			goto out;
		lh_path_strip(full);
		n = strlen(full);
		full[n++] = '/';
	}
	if (tree_length + n + length >= LH_PATH)
		goto out;
	memcpy(full + n, path, length + 1);
	began = strstr(full, "/..") && is_ours(full, where->tree);
	normalise(full);
	lh_path_strip(full);
	found = is_ours(full, where->tree);
	where->virtual = full;
	/* Out of a directory of ours, which the real system lacks, by "..". */
	if (!found && began) {
		memmove(where->tree, full, strlen(full) + 1);
		where->virtual = where->tree;
		found = true;
	}
out:
	errno = saved;
	return found;
}

/* -- What lies there --------------------------------------------------------------------------- */

bool lh_node_of(dev_t rdev, enum tree_node *node, u32 *minor_out)
{
	*minor_out = minor(rdev);
	if (major(rdev) == TREE_CAPS_MAJOR)
		*node = TREE_NODE_CAP;
	else if (major(rdev) == TREE_UVM_MAJOR && minor(rdev) <= 1)
		*node = minor(rdev) ? TREE_NODE_UVM_TOOLS : TREE_NODE_UVM;
	else if (major(rdev) == TREE_NVIDIA_MAJOR)
		*node = minor(rdev) == TREE_CONTROL_MINOR ? TREE_NODE_CONTROL : TREE_NODE_GPU;
	else
		return false;
	return true;
}

dev_t lh_node_rdev(enum tree_node node, u32 minor)
{
	if (node == TREE_NODE_CAP)
		return makedev(TREE_CAPS_MAJOR, minor);
	if (tree_node_is_uvm(node))
		return makedev(TREE_UVM_MAJOR, minor);
	return makedev(TREE_NVIDIA_MAJOR, node == TREE_NODE_CONTROL ? TREE_CONTROL_MINOR : minor);
}

/* Whose files are the administrator's: the daemon made them. */
static uid_t tree_owner(void)
{
	static u32 known;
	static uid_t owner;
	struct stat st;
	size_t n;

	if (!__atomic_load_n(&known, __ATOMIC_ACQUIRE)) {
		if (syscall(SYS_newfstatat, AT_FDCWD, lh_tree(&n), &st, 0))
			return 0;
		owner = st.st_uid;
		__atomic_store_n(&known, 1, __ATOMIC_RELEASE);
	}
	return owner;
}

enum lh_what lh_stat(const struct lh_where *where, int flags, struct stat *st)
{
	enum lh_what what = LH_WHAT_FILE;

	if (syscall(SYS_newfstatat, AT_FDCWD, where->tree, st, flags & AT_SYMLINK_NOFOLLOW))
		return LH_WHAT_ERROR;
	if (tree_owner() && st->st_uid == tree_owner()) {
		st->st_uid = 0;
		st->st_gid = 0;
	}
	if (!S_ISREG(st->st_mode))
		return what;
	if (strncmp(where->virtual, "/dev/", 5) == 0) {
		st->st_rdev = makedev(TREE_NODE_MAJOR(st->st_size), TREE_NODE_MINOR(st->st_size));
		st->st_mode = S_IFCHR | TREE_NODE_MODE(st->st_size);
		st->st_size = 0;
		st->st_blocks = 0;
		what = LH_WHAT_NODE;
	} else if (st->st_mode & S_ISVTX) {
		st->st_mode &= ~(mode_t)S_ISVTX;
		what = LH_WHAT_TEXT;
	}
	return what;
}

static bool in_group(gid_t group)
{
	gid_t groups[256], *list = groups;
	int count = getgroups(0, NULL);
	bool found = false;
	const size_t size = count > 0 ? (size_t)count * sizeof(*list) : 0;

	if (size > sizeof(groups)) {
		list = (void *)syscall(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (list == MAP_FAILED)
			return false;
	}
	count = getgroups(count, list);
	for (int i = 0; i < count && !found; i++)
		found = list[i] == group;
	if (list != groups)
		munmap(list, size);
	return found;
}

int lh_allowed(const struct stat *st, int mode, bool effective)
{
	uid_t uid = (uid_t)syscall(effective ? SYS_geteuid : SYS_getuid);
	gid_t gid = (gid_t)syscall(effective ? SYS_getegid : SYS_getgid);
	mode_t bits = st->st_mode & 7;

	if (uid == 0)
		return (mode & X_OK) && !S_ISDIR(st->st_mode) && !(st->st_mode & 0111) ? EACCES : 0;
	if (uid == st->st_uid)
		bits = (st->st_mode >> 6) & 7;
	else if (gid == st->st_gid || in_group(st->st_gid))
		bits = (st->st_mode >> 3) & 7;
	return ((mode_t)mode & 7 & ~bits) ? EACCES : 0;
}
