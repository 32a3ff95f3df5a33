// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* What is done to an object that passes: which rules it is for, and each of their actions. */
#include <string.h>

#include "host/user/adversary/internal.h"

#define RPC_VERSION 0x03000000u
#define TO_END 0u
#define AT_END (~0u)

/* -- Places ------------------------------------------------------------------------------------ */

#define TAG_BYTES 16u
#define RECORD_TEXT (SPDM_HEADER_BYTES + 6u) /* behind session and length */
#define OF_ELEMENT(member)                              \
	((u32)offsetof(GSP_MSG_QUEUE_ELEMENT, member)), \
		((u32)sizeof(((GSP_MSG_QUEUE_ELEMENT *)0)->member))

static const struct adversary_field queue_fields[] = {
	{ "header", 0, ELEMENT_HEADER, 0 },
	{ "tag", OF_ELEMENT(authTagBuffer), 0 },
	{ "aad", OF_ELEMENT(aadBuffer), 0 },
	{ "checksum", OF_ELEMENT(checkSum), 0 },
	{ "sequence", OF_ELEMENT(seqNum), 0 },
	{ "count", OF_ELEMENT(elemCount), 0 },
	{ "padding", OF_ELEMENT(padding), 0 },
	{ "text", ELEMENT_HEADER, TO_END, 0 },
	/* Of messages in clear. */
	{ "length", OF_ELEMENT(rpc.length), 0 },
	{ "function", OF_ELEMENT(rpc.function), 0 },
	{ "result", OF_ELEMENT(rpc.rpc_result), 0 },
	{ "data", (u32)sizeof(GSP_MSG_QUEUE_ELEMENT), TO_END, 0 },
	{ NULL, 0, 0, 0 },
};

static const struct adversary_field spdm_fields[] = {
	{ "type", 0, 4, 0 },
	{ "size", 4, 4, 0 },
	{ "version", SPDM_HEADER_BYTES, 1, 0 },
	{ "code", SPDM_HEADER_BYTES + 1, 1, 0 },
	{ "message", SPDM_HEADER_BYTES, TO_END, 0 },
	{ NULL, 0, 0, 0 },
};

static const struct adversary_field record_fields[] = {
	{ "type", 0, 4, 0 },
	{ "size", 4, 4, 0 },
	{ "session", SPDM_HEADER_BYTES, 4, 0 },
	{ "length", SPDM_HEADER_BYTES + 4, 2, 0 },
	{ "text", RECORD_TEXT, TO_END, TAG_BYTES },
	{ "tag", AT_END, 0, TAG_BYTES },
	{ NULL, 0, 0, 0 },
};

#define OF_HEADER(member) ((u32)offsetof(msgqTxHeader, member)), 4u

static const struct adversary_field header_fields[] = {
	{ "version", OF_HEADER(version), 0 },
	{ "size", OF_HEADER(size), 0 },
	{ "message-size", OF_HEADER(msgSize), 0 },
	{ "messages", OF_HEADER(msgCount), 0 },
	{ "write", OF_HEADER(writePtr), 0 },
	{ "flags", OF_HEADER(flags), 0 },
	{ "read-offset", OF_HEADER(rxHdrOff), 0 },
	{ "entry-offset", OF_HEADER(entryOff), 0 },
	{ NULL, 0, 0, 0 },
};

static const struct adversary_field no_fields[] = { { NULL, 0, 0, 0 } };

