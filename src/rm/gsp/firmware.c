// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Finds the sections of the firmware container. The file comes from disk, so nothing in it is
 * believed. */
#include "rm/gsp/firmware.h"

#include "abi/gh100.h"
#include "base/bits.h"

struct elf_header {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, program_offset, section_offset;
	u32 flags;
	u16 header_size, program_size, program_count, section_size, section_count, names;
};

struct elf_section {
	u32 name, type;
	u64 flags, address, offset, size;
	u32 link, info;
	u64 align, entry_size;
};

_Static_assert(sizeof(struct elf_header) == 64, "ELF-64 header");
_Static_assert(sizeof(struct elf_section) == 64, "ELF-64 section header");

#define ELF_SECTION_NOBITS 8u /* occupies no space in the file */

static bool in_file(size_t file_size, u64 offset, u64 size)
{
	return offset <= file_size && size <= file_size - offset;
}

/* The section header at index, which is within the count that parse() checked. */
static void read_section(const u8 *data, const struct elf_header *h, u32 index,
			 struct elf_section *s)
{
	os_memcpy(s, data + h->section_offset + (u64)index * sizeof(*s), sizeof(*s));
}

static bool name_is(const u8 *data, const struct elf_section *names, u32 offset, const char *name)
{
	size_t length = os_strnlen(name, 64);

	return in_file(names->size, offset, length + 1) &&
	       os_memcmp(data + names->offset + offset, name, length + 1) == 0;
}

enum nv_status gsp_firmware_parse(const void *file, size_t size, struct gsp_firmware *fw)
{
	static const u8 ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	const struct {
		const char *name;
		struct gsp_section *section;
	} wanted[] = {
		{ ".fwversion", &fw->version },
		{ ".fwimage", &fw->image },
		{ ".fwsignature_gh100", &fw->signature },
		{ LH_GSP_SECTION_FMC, &fw->fmc },
		{ LH_GSP_SECTION_FMC_HASH, &fw->fmc_hash },
	};
	const u8 *data = file;
	struct elf_section names, s;
	struct elf_header h;
	u32 i, j;

	os_memset(fw, 0, sizeof(*fw));
	if (size < sizeof(h))
		return NV_ERR_INVALID_DATA;
	os_memcpy(&h, data, sizeof(h));
	if (os_memcmp(h.ident, ident, sizeof(ident)) != 0 || h.section_size != sizeof(s) ||
	    !in_file(size, h.section_offset, (u64)h.section_count * sizeof(s)) ||
	    h.names >= h.section_count)
		return NV_ERR_INVALID_DATA;
	read_section(data, &h, h.names, &names);
	if (names.type == ELF_SECTION_NOBITS || !in_file(size, names.offset, names.size))
		return NV_ERR_INVALID_DATA;

	for (i = 0; i < h.section_count; i++) {
		read_section(data, &h, i, &s);
		for (j = 0; j < ARRAY_SIZE(wanted); j++) {
			if (!name_is(data, &names, s.name, wanted[j].name))
				continue;
			if (s.type == ELF_SECTION_NOBITS || !in_file(size, s.offset, s.size) ||
			    s.size == 0)
				return NV_ERR_INVALID_DATA;
			wanted[j].section->data = data + s.offset;
			wanted[j].section->size = (size_t)s.size;
		}
	}
	for (j = 0; j < ARRAY_SIZE(wanted); j++)
		if (!wanted[j].section->data)
			return NV_ERR_OBJECT_NOT_FOUND;
	if (fw->fmc_hash.size != GSP_FMC_HASH_SIZE || fw->version.data[fw->version.size - 1] != 0)
		return NV_ERR_INVALID_DATA;
	return NV_OK;
}

enum nv_status gsp_firmware_get(struct os_pci_dev *dev, struct gsp_firmware *fw)
{
	enum nv_status status;
	const void *file;
	size_t size;

	status = os_firmware_get(dev, GSP_FIRMWARE_NAME, &file, &size);
	if (status != NV_OK)
		return status;
	status = gsp_firmware_parse(file, size, fw);
	if (status != NV_OK) {
		os_firmware_put(file);
		return status;
	}
	fw->file = file;
	return NV_OK;
}

void gsp_firmware_put(struct gsp_firmware *fw)
{
	if (fw->file)
		os_firmware_put(fw->file);
	os_memset(fw, 0, sizeof(*fw));
}
