# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""The client suite of the driver API (tests/cuda): streams, kinds of memory, several processes, errors."""
import contextlib
import os
import re
import signal
import subprocess
import time

from harness import skip, test
from shared_machine import machine_up
from smi_links import bridged_profile

PROFILES = ("h100-sxm-80gb", "h100-pcie-80gb", "h200")
# Of the device attributes.
MULTIPROCESSORS, MEMORY_CLOCK, BUS_WIDTH = 16, 36, 37


def at_full_size(machine):
    """What sanitizers make take minutes is for the plain build."""
    if machine.own_environment():
        skip("on the plain build")


def client(machine):
    if not machine.nvidia:
        skip("NVIDIA's user space is not there")
    return os.path.join(machine.build, "tests/cuda/cuda_client")


def cuda(machine, *names, timeout=240, **options):
    """Those tests of the client on a machine of its own; all must pass. What they print."""
    result = machine.run([client(machine), *names], timeout, **options)
    assert result.rc == 0, result
    for name in names:
        assert re.search(r"^%s passed " % name, result.out, re.M), result
    return result


# -- Quick: each a process with a context of its own ---------------------------------------------------------


@test
def cuda_streams(machine):
    cuda(machine, "streams", "waits", "callbacks", "threads")


@test
def cuda_shapes_of_copies(machine):
    cuda(machine, "planes", "sets")


@test
def cuda_kinds_of_memory(machine):
    cuda(machine, "mapped", "vmm", "managed")


@test
def cuda_managed_memory_moves(machine):
    """To the GPU and back, by prefetch and by touch, under system calls, forks and threads that store."""
    result = machine.run([client(machine), "managed-moves", "managed-threads"], 240)
    if result.rc == 77:
        skip("no userfaultfd for this user")
    assert result.rc == 0 and result.out.count(" passed ") == 2, result


@test
def cuda_shares_with_a_process(machine):
    cuda(machine, "ipc-memory", "vmm-shared")


@test
def cuda_kernel_is_an_error(machine):
    """There is no multiprocessor: an error for that context alone, soon, and a line of the driver's log."""
    result = cuda(machine, "kernel-copy")
    assert "Xid (PCI:0000:01:00): 13" in result.err, result
    assert "error 719 " in result.out, result


# -- Full ----------------------------------------------------------------------------------------------------


@test(full=True)
def cuda_events(machine):
    cuda(machine, "events", "values", "priorities", "ipc-events")


@test(full=True)
def cuda_boxes(machine):
    cuda(machine, "boxes")


@test(full=True)
def cuda_pools(machine):
    cuda(machine, "pool", "pool-own")


@test(full=True)
def cuda_two_contexts(machine):
    cuda(machine, "contexts")


@test(full=True)
def cuda_four_processes(machine):
    cuda(machine, "processes")


@test(full=True)
def cuda_eight_gpus(machine):
    at_full_size(machine)
    assert "8 GPUs" in cuda(machine, "gpus", gpus=8).out


def nvlink_traffic(enter, machine):
    """KiB sent and received over link 0 of each GPU."""
    out = enter(machine.smi_path, "nvlink", "-gt", "d", "-l", "0")
    return [int(n) for n in re.findall(r"Link 0: Data \w+: (\d+) KiB", out)]


@test
def cuda_peer_access(machine):
    """GPUs on switches: copies go over the links, both ways, and only while peer access is on."""
    program = client(machine)
    with machine_up(machine, gpus=2) as enter:
        assert nvlink_traffic(enter, machine) == [0, 0, 0, 0]
        for name in ("peer-access", "peer-both"):
            assert "%s passed" % name in enter(program, name), name
        sent0, received0, sent1, received1 = nvlink_traffic(enter, machine)
        # 24 copies of almost 4 MiB each way, dealt out to 18 links.
        assert sent0 == received1 and sent1 == received0, (sent0, received0, sent1, received1)
        assert 5400 < sent0 < 5600 and 5400 < sent1 < 5600, (sent0, sent1)