static const struct {
	const char *name;
	const struct adversary_field *fields;
} objects[ADVERSARY_OBJECTS] = {
	[ADVERSARY_SPDM_REQUEST] = { "spdm request", spdm_fields },
	[ADVERSARY_SPDM_RESPONSE] = { "spdm response", spdm_fields },
	[ADVERSARY_RECORD_REQUEST] = { "record request", record_fields },
	[ADVERSARY_RECORD_RESPONSE] = { "record response", record_fields },
	[ADVERSARY_CLEAR_COMMAND] = { "clear command", queue_fields },
	[ADVERSARY_CLEAR_STATUS] = { "clear status", queue_fields },
	[ADVERSARY_SEALED_COMMAND] = { "sealed command", queue_fields },
	[ADVERSARY_SEALED_STATUS] = { "sealed status", queue_fields },
	[ADVERSARY_COMMAND_WRITE] = { "pointer command-write", no_fields },
	[ADVERSARY_STATUS_READ] = { "pointer status-read", no_fields },
	[ADVERSARY_STATUS_WRITE] = { "pointer status-write", no_fields },
	[ADVERSARY_COMMAND_READ] = { "pointer command-read", no_fields },
	[ADVERSARY_COMMAND_HEADER] = { "header commands", header_fields },
	[ADVERSARY_STATUS_HEADER] = { "header status", header_fields },
	[ADVERSARY_PAGE_READ] = { "page read", no_fields },
	[ADVERSARY_PAGE_WRITTEN] = { "page written", no_fields },
};

static const char *const actions[ADVERSARY_ACTIONS] = {
	[ADVERSARY_FLIP] = "flip",	 [ADVERSARY_SET] = "set",
	[ADVERSARY_REPLAY] = "replay",	 [ADVERSARY_RENUMBER] = "renumber",
	[ADVERSARY_REFLECT] = "reflect", [ADVERSARY_SUBSTITUTE] = "substitute",
	[ADVERSARY_SWAP] = "swap",	 [ADVERSARY_CUT] = "cut",
	[ADVERSARY_DROP] = "drop",	 [ADVERSARY_HOLD] = "hold",
	[ADVERSARY_DELAY] = "delay",	 [ADVERSARY_ROLL_BACK] = "roll-back",
	[ADVERSARY_FORGE] = "forge",	 [ADVERSARY_REPLACE] = "replace",
	[ADVERSARY_CALL] = "call",
};

const char *adversary_object_name(enum adversary_object object)
{
	return objects[object].name;
}

const char *adversary_action_name(enum adversary_action action)
{
	return actions[action];
}

const struct adversary_field *adversary_field(enum adversary_object object, const char *name)
{
	const struct adversary_field *field = objects[object].fields;

	while (field->name && strcmp(field->name, name) != 0)
		field++;
	return field->name ? field : NULL;
}

/* Where the rule's field lies; false: the object is too short for it. */
static bool place_find(const struct object *o, const struct adversary_rule *rule, u32 *at,
		       u32 *size)
{
	const struct adversary_field *field = rule->field;

	if (!field) {
		*at = 0;
		*size = o->size;
		return o->size != 0;
	}
	if (field->tail > o->size)
		return false;
	*at = field->offset == AT_END ? o->size - field->tail : field->offset;
	*size = field->size;
	if (*size == TO_END)
		*size = field->offset == AT_END	      ? field->tail
			: *at < o->size - field->tail ? o->size - field->tail - *at
						      : 0;
	return *size != 0 && *at <= o->size && *size <= o->size - *at;
}

/* -- Bytes ------------------------------------------------------------------------------------- */

u32 watch_random(struct watch *w, u32 below)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return (u32)((w->random * 0x2545f4914f6cdd1dull >> 32) * below >> 32);
}

u8 *object_at(const struct object *o, u32 at)
{
	return o->ring + (o->start + at) % o->ring_bytes;
}

void object_read(const struct object *o, u32 at, void *to, u32 size)
{
	u32 first = min(size, o->ring_bytes - (o->start + at) % o->ring_bytes);

	os_memcpy(to, object_at(o, at), first);
	os_memcpy((u8 *)to + first, o->ring, size - first);
}

void object_write(const struct object *o, u32 at, const void *from, u32 size)
{
	u32 first = min(size, o->ring_bytes - (o->start + at) % o->ring_bytes);

	os_memcpy(object_at(o, at), from, first);
	os_memcpy(o->ring, (const u8 *)from + first, size - first);
}

