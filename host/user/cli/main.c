// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The leafhopper command: names, options, help.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/user/cli/cli.h"

static const char help[] =
	"leafhopper: a GPU driver and a software H100 for unmodified programs\n"
	"\n"
	"  leafhopper run [options] -- COMMAND...     a machine of its own for one command\n"
	"  leafhopper trace [options] [-o FILE.json] -- COMMAND...\n"
	"                                             the same, and every request it makes, "
	"decoded\n"
	"  leafhopper up [options]                    starts a shared machine, prints how to join "
	"it\n"
	"  leafhopper enter -- COMMAND...             runs a command on the shared machine\n"
	"  leafhopper status                          what the shared machine is doing\n"
	"  leafhopper down                            stops the shared machine\n"
	"  leafhopper inject GPU LINE...              a scenario line for one GPU, by number\n"
	"  leafhopper smi                             lists the GPUs that a program sees\n"
	"  leafhopper attest [options]                whether a confidential GPU is what it should "
	"be\n"
	"\n"
	"Options of run, trace and up:\n"
	"  -n, --gpus N            GPUs in the machine (1)\n"
	"  -p, --profile P         h100-sxm-80gb, h100-pcie-80gb, h200, or a file\n"
	"  -s, --scenario FILE     what happens to the GPUs, and when\n"
	"  -V, --version V         the driver version that programs are told (that of the\n"
	"                          NVIDIA libraries found, or " RM_DEFAULT_VERSION ")\n"
	"      --cc MODE           confidential mode of the GPUs: off, on, devtools (off)\n"
	"      --tee T             what the CPU is said to protect memory with: tdx, sev-snp, "
	"none\n"
	"                          (tdx where --cc is not off, else none)\n"
	"      --root FILE         the certificate that the driver trusts to certify GPUs\n"
	"      --issuer FILE       certificates and key that these GPUs are certified with\n"
	"      --adversary FILE    a script of what a hostile host does to GPU and driver\n"
	"      --no-lending        waiting driver threads do not run the firmware\n"
	"      --uvm-tests         serve the built-in tests of unified memory (a risk)\n"
	"  -m, --socket-mode MODE  who may join, as of chmod (600: this user; 666: everybody)\n"
	"      --foreground        up: stay, with the log on standard error\n"
	"  -o, --output FILE       trace: a Chrome or Perfetto trace instead of text\n"
	"\n"
	"Options of attest:\n"
	"  -g, --gpu N             which GPU (0)\n"
	"      --root FILE         PEM of the root to trust (the project's test root)\n"
	"      --reference FILE    measurements to expect (those of this build)\n"
	"      --nonce HEX         32 bytes to ask with (random ones)\n"
	"      --json              the result as JSON\n"
	"      --save NAME         also writes NAME.report and NAME.pem\n"
	"      --report FILE, --chain FILE\n"
	"                          judges these files, with --nonce, and asks no GPU\n"
	"  Exit status: 0 all passed, 1 not all did, 2 usage, 3 no confidential mode, 4 otherwise\n"
	"\n"
	"leafhopper help, leafhopper --version. LEAFHOPPER_SOCKET names the shared machine's "
	"socket.\n";

void usage_error(const char *fmt, ...)
{
	va_list ap;

	fputs("leafhopper: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\nTry 'leafhopper help'.\n", stderr);
	exit(EXIT_USAGE);
}

static unsigned long number(const char *text, int base, unsigned long max, const char *what)
{
	char *end;
	unsigned long value = strtoul(text, &end, base);

	if (*text < '0' || *text > '9' || *end || value > max)
		usage_error("%s: %s is not a number up to %lu", what, text, max);
	return value;
}

/* The place of text among names. */
static int choice(const char *text, const char *what, const char *const *names)
{
	int i;

	for (i = 0; names[i]; i++)
		if (!strcmp(text, names[i]))
			return i;
	usage_error("%s: there is no %s", what, text);
}

