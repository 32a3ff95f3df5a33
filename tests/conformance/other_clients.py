# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Other clients: nvtop, python3-pynvml, the project's own smi, and trace."""
import json
import os
import pty
import re
import select
import sys
import time

from harness import skip, test


@test
def own_client_shows_gpus(m):
    result = m.run([m.leafhopper, "smi"], gpus=2, env=m.own_environment())
    assert result.rc == 0, result
    assert result.out.count(m.profile()["name"]) == 2, result
    assert "0000:02:00.0" in result.out, result
    # As anybody would start it, too: behind the library that is in front of others' programs.
    assert m.run([m.leafhopper, "smi"], gpus=2).out == result.out, result
    assert m.command([m.leafhopper, "smi"]).rc == 0


@test
def exit_status_and_usage(m):
    assert m.run(["/bin/sh", "-c", "exit 37"]).rc == 37
    assert m.run(["/bin/sh", "-c", "kill -TERM $$"]).rc == 128 + 15
    assert m.run(["/nonexistent/program"]).rc == 127
    assert m.command([m.leafhopper, "run", "--gpus", "17", "--", "true"]).rc != 0
    assert m.command([m.leafhopper, "run", "--profile", "none-such", "--", "true"]).rc != 0
    assert m.command([m.leafhopper, "nonsense"]).rc != 0


@test
def version_follows_the_client_libraries(m):
    """The driver says the release of the libraries that the program will load, unless told another."""
    folder = os.path.join(m.folder, "libraries")
    os.makedirs(folder, exist_ok=True)
    open(os.path.join(folder, "libnvidia-ml.so.535.99.07"), "w").close()
    os.symlink("libnvidia-ml.so.535.99.07", os.path.join(folder, "libnvidia-ml.so.1"))
    env = m.own_environment({"LD_LIBRARY_PATH": folder})
    found = m.run([m.leafhopper, "smi"], env=env)
    assert "Driver version 535.99.07\n" in found.out, found
    told = m.command([m.leafhopper, "run", "--version", "535.1.2", "--", m.leafhopper, "smi"], env=env)
    assert "Driver version 535.1.2\n" in told.out, told


@test
def version_mismatch_is_refused(m):
    """NVML checks its own release against the driver's and says so."""
    if not m.nvidia:
        skip("NVIDIA's user space is not there")
    result = m.command([m.leafhopper, "run", "--version", "535.1.2", "--", m.smi_path])
    assert result.rc == 18 and "Driver/library version mismatch" in result.out, result


@test
def pynvml_reads(m):
    if not m.nvidia:
        skip("NVIDIA's user space is not there")
    program = """
import pynvml as n
n.nvmlInit()
print(n.nvmlDeviceGetCount())
h = n.nvmlDeviceGetHandleByIndex(1)
memory = n.nvmlDeviceGetMemoryInfo(h)
print(memory.total // 1048576, memory.used + memory.free <= memory.total)
u = n.nvmlDeviceGetUtilizationRates(h)
print(u.gpu, u.memory)
print(n.nvmlDeviceGetTemperature(h, 0))
name = n.nvmlDeviceGetName(h)
print(name if isinstance(name, str) else name.decode())
n.nvmlShutdown()
"""
    result = m.run([sys.executable, "-c", program], gpus=2,
                   scenario="utilization gpu1 37\ntemperature gpu1 55\n",
                   env={"PYTHONPATH": os.path.join(m.nvidia, "usr/lib/python3/dist-packages")})
    assert result.rc == 0, result
    lines = result.out.split("\n")
    assert lines[0] == "2", result
    assert lines[1] == "%d True" % m.profile().number("memory"), result
    assert lines[2].split()[0] == "37", result
    assert lines[3] == "55", result
    assert lines[4] == m.profile()["name"], result


@test
def nvtop_draws(m):
    if not m.nvidia:
        skip("NVIDIA's user space is not there")
    nvtop = os.path.join(m.nvidia, "usr/bin/nvtop")
    command = [m.leafhopper, "run", *m.options(scenario="temperature gpu0 58\n"), "--", nvtop, "-d", "1"]
    env = m.environment({"TERM": "xterm", "LINES": "40", "COLUMNS": "120"})
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(command[0], command, env)
    screen, quit_at, end = b"", time.monotonic() + 3, time.monotonic() + 20
    sent = False
    while time.monotonic() < end:
        ready, _, _ = select.select([fd], [], [], 0.2)
        if ready:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            screen += data
        if not sent and time.monotonic() > quit_at:
            os.write(fd, b"q")
            sent = True
    os.close(fd)
    _, status = os.waitpid(pid, 0)
    shown = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b\([AB0]", b" ", screen).decode("utf-8", "replace")
    assert "H100" in shown, (status, shown[-3000:])
    assert re.search(r"TEMP\s+58\b", shown), shown[-3000:]
    assert os.waitstatus_to_exitcode(status) == 0, status


@test
def trace_shows_the_way(m):
    path = os.path.join(m.folder, "trace.json")
    client = [m.smi_path] if m.nvidia else [m.leafhopper, "smi"]
    env = None if m.nvidia else m.own_environment()
    result = m.command([m.leafhopper, "trace", *m.options(), "-o", path, "--", *client], env=env)
    assert result.rc == 0, result
    events = json.load(open(path))
    events = events["traceEvents"] if isinstance(events, dict) else events
    names = {e.get("name", "") for e in events}
    assert any("NV_ESC_RM_CONTROL" in n for n in names), sorted(names)[:50]
    assert any("GSP_RM_CONTROL" in n for n in names), sorted(names)[:50]
    assert not m.nvidia or any(e["ph"] == "E" and e["args"].get("result", "NV_OK") != "NV_OK" for e in events)
    open_slices = {}
    for e in events:
        slices = open_slices.setdefault((e["pid"], e["tid"]), [])
        if e["ph"] == "B":
            slices.append(e["name"])
        elif e["ph"] == "E":
            assert slices and slices.pop() == e["name"], e
    assert not any(open_slices.values()), open_slices
    result = m.command([m.leafhopper, "trace", *m.options(), "--", *client], env=env)
    shown = result.out + result.err
    for word in ("NV_ESC_RM_ALLOC", "NV20_SUBDEVICE_0", "NV2080_CTRL_CMD_GPU_GET_NAME_STRING", "hClient", "GSP_RM_CONTROL"):
        assert word in shown, (word, shown[:3000])