static bool object_equals(const struct object *o, const u8 *bytes, u32 size)
{
	u32 first = min(size, o->ring_bytes - o->start % o->ring_bytes);

	return size == o->size && os_memcmp(object_at(o, 0), bytes, first) == 0 &&
	       os_memcmp(o->ring, bytes + first, size - first) == 0;
}

static GSP_MSG_QUEUE_ELEMENT *element_of(const struct object *o)
{
	return (GSP_MSG_QUEUE_ELEMENT *)object_at(o, 0);
}

/* As whoever changes a message would: that it is summed is no protection. */
static void sum_again(const struct object *o, const struct adversary_rule *rule)
{
	u32 sum = 0, word, at;

	if (!o->queue || rule->raw)
		return;
	element_of(o)->checkSum = 0;
	for (at = 0; at < o->size; at += sizeof(word)) {
		os_memcpy(&word, object_at(o, at), sizeof(word));
		sum ^= word;
	}
	element_of(o)->checkSum = sum;
}

static bool is_spdm(const struct object *o)
{
	return o->kind <= ADVERSARY_RECORD_RESPONSE;
}

static bool is_page(const struct object *o)
{
	return o->kind >= ADVERSARY_COMMAND_HEADER;
}

/* The transport's header says how long a message of the surface is. */
static void spdm_resize(struct object *o, u32 size)
{
	NV_SPDM_DESC_HEADER *header = (NV_SPDM_DESC_HEADER *)o->ring;

	o->size = size;
	header->msgSizeByte = size - SPDM_HEADER_BYTES;
}

/* -- Actions: true where something is another than before -------------------------------------- */

static bool flip(struct watch *w, struct object *o, const struct adversary_rule *rule,
		 struct adversary_deed *deed)
{
	u32 at, size;

	if (!place_find(o, rule, &at, &size))
		return false;
	deed->byte = rule->byte == ADVERSARY_ANY ? watch_random(w, size) : (u32)rule->byte;
	deed->bit = rule->bit == ADVERSARY_ANY ? watch_random(w, 8) : (u32)rule->bit;
	/* A bit of a word is counted from its lowest on. */
	deed->byte += deed->bit / 8;
	deed->bit %= 8;
	if (deed->byte >= size)
		return false;
	*object_at(o, at + deed->byte) ^= (u8)(1u << deed->bit);
	if (at + deed->byte < offsetof(GSP_MSG_QUEUE_ELEMENT, checkSum) ||
	    at + deed->byte >= offsetof(GSP_MSG_QUEUE_ELEMENT, seqNum))
		sum_again(o, rule);
	return true;
}

static bool set(struct object *o, const struct adversary_rule *rule)
{
	u32 at, size, before = 0, value = rule->value;

	if (!place_find(o, rule, &at, &size))
		return false;
	if (rule->byte != ADVERSARY_ANY) {
		if ((u32)rule->byte >= size)
			return false;
		at += (u32)rule->byte;
		size -= (u32)rule->byte;
	}
	size = min(size, (u32)sizeof(value));
	object_read(o, at, &before, size);
	if (os_memcmp(&before, &value, size) == 0)
		return false;
	object_write(o, at, &value, size);
	if (at != offsetof(GSP_MSG_QUEUE_ELEMENT, checkSum))
		sum_again(o, rule);
	return true;
}

