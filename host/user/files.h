/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Whole files in and out, and where the project's own files lie: beside the command in the build
 * tree, or in the installed places.
 */
#ifndef HOST_USER_FILES_H
#define HOST_USER_FILES_H

#include <stddef.h>

/* The whole of a file, malloc'ed, with a terminating NUL not counted in size. 0 or an errno. */
int file_load(const char *path, char **data, size_t *size);
/* A profile by file name, or by its name among the project's. 0 or an errno. */
int profile_load(const char *name, char **data, size_t *size);
/* Another file of the project's, of that name: its path. 0 or an errno. */
int own_file_path(const char *name, char *path, size_t size);
/* The directory of the running command, terminated. 0 or an errno. */
int self_directory(char *path, size_t size);
/* The preload library to run clients under. 0 or an errno. */
int preload_path(char *path, size_t size);

#endif
