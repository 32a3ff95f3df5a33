// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* The adversary's life, his rules and what he counts. */
#include "host/user/adversary/internal.h"

struct adversary *adversary_create(u64 seed)
{
	struct adversary *a = os_alloc(sizeof(*a));

	if (!a)
		return NULL;
	if (pthread_rwlock_init(&a->rules_lock, NULL) != 0) {
		os_free(a);
		return NULL;
	}
	a->seed = seed;
	for (u32 i = 0; i < BUCKETS; i++)
		a->buckets[i] = ADVERSARY_ANY;
	return a;
}

void adversary_destroy(struct adversary *a)
{
	if (!a)
		return;
	for (u32 i = 0; i < ADVERSARY_GPUS; i++)
		watch_destroy(a->watches[i]);
	adversary_give_up(a);
	adversary_forget(a);
	if (a->record)
		fclose(a->record);
	pthread_rwlock_destroy(&a->rules_lock);
	os_free(a);
}

enum nv_status adversary_watch(struct adversary *a, u32 index, struct os_pci_dev *dev)
{
	struct watch *w;

	if (index >= ADVERSARY_GPUS || a->watches[index])
		return NV_ERR_INVALID_ARGUMENT;
	w = watch_create(a, index);
	if (!w)
		return NV_ERR_NO_MEMORY;
	os_store_release(&a->watches[index], w);
	os_user_pci_set_observer(dev, &w->observer, w);
	return NV_OK;
}

/* -- Rules ------------------------------------------------------------------------------------- */

s32 adversary_add(struct adversary *a, const struct adversary_rule *rule)
{
	struct rule r = { .rule = *rule };
	s32 number = ADVERSARY_ANY;

	if (rule->data_bytes != 0) {
		r.data = os_alloc(rule->data_bytes);
		if (!r.data)
			return ADVERSARY_ANY;
		os_memcpy(r.data, rule->data, rule->data_bytes);
	}
	r.rule.data = r.data;
	pthread_rwlock_wrlock(&a->rules_lock);
	if (a->rule_count < ADVERSARY_RULES) {
		number = (s32)a->rule_count++;
		a->rules[number] = r;
		for (u32 i = 0; i < ADVERSARY_GPUS; i++)
			if (a->watches[i])
				a->watches[i]->asked[number] = 0;
	}
	pthread_rwlock_unlock(&a->rules_lock);
	if (number == ADVERSARY_ANY)
		os_free(r.data);
	return number;
}

void adversary_forget(struct adversary *a)
{
	pthread_rwlock_wrlock(&a->rules_lock);
	for (u32 i = 0; i < a->rule_count; i++)
		os_free(a->rules[i].data);
	a->rule_count = 0;
	pthread_rwlock_unlock(&a->rules_lock);
}

u64 adversary_done(struct adversary *a, s32 rule)
{
	return rule < 0 || (u32)rule >= a->rule_count ? 0 : os_load_acquire(&a->rules[rule].done);
}

/* -- Counts ------------------------------------------------------------------------------------ */

u64 adversary_count(struct adversary *a, enum adversary_object object, enum adversary_action action)
{
	return os_load_acquire(&a->counts[object][action]);
}

u64 adversary_found(struct adversary *a, const char **name)
{
	if (name)
		*name = os_load_acquire(&a->found_name);
	return os_load_acquire(&a->found);
}

u64 adversary_searched(struct adversary *a)
{
	u64 bytes = 0;

	for (u32 i = 0; i < ADVERSARY_GPUS; i++) {
		struct watch *w = a->watches[i];

		if (!w)
			continue;
		pthread_mutex_lock(&w->lock);
		bytes += w->searched;
		pthread_mutex_unlock(&w->lock);
	}
	return bytes;
}

void adversary_set_tell(struct adversary *a, adversary_tell tell, void *ctx)
{
	pthread_rwlock_wrlock(&a->rules_lock);
	a->tell = tell;
	a->tell_ctx = ctx;
	pthread_rwlock_unlock(&a->rules_lock);
}

void adversary_summary(struct adversary *a, void (*line)(void *ctx, const char *text), void *ctx)
{
	char text[120];
	u64 total = 0;

	for (u32 object = 0; object < ADVERSARY_OBJECTS; object++) {
		for (u32 action = 0; action < ADVERSARY_ACTIONS; action++) {
			u64 count = adversary_count(a, object, action);

			if (count == 0)
				continue;
			total += count;
			os_snprintf(text, sizeof(text), "adversary: %s, %s: %llu",
				    adversary_object_name(object), adversary_action_name(action),
				    (unsigned long long)count);
			line(ctx, text);
		}
	}
	os_snprintf(text, sizeof(text), "adversary: %llu manipulations", (unsigned long long)total);
	line(ctx, text);
}