@test(full=True)
def cuda_peers(machine):
    at_full_size(machine)
    assert "peer access: 1" in cuda(machine, "peers", gpus=2, timeout=600).out


@test(full=True)
def cuda_peers_without_links(machine):
    """Cards without a bridge do not reach each other: the same copies go through the host's memory."""
    at_full_size(machine)
    assert "peer access: 0" in cuda(machine, "peers", gpus=2, profile="h100-pcie-80gb", timeout=600).out
    assert "2 GPUs, 0 ways" in cuda(machine, "peer-matrix", gpus=2, profile="h100-pcie-80gb").out


@test(full=True)
def cuda_peers_share_memory(machine):
    """Mapped ranges and pools that two GPUs may use, memory that a process opens on another GPU."""
    cuda(machine, "peer-shared", "peer-ipc", gpus=2)


@test(full=True)
def cuda_peer_matrix(machine):
    """Eight modules: every pair. Three cards of which two have a bridge: these two."""
    at_full_size(machine)
    assert "8 GPUs, 56 ways" in cuda(machine, "peer-matrix", gpus=8, timeout=600).out
    assert "3 GPUs, 2 ways" in cuda(machine, "peer-matrix", gpus=3, profile=bridged_profile(machine)).out


@test(full=True)
def cuda_peer_that_is_lost(machine):
    """A GPU leaves the bus while another one writes to its memory: an error, soon, and the other goes on."""
    env = {"LEAFHOPPER_SOCKET": os.path.join(machine.folder, "up", "socket")}
    program = client(machine)
    with machine_up(machine, gpus=2) as enter:
        command = [machine.leafhopper, "enter", "--", program, "peer-lost"]
        copies = subprocess.Popen(command, stdout=subprocess.PIPE, env=machine.environment(env), text=True)
        try:
            line = copies.stdout.readline()
            assert line == "copying\n", line
            result = machine.command([machine.leafhopper, "inject", "1", "off-bus"], env=env)
            assert result.rc == 0, result
            out = copies.communicate(timeout=60)[0]
            assert re.search(r"^error \d+$", out, re.M), out
        finally:
            copies.kill()
            copies.wait()
        out = enter(program, "sets")
        assert "sets passed" in out, out


@test(full=True)
def cuda_bad_requests(machine):
    cuda(machine, "exhausted", "pointers", "destroyed")


@test(full=True)
def cuda_other_kernels_are_errors(machine):
    cuda(machine, "kernel-set", "kernel-managed")


@test(full=True)
def cuda_large_copies(machine):
    at_full_size(machine)
    cuda(machine, "large", timeout=600)


@test(full=True)
def cuda_attributes(machine):
    """Every attribute is what docs/cuda.md says, and the profile's where the profile tells it."""
    table = open(os.path.join(machine.top, "docs/cuda.md")).read()
    rows = re.findall(r"^\| (\d+) \| \w+ \| ([^|]+) \| ([^|]+) \| ([^|]+) \|", table, re.M)
    assert len(rows) == 130, len(rows)
    for column, name in enumerate(PROFILES):
        profile = machine.profile(name)
        out = cuda(machine, "attributes", profile=name).out
        found = dict(re.findall(r"^attribute (\d+) (?:is )?(error \d+|-?\d+)$", out, re.M))
        assert found == {row[0]: row[1 + column] for row in rows}, (name, found)
        assert int(found[str(MULTIPROCESSORS)]) == 2 * profile.number("tpc_count"), found
        assert int(found[str(MEMORY_CLOCK)]) == 1000 * profile.highest("memory_clocks"), found
        assert int(found[str(BUS_WIDTH)]) == profile.number("memory_bus_bits"), found


