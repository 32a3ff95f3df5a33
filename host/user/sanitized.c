// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What our clients tell a sanitizer's runtime in them, where there is one: that a preloaded library
 * comes before it is no mistake.
 */
const char *__asan_default_options(void);

__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "verify_asan_link_order=0";
}