/* Other bytes of the same kind in its place; renumber: with the number that this one has. */
static bool put(struct object *o, const struct kept *kept, const struct adversary_rule *rule,
		bool renumber)
{
	GSP_MSG_QUEUE_ELEMENT due;

	if (!kept || object_equals(o, kept->bytes, kept->size))
		return false;
	if (is_spdm(o) && kept->size >= SPDM_HEADER_BYTES && kept->size <= o->room) {
		object_write(o, 0, kept->bytes, kept->size);
		o->size = kept->size;
		return true;
	}
	if (kept->size != o->size)
		return false;
	if (o->queue)
		object_read(o, 0, &due, sizeof(due));
	object_write(o, 0, kept->bytes, kept->size);
	if (o->queue && renumber) {
		element_of(o)->seqNum = due.seqNum;
		os_memcpy(element_of(o)->aadBuffer, due.aadBuffer, sizeof(due.aadBuffer));
		sum_again(o, rule);
	}
	return true;
}

static bool substitute(struct watch *w, struct object *o, const struct adversary_rule *rule)
{
	bool done = false;

	for (u32 i = 0; i < ADVERSARY_GPUS && !done; i++) {
		struct watch *other = w->a->watches[i];

		/* Who looks there holds the lock, and may be trying for this one. */
		if (!other || other == w || pthread_mutex_trylock(&other->lock) != 0)
			continue;
		done = put(o, object_kept(other, o->kind, o->code), rule, true);
		pthread_mutex_unlock(&other->lock);
	}
	return done;
}

static bool reflect(struct watch *w, struct object *o, const struct adversary_rule *rule)
{
	static const enum adversary_object other[ADVERSARY_OBJECTS] = {
		[ADVERSARY_RECORD_REQUEST] = ADVERSARY_RECORD_RESPONSE,
		[ADVERSARY_RECORD_RESPONSE] = ADVERSARY_RECORD_REQUEST,
		[ADVERSARY_CLEAR_COMMAND] = ADVERSARY_CLEAR_STATUS,
		[ADVERSARY_CLEAR_STATUS] = ADVERSARY_CLEAR_COMMAND,
		[ADVERSARY_SEALED_COMMAND] = ADVERSARY_SEALED_STATUS,
		[ADVERSARY_SEALED_STATUS] = ADVERSARY_SEALED_COMMAND,
		[ADVERSARY_PAGE_READ] = ADVERSARY_PAGE_WRITTEN,
		[ADVERSARY_PAGE_WRITTEN] = ADVERSARY_PAGE_READ,
	};

	/* The first kind stands for none. */
	return other[o->kind] != 0 &&
	       put(o, object_kept(w, other[o->kind], ADVERSARY_ANY), rule, true);
}

static void exchange(struct object *o)
{
	struct object other = *o;
	u32 at;
	u8 byte;

	other.start = o->next;
	for (at = 0; at < o->size; at++) {
		byte = *object_at(o, at);
		*object_at(o, at) = *object_at(&other, at);
		*object_at(&other, at) = byte;
	}
}

/* Where it is the last one it waits for another. */
static bool swap(struct object *o, u32 rule)
{
	if (!o->queue)
		return false;
	if (o->next_elements == 0) {
		o->queue->swaps = (s32)rule;
		o->held = true;
	}
	if (o->next_elements != o->elements)
		return false;
	exchange(o);
	return true;
}

static bool cut(struct object *o, const struct adversary_rule *rule)
{
	bool other = false;
	u32 at;

	if (o->queue) {
		element_of(o)->elemCount = o->elements - 1;
		sum_again(o, rule);
		return true;
	}
	if (is_spdm(o) && o->size > SPDM_HEADER_BYTES + 1) {
		spdm_resize(o, SPDM_HEADER_BYTES + (o->size - SPDM_HEADER_BYTES) / 2);
		return true;
	}
	for (at = o->size / 2; is_page(o) && at < o->size; at++) {
		other = other || *object_at(o, at) != 0;
		*object_at(o, at) = 0;
	}
	return other;
}

/* What was there before is there again. */
static bool drop(struct object *o)
{
	struct object before = *o;
	bool other = false;
	u32 at;

	if (!o->queue) {
		o->lost = o->before && o->ring != o->before;
		return o->lost;
	}
	before.ring = o->queue->shadow + (o->ring - o->queue->base);
	for (at = 0; at < o->size; at++) {
		other = other || *object_at(o, at) != *object_at(&before, at);
		*object_at(o, at) = *object_at(&before, at);
	}
	return other;
}

