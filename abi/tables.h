/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the generator makes of abi/r535/ as tables: structures field by field, RM classes, RM
 * controls, escapes and RPC functions. The data is constant; look-ups allocate nothing, take no
 * lock and are O(1) unless they say otherwise.
 */
#ifndef ABI_TABLES_H
#define ABI_TABLES_H

#include "base/types.h"

struct abi_struct;

enum abi_kind {
	ABI_UINT,    /* unsigned integer of 1, 2, 4 or 8 bytes */
	ABI_INT,     /* signed */
	ABI_BOOL,    /* NvBool */
	ABI_HANDLE,  /* NvHandle */
	ABI_CLASS,   /* class number */
	ABI_COMMAND, /* control command */
	ABI_STATUS,  /* NV_STATUS */
	ABI_FD,	     /* file descriptor of the caller's process */
	ABI_POINTER, /* 64-bit user pointer; nested tells what it points at, if declared */
	ABI_BYTES,   /* opaque bytes (shown as hex) */
	ABI_STRING,  /* NUL-terminated text in a fixed array */
	ABI_STRUCT,  /* sub */
	ABI_UNION,   /* sub; selector names the field that tells which member holds */
};

enum abi_dir { ABI_IN = 1, ABI_OUT = 2, ABI_INOUT = 3 };

/* What a pointer field points at: count_field's value (or fixed_count) elements of element_size. */
struct abi_nested {
	u32 pointer_offset;
	u32 count_offset; /* offset of the u32 that counts elements, if count_size != 0 */
	u32 count_size;	  /* 4 or 8; 0: fixed_count */
	u32 fixed_count;
	u32 max_count; /* more is INVALID_ARGUMENT */
	u32 element_size;
	u8 dir;				  /* enum abi_dir */
	u8 optional;			  /* NULL is fine whatever the count says */
	const struct abi_struct *element; /* or NULL for bytes and plain integers */
};

struct abi_field {
	const char *name;
	const char *type; /* as the interface spells it */
	u32 offset;
	u32 size;	/* of one element */
	u32 count;	/* array elements; 1 for none, 0 for all that follows (a flexible array) */
	u32 counted_by; /* index of the field that tells how many are valid, or ~0 */
	u32 selector;	/* of a union: index of the field that picks its member, or ~0 */
	u32 when_count; /* of a member: values of the selector that pick it */
	const u32 *when;
	u8 kind;   /* enum abi_kind */
	u8 dir;	   /* enum abi_dir */
	u8 secret; /* a trace prints <secret> */
	u8 hex;	   /* print in hexadecimal */
	const struct abi_struct *sub;
};

struct abi_struct {
	const char *name;
	u32 size;
	u32 field_count;
	const struct abi_field *fields;
	u32 nested_count;
	const struct abi_nested *nested;
};

/* The interface's own names of classes of objects; generated: ABI_ICLASS_Subdevice and so on. */
#include "abi/iclass.h"
/* ABI_CONTROL_COUNT, ABI_CLASS_COUNT, ABI_STRUCT_COUNT, ... */
#include "abi/counts.h"

struct abi_control {
	u32 cmd;
	u32 index;  /* dense, 0 .. ABI_CONTROL_COUNT - 1 */
	u32 flags;  /* RMCTRL_FLAGS_* */
	u32 rights; /* RS_ACCESS_* bits that the caller needs on the object */
	u32 params_size;
	u16 iclass;  /* enum abi_iclass that serves it */
	u8 by_class; /* known only through the object's class, not by its number alone */
	u8 open;     /* 0: no open interface header names it; params, if any, is our own decoding */
	const char *name; /* "" when it has none */
	const struct abi_struct *params;
	u32 also_count;	 /* further internal classes that serve the same command */
	const u16 *also; /* enum abi_iclass */
	u32 becomes;	 /* an older form: the command that took its place; 0 for none */
	u8 serialised;	 /* its parameters cross to the firmware in the form of abi/serial.h */
};

enum abi_params_mode { ABI_PARAMS_NONE, ABI_PARAMS_OPTIONAL, ABI_PARAMS_REQUIRED };

struct abi_class {
	u32 class_id;
	u32 index; /* dense, 0 .. ABI_CLASS_COUNT - 1 */
	const char *name;
	u16 iclass;
	u8 multi; /* any number under one parent */
	u8 params_mode;
	u32 params_size; /* 0 for none */
	const struct abi_struct *params;
	u32 flags;  /* RS_FLAGS_* */
	u32 rights; /* RS_ACCESS_* an allocation needs */
	u32 parent_count;
	const u16 *parents; /* enum abi_iclass; ABI_ICLASS_ANY accepts all */
};

struct abi_escape {
	u32 nr;
	const char *name;
	const struct abi_struct *params; /* the usual structure, or NULL */
};

struct abi_rpc {
	u32 function;
	const char *name;
	const struct abi_struct *params;
};

const struct abi_control *abi_control_find(u32 cmd);
const struct abi_control *abi_control_by_index(u32 index);
const struct abi_class *abi_class_find(u32 class_id);
const struct abi_class *abi_class_by_index(u32 index);
const struct abi_escape *abi_escape_find(u32 nr);
const struct abi_rpc *abi_rpc_find(u32 function);
/* Events of the firmware, by their number (NV_VGPU_MSG_EVENT_*). */
const struct abi_rpc *abi_rpc_event_find(u32 event);
/* By name; O(log n). */
const struct abi_struct *abi_struct_find(const char *name);
const struct abi_struct *abi_struct_by_index(u32 index);
/* The name of a status code, or "NV_STATUS_UNKNOWN". */
const char *abi_status_name(u32 status);
/* The name of an internal class. */
const char *abi_iclass_name(u16 iclass);

/*
 * Prints the structure at data (size bytes; fields past it are left out) as "name=value" text, one
 * field a line with the given indent, through emit. Fields whose direction does not meet dir are
 * left out; secret ones show <secret>; runs of zero elements are folded. Never reads past size.
 */
void abi_decode(const struct abi_struct *s, const void *data, size_t size, u32 dir, u32 indent,
		void (*emit)(void *ctx, const char *line), void *ctx);

#endif
