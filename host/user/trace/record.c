// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What traces share: a request's text gathered on its own thread and written at once, names, and
 * the output.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "abi/r535.h"
#include "host/user/daemon.h"
#include "host/user/trace/trace.h"

static struct {
	pthread_mutex_t lock;
	pthread_key_t key;
	int fd;
	bool json;
	bool on;
} out = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

void trace_put(struct trace_text *text, const char *fmt, ...)
{
	va_list ap;
	int n;

	for (;;) {
		size_t left = text->room - text->size;
		size_t room = text->room ? text->room * 2 : 4096;
		char *data;

		va_start(ap, fmt);
		n = vsnprintf(text->data ? text->data + text->size : NULL, left, fmt, ap);
		va_end(ap);
		if (n < 0)
			return;
		if ((size_t)n < left) {
			text->size += (size_t)n;
			return;
		}
		while (room < text->size + (size_t)n + 1)
			room *= 2;
		data = text->short_of_memory ? NULL : realloc(text->data, room);
		if (!data) {
			text->short_of_memory = true;
			return;
		}
		text->data = data;
		text->room = room;
	}
}

void trace_clear(struct trace_text *text)
{
	text->size = 0;
	text->short_of_memory = false;
}

static void request_free(void *arg)
{
	struct trace_request *request = arg;

	free(request->text.data);
	free(request);
}

struct trace_request *trace_request(void)
{
	struct trace_request *request = pthread_getspecific(out.key);

	if (request)
		return request;
	request = calloc(1, sizeof(*request));
	if (request && pthread_setspecific(out.key, request)) {
		free(request);
		return NULL;
	}
	return request;
}

const char *trace_escape(u64 request, const struct abi_struct **params, char *buf, size_t size)
{
	u32 nr = _IOC_NR((u32)request);
	const struct abi_escape *escape = abi_escape_find(nr);

	*params = escape ? escape->params : NULL;
	/* Two structures have one number: the older one is told by its size. */
	if (nr == NV_ESC_RM_ALLOC && _IOC_SIZE((u32)request) == sizeof(NVOS21_PARAMETERS))
		*params = abi_struct_find("NVOS21_PARAMETERS");
	else if (nr == NV_ESC_RM_ALLOC)
		*params = abi_struct_find("NVOS64_PARAMETERS");
	if (escape)
		return escape->name;
	snprintf(buf, size, "0x%02x", nr);
	return buf;
}

void trace_caller(u32 *pid, u32 *tid)
{
	struct channel *ch = channel_current();
	struct os_cred cred;

	os_current_cred(&cred);
	*pid = cred.pid;
	*tid = ch ? (u32)gettid() : 0;
}

void trace_write(const char *data, size_t size)
{
	pthread_mutex_lock(&out.lock);
	while (size && out.fd >= 0) {
		ssize_t n = write(out.fd, data, size);

		if (n < 0 && errno != EINTR)
			break;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	pthread_mutex_unlock(&out.lock);
}

static void sink(const struct rm_trace_event *event)
{
	struct trace_request *request = trace_request();

	if (!request)
		return;
	if (out.json)
		trace_json_event(request, event);
	else
		trace_text_event(request, event);
}

int trace_start(const char *json_file)
{
	int rc = pthread_key_create(&out.key, request_free);

	if (rc)
		return rc;
	out.json = json_file != NULL;
	out.fd = json_file ? open(json_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)
			   : fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (out.fd < 0) {
		rc = errno;
		pthread_key_delete(out.key);
		return rc;
	}
	if (out.json)
		trace_write("[\n", 2);
	out.on = true;
	os_store_release(&rm_trace_sink, sink);
	return 0;
}

void trace_stop(void)
{
	/* The last element repeats nothing: it names the processes' common origin. */
	static const char end[] = "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":0,\"tid\":0,"
				  "\"args\":{\"name\":\"leafhopper driver\"}}\n]\n";

	if (!out.on)
		return;
	os_store_release(&rm_trace_sink, NULL);
	if (out.json)
		trace_write(end, sizeof(end) - 1);
	close(out.fd);
	out.fd = -1;
	out.on = false;
	if (pthread_getspecific(out.key))
		request_free(pthread_getspecific(out.key));
	pthread_key_delete(out.key);
}