static bool hold(struct object *o)
{
	o->held = o->queue != NULL;
	return o->held;
}

static bool forge(struct object *o, const struct adversary_rule *rule)
{
	GSP_MSG_QUEUE_ELEMENT *e;
	u32 at;

	if (!o->queue)
		return false;
	e = element_of(o);
	for (at = ELEMENT_HEADER; at < o->size; at++)
		*object_at(o, at) = 0;
	e->rpc.header_version = RPC_VERSION;
	e->rpc.signature = NV_VGPU_MSG_SIGNATURE_VALID;
	e->rpc.function = o->queue->commands ? NV_VGPU_MSG_FUNCTION_UNLOADING_GUEST_DRIVER
					     : NV_VGPU_MSG_EVENT_GSP_LOCKDOWN_NOTICE;
	e->rpc.length = o->size - ELEMENT_HEADER;
	sum_again(o, rule);
	return true;
}

static bool replace(struct object *o, const u8 *data, u32 size, const struct adversary_rule *rule)
{
	if (is_spdm(o)) {
		size = min(size, o->room - SPDM_HEADER_BYTES);
		object_write(o, SPDM_HEADER_BYTES, data, size);
		spdm_resize(o, SPDM_HEADER_BYTES + size);
		return true;
	}
	object_write(o, 0, data, min(size, o->size));
	sum_again(o, rule);
	return size != 0;
}

static bool call(struct object *o, const struct adversary_rule *rule)
{
	u32 room = is_spdm(o) ? o->room : o->size, size = o->size;
	u8 *bytes = os_alloc(room);
	bool other;

	if (!bytes || !rule->call) {
		os_free(bytes);
		return false;
	}
	object_read(o, 0, bytes, size);
	rule->call(rule->ctx, bytes, &size, room);
	size = min(size, room);
	other = !object_equals(o, bytes, size);
	if (is_spdm(o))
		o->size = size;
	object_write(o, 0, bytes, min(size, o->size));
	os_free(bytes);
	return other;
}

static bool act(struct watch *w, struct object *o, const struct rule *r,
		struct adversary_deed *deed)
{
	const struct adversary_rule *rule = &r->rule;

	switch (rule->action) {
	case ADVERSARY_FLIP:
		return flip(w, o, rule, deed);
	case ADVERSARY_SET:
		return set(o, rule);
	case ADVERSARY_REPLAY:
		return put(o, object_kept(w, o->kind, o->code), rule, false);
	case ADVERSARY_RENUMBER:
		return put(o, object_kept(w, o->kind, o->code), rule, true);
	case ADVERSARY_REFLECT:
		return reflect(w, o, rule);
	case ADVERSARY_SUBSTITUTE:
		return substitute(w, o, rule);
	case ADVERSARY_SWAP:
		return swap(o, deed->rule);
	case ADVERSARY_CUT:
		return cut(o, rule);
	case ADVERSARY_DROP:
		return drop(o);
	case ADVERSARY_HOLD:
		return hold(o);
	case ADVERSARY_DELAY:
		o->delay_us += rule->delay_us;
		return true;
	case ADVERSARY_ROLL_BACK:
		if (!o->queue)
			return put(o, object_kept(w, o->kind, o->code), rule, false);
		return drop(o) && hold(o);
	case ADVERSARY_FORGE:
		return forge(o, rule);
	case ADVERSARY_REPLACE:
		return replace(o, r->data, rule->data_bytes, rule);
	case ADVERSARY_CALL:
		return call(o, rule);
	default:
		return false;
	}
}

/* -- Rules ------------------------------------------------------------------------------------- */

