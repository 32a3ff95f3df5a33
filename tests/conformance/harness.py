# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""What the conformance tests share: a software machine to run programs on, its profile, and a counter.

A test is a function with the decorator @test; it gets a Machine, uses plain asserts, and calls skip()
when it cannot run here.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

TESTS = []


class Skip(Exception):
    pass


def skip(why):
    raise Skip(why)


def test(function=None, *, full=False):
    """Marks a test; full=True keeps it for the long tier."""
    if function is None:
        return lambda f: test(f, full=full)
    function.full = full
    TESTS.append(function)
    return function


class Profile:
    """A profile file as a dictionary: every key's first value as text, mig lines in a list."""

    def __init__(self, path):
        self.values, self.mig = {}, []
        for line in open(path):
            line = re.sub(r"\s#.*|^#.*", "", line).strip()
            if "=" not in line:
                continue
            key, value = (x.strip() for x in line.split("=", 1))
            if key == "mig":
                self.mig.append(value)
            else:
                self.values[key] = value.strip('"')

    def __getitem__(self, key):
        return self.values[key]

    def number(self, key):
        """The first number of the value, in the unit as written."""
        return int(re.match(r"0x[0-9a-fA-F]+|\d+", self.values[key]).group(0), 0)

    def watts(self, key):
        return self.number(key)

    def highest(self, key):
        """Of "a MHz .. b MHz step c MHz" or a single value: the highest."""
        numbers = re.findall(r"(\d+) MHz", self.values[key])
        return max(int(n) for n in numbers)


class Result:
    def __init__(self, rc, out, err):
        self.rc, self.out, self.err = rc, out, err

    def __repr__(self):
        return "rc %d\n--- stdout\n%s\n--- stderr\n%s" % (self.rc, self.out[-4000:], self.err[-4000:])


class Machine:
    def __init__(self, build, nvidia):
        self.top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        self.build = os.path.abspath(build)
        self.leafhopper = os.path.join(self.build, "host/user/leafhopper")
        self.nvidia = os.path.abspath(nvidia) if nvidia else None
        self.version = None
        if self.nvidia:
            self.version = open(os.path.join(self.nvidia, "version")).read().strip()
            self.smi_path = os.path.join(self.nvidia, "usr/lib/nvidia/current/nvidia-smi")
            self.library_path = os.path.join(self.nvidia, "usr/lib/x86_64-linux-gnu/nvidia/current")
        self.folder = tempfile.mkdtemp(prefix="leafhopper-test-")

    def profile(self, name="h100-sxm-80gb"):
        return Profile(os.path.join(self.top, "src/h100/profiles", name + ".profile"))

    def environment(self, extra=None):
        env = dict(os.environ)
        if self.nvidia:
            env["LD_LIBRARY_PATH"] = self.library_path + ":" + os.path.join(self.nvidia, "usr/lib/x86_64-linux-gnu")
        env.update(extra or {})
        return env

    def own_environment(self, extra=None):
        """For the project's own clients: sanitized like them, the preload library in front of them too."""
        folder = os.path.join(self.build, "host/user")
        sanitized = os.path.join(folder, "libleafhopper-preload-sanitized.so")
        if not os.path.exists(sanitized):
            return extra
        needed = subprocess.run(["ldd", self.leafhopper], check=True, text=True, stdout=subprocess.PIPE).stdout
        libraries = [*re.findall(r"lib[at]san\S* => (\S+)", needed), sanitized]
        return dict(extra or {}, LEAFHOPPER_PRELOAD=":".join(libraries))

    def options(self, gpus=1, profile=None, scenario=None, cc=None, tee=None):
        words = ["--gpus", str(gpus)]
        if cc:
            words += ["--cc", cc]
        if tee:
            words += ["--tee", tee]
        if profile:
            words += ["--profile", profile]
        if scenario is not None:
            path = os.path.join(self.folder, "scenario-%d" % time.monotonic_ns())
            with open(path, "w") as f:
                f.write(scenario)
            words += ["--scenario", path]
        return words

    def command(self, command, timeout=60, env=None, stdin=None):
        p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment(env),
                             stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            out, err = p.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            out, err = p.communicate()
            raise AssertionError("timed out: %s\n%s%s" % (" ".join(command), out.decode("latin-1"),
                                                          err.decode("latin-1")))
        return Result(p.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def run(self, command, timeout=60, env=None, **machine):
        """leafhopper run -- command, on a machine of its own."""
        return self.command([self.leafhopper, "run", *self.options(**machine), "--", *command], timeout, env)

    def smi_as_nobody(self, *arguments, **machine):
        """nvidia-smi as a user with no right but that of opening the nodes; the whole result."""
        if not self.nvidia:
            skip("NVIDIA's user space is not there")
        setpriv = shutil.which("setpriv")
        if os.geteuid() == 0 and not setpriv:
            skip("no setpriv")
        drop = [setpriv, "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.geteuid() == 0 else []
        return self.command([*drop, self.leafhopper, "run", *self.options(**machine), "--", self.smi_path, *arguments],
                            env={"HOME": "/", "XDG_RUNTIME_DIR": ""})

    def smi(self, *arguments, rc=0, timeout=60, **machine):
        """nvidia-smi with these arguments on a machine of its own; its standard output."""
        if not self.nvidia:
            skip("NVIDIA's user space is not there")
        result = self.run([self.smi_path, *arguments], timeout, **machine)
        assert rc is None or result.rc == rc, result
        return result.out


def main(argv, modules):
    import argparse
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/plain")
    parser.add_argument("--nvidia", default=None)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("names", nargs="*", help="only tests whose name contains one of these")
    args = parser.parse_args(argv)
    machine = Machine(args.build, args.nvidia)
    passed = failed = skipped = 0
    for t in TESTS:
        if args.names and not any(n in t.__name__ for n in args.names):
            continue
        if t.full and not args.full:
            continue
        start = time.monotonic()
        try:
            t(machine)
            passed += 1
            print("ok %s (%.2f s)" % (t.__name__, time.monotonic() - start))
        except Skip as why:
            skipped += 1
            print("skip %s: %s" % (t.__name__, why))
        except Exception as problem:
            failed += 1
            print("not ok %s: %s" % (t.__name__, str(problem).splitlines()[0] if str(problem) else type(problem)))
            print("    " + "\n    ".join(traceback.format_exc().splitlines()))
        sys.stdout.flush()
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0