void options_parse(int argc, char **argv, struct options *options)
{
	enum {
		OPT_NO_LENDING = 256,
		OPT_UVM_TESTS,
		OPT_FOREGROUND,
		OPT_CC,
		OPT_TEE,
		OPT_ROOT,
		OPT_ISSUER,
		OPT_ADVERSARY,
	};
	bool tee_given = false;
	static const struct option longs[] = {
		{ "gpus", required_argument, NULL, 'n' },
		{ "profile", required_argument, NULL, 'p' },
		{ "scenario", required_argument, NULL, 's' },
		{ "version", required_argument, NULL, 'V' },
		{ "socket-mode", required_argument, NULL, 'm' },
		{ "output", required_argument, NULL, 'o' },
		{ "no-lending", no_argument, NULL, OPT_NO_LENDING },
		{ "uvm-tests", no_argument, NULL, OPT_UVM_TESTS },
		{ "foreground", no_argument, NULL, OPT_FOREGROUND },
		{ "cc", required_argument, NULL, OPT_CC },
		{ "tee", required_argument, NULL, OPT_TEE },
		{ "root", required_argument, NULL, OPT_ROOT },
		{ "issuer", required_argument, NULL, OPT_ISSUER },
		{ "adversary", required_argument, NULL, OPT_ADVERSARY },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*options = (struct options){
		.machine = { .gpus = 1, .profile = "h100-sxm-80gb", .lend = true },
		.socket_mode = 0600,
	};
	optind = 1;
	while ((c = getopt_long(argc, argv, "+n:p:s:V:m:o:", longs, NULL)) >= 0) {
		switch (c) {
		case 'n':
			options->machine.gpus = (u32)number(optarg, 10, RM_MAX_GPUS, "--gpus");
			if (!options->machine.gpus)
				usage_error("--gpus: at least one");
			break;
		case 'p':
			options->machine.profile = optarg;
			break;
		case 's':
			options->machine.scenario = optarg;
			break;
		case 'V':
			options->machine.version = optarg;
			break;
		case 'm':
			options->socket_mode = (mode_t)number(optarg, 8, 0777, "--socket-mode");
			break;
		case 'o':
			options->output = optarg;
			break;
		case OPT_NO_LENDING:
			options->machine.lend = false;
			break;
		case OPT_UVM_TESTS:
			options->machine.uvm_tests = true;
			break;
		case OPT_CC:
			options->machine.cc = (enum machine_cc)choice(
				optarg, "--cc",
				(const char *const[]){ "off", "on", "devtools", NULL });
			break;
		case OPT_TEE:
			options->machine.tee = (enum os_tee)choice(
				optarg, "--tee",
				(const char *const[]){ "none", "sev-snp", "tdx", NULL });
			tee_given = true;
			break;
		case OPT_ROOT:
			options->machine.root = optarg;
			break;
		case OPT_ISSUER:
			options->machine.issuer = optarg;
			break;
		case OPT_ADVERSARY:
			options->machine.adversary = optarg;
			break;
		case OPT_FOREGROUND:
			options->foreground = true;
			break;
		default:
			fputs("Try 'leafhopper help'.\n", stderr);
			exit(EXIT_USAGE);
		}
	}
	if (!tee_given && options->machine.cc != MACHINE_CC_OFF)
		options->machine.tee = OS_TEE_TDX;
	options->command = argv + optind;
	if (!options->machine.version &&
	    version_of_clients(options->version, sizeof(options->version)))
		options->machine.version = options->version;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "run", command_run },	      { "trace", command_trace },   { "up", command_up },
	{ "down", command_down },     { "status", command_status }, { "enter", command_enter },
	{ "inject", command_inject }, { "smi", command_smi },	    { "attest", command_attest },
};

/*
 * Inside a machine the command itself runs under the preload library, and a daemon must see the
 * real system: starts again without it. smi and attest are clients like any other.
 */
static void leave_machine(char **argv)
{
	const char *preload = getenv("LD_PRELOAD");
	char *rest =
		preload && strstr(preload, PRELOAD_NAME) ? calloc(1, strlen(preload) + 1) : NULL;

	if (!rest)
		return;
	while (*preload) {
		size_t n = strcspn(preload, ": ");

		if (n && !memmem(preload, n, PRELOAD_NAME, strlen(PRELOAD_NAME))) {
			if (*rest)
				strcat(rest, ":");
			strncat(rest, preload, n);
		}
		preload += n;
		preload += strspn(preload, ": ");
	}
	if (*rest ? setenv("LD_PRELOAD", rest, 1) : unsetenv("LD_PRELOAD"))
		return;
	free(rest);
	/* Not execv, which the library would lead back to itself. */
	syscall(SYS_execve, "/proc/self/exe", argv, environ);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name)
		usage_error("which command?");
	if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h")) {
		fputs(help, stdout);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (!strcmp(name, "--version")) {
		printf("leafhopper %s (driver interface %s)\n", LEAFHOPPER_VERSION,
		       RM_DEFAULT_VERSION);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (strcmp(name, "smi") != 0 && strcmp(name, "attest") != 0)
		leave_machine(argv);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(name, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	}
	usage_error("%s: no such command", name);
}