static bool is_for(const struct watch *w, const struct object *o, const struct adversary_rule *rule)
{
	const u8 *lies = o->before ? o->before : o->ring;

	if (rule->object != o->kind || (rule->gpu != ADVERSARY_ANY && (u32)rule->gpu != w->index) ||
	    (rule->code != ADVERSARY_ANY && rule->code != o->code))
		return false;
	if (!is_page(o))
		return true;
	return (rule->bytes == 0 || rule->bytes == o->size) &&
	       (!rule->at ||
		(lies >= (const u8 *)rule->at && lies < (const u8 *)rule->at + rule->at_bytes));
}

static bool is_due(struct watch *w, const struct rule *r, u64 asked)
{
	const struct adversary_rule *rule = &r->rule;

	if (rule->times != 0 && os_load_acquire(&r->done) >= rule->times)
		return false;
	switch (rule->when) {
	case ADVERSARY_NTH:
		return asked == rule->n;
	case ADVERSARY_EVERY:
		return asked % rule->n == 0;
	case ADVERSARY_CHANCE:
		return watch_random(w, ~0u) < rule->n;
	default:
		return true;
	}
}

static void tell(struct watch *w, const struct adversary_rule *rule, u64 asked,
		 const struct adversary_deed *deed)
{
	struct adversary *a = w->a;
	char line[160], place[48] = "";

	os_fetch_add(&a->counts[deed->object][deed->action], 1);
	if (!a->tell)
		return;
	if (deed->action == ADVERSARY_FLIP)
		os_snprintf(place, sizeof(place), " byte %u bit %u", deed->byte, deed->bit);
	else if (deed->action == ADVERSARY_SET)
		os_snprintf(place, sizeof(place), " to 0x%x", rule->value);
	else if (deed->action == ADVERSARY_DELAY)
		os_snprintf(place, sizeof(place), " by %u us", rule->delay_us);
	os_snprintf(line, sizeof(line), "adversary: GPU%u: %s %llu: %s%s%s%s", deed->gpu,
		    objects[deed->object].name, (unsigned long long)asked, actions[deed->action],
		    rule->field ? " " : "", rule->field ? rule->field->name : "", place);
	a->tell(a->tell_ctx, deed, line);
}

void object_meet(struct watch *w, struct object *o)
{
	struct adversary *a = w->a;

	pthread_rwlock_rdlock(&a->rules_lock);
	for (u32 i = 0; i < a->rule_count && !o->lost && !o->held; i++) {
		struct rule *r = &a->rules[i];
		struct adversary_deed deed = { .gpu = w->index,
					       .rule = i,
					       .object = o->kind,
					       .action = r->rule.action,
					       .code = o->code };

		if (!is_for(w, o, &r->rule))
			continue;
		w->asked[i]++;
		if (!is_due(w, r, w->asked[i]) || !act(w, o, r, &deed))
			continue;
		os_fetch_add(&r->done, 1);
		tell(w, &r->rule, w->asked[i], &deed);
	}
	pthread_rwlock_unlock(&a->rules_lock);
}

void object_swap_held(struct watch *w, struct object *o)
{
	struct adversary *a = w->a;
	s32 number = o->queue->swaps;
	struct adversary_deed deed = { .gpu = w->index,
				       .rule = (u32)number,
				       .object = o->kind,
				       .action = ADVERSARY_SWAP,
				       .code = o->code };

	o->queue->swaps = ADVERSARY_ANY;
	if (number == ADVERSARY_ANY || o->next_elements != o->elements)
		return;
	pthread_rwlock_rdlock(&a->rules_lock);
	if ((u32)number < a->rule_count && a->rules[number].rule.action == ADVERSARY_SWAP) {
		exchange(o);
		os_fetch_add(&a->rules[number].done, 1);
		tell(w, &a->rules[number].rule, w->asked[number], &deed);
	}
	pthread_rwlock_unlock(&a->rules_lock);
}