@contextlib.contextmanager
def copy_loop(machine, env, name="loop"):
    """A client that copies until it is killed, on the shared machine; its process number."""
    enter = [machine.leafhopper, "enter", "--", client(machine), name]
    loop = subprocess.Popen(enter, stdout=subprocess.PIPE, env=machine.environment(env), text=True)
    try:
        line = loop.stdout.readline()
        if not line and loop.wait() == 77:
            skip("no userfaultfd for this user")
        assert line.startswith(("copying ", "moving ")), line
        pid = int(line.split()[1])
        try:
            yield pid
        finally:
            os.kill(pid, signal.SIGKILL)
    finally:
        loop.kill()
        loop.wait()
        loop.stdout.close()


def used(enter, machine):
    out = enter(machine.smi_path, "--query-gpu=memory.used,utilization.memory", "--format=csv,noheader,nounits")
    return [int(word) for word in out.split(",")]


@test(full=True)
def cuda_killed_client_leaves_nothing(machine):
    """nvidia-smi shows a copying process, its memory and what the GPU is busy with; killed, all of it is gone."""
    client(machine)
    env = {"LEAFHOPPER_SOCKET": os.path.join(machine.folder, "up", "socket")}
    with machine_up(machine) as enter:
        enter(machine.smi_path, "-pm", "1")
        before = used(enter, machine)
        with copy_loop(machine, env) as pid:
            deadline = time.monotonic() + 20
            out = enter(machine.smi_path, "--query-compute-apps=pid,name,used_memory", "--format=csv,noheader,nounits")
            told = [word.strip() for word in out.split(",")]
            assert told[0] == str(pid) and told[1].endswith("cuda_client") and int(told[2]) > 1024, out
            memory, busy = used(enter, machine)
            assert memory == int(told[2]), (memory, busy, out)
            # The copies may get no processor for a while.
            while not busy and time.monotonic() < deadline:
                busy = used(enter, machine)[1]
            assert busy > 0
        deadline = time.monotonic() + 20
        while used(enter, machine)[0] != before[0] and time.monotonic() < deadline:
            time.sleep(0.2)
        assert used(enter, machine)[0] == before[0], (before, used(enter, machine))
        status = machine.command([machine.leafhopper, "status"], env=env)
        assert "0 clients, 0 objects, 0 MiB of video memory" in status.out, status
        # The machine serves the next one.
        out = enter(client(machine), "sets")
        assert "sets passed" in out, out


@test(full=True)
def cuda_killed_while_memory_moves(machine):
    """Several processes move memory; some are killed in the middle, the others go on, and nothing is left."""
    program = client(machine)
    env = {"LEAFHOPPER_SOCKET": os.path.join(machine.folder, "up", "socket")}
    with machine_up(machine) as enter:
        for round in range(5):
            with copy_loop(machine, env, "managed-loop"), copy_loop(machine, env, "managed-loop"):
                time.sleep(0.1 * round)
                if round == 2:
                    assert "managed-moves passed" in enter(program, "managed-moves")
        deadline = time.monotonic() + 20
        while True:
            status = machine.command([machine.leafhopper, "status"], env=env)
            if "0 clients, 0 objects, 0 MiB of video memory" in status.out or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        assert "0 clients, 0 objects, 0 MiB of video memory" in status.out, status


@test
def opencl_lists_the_gpu(machine):
    client(machine)
    clinfo = os.path.join(machine.nvidia, "usr/bin/clinfo")
    library = os.path.join(machine.library_path, "libnvidia-opencl.so.1")
    if not os.path.exists(clinfo) or not os.path.exists(library):
        skip("clinfo and nvidia-opencl-icd are not unpacked")
    vendors = os.path.join(machine.folder, "vendors")
    os.makedirs(vendors, exist_ok=True)
    with open(os.path.join(vendors, "nvidia.icd"), "w") as f:
        f.write(library + "\n")
    result = machine.run([clinfo, "-l"], env={"OCL_ICD_VENDORS": vendors}, gpus=2)
    assert result.rc == 0 and "NVIDIA CUDA" in result.out, result
    for number in (0, 1):
        assert "Device #%d: %s" % (number, machine.profile()["name"]) in result.out, result
