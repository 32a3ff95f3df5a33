# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Clients of libcuda: what it says of the GPU is what the profile says."""
import os

from harness import skip, test


def cuda(machine, *arguments, timeout=120, **options):
    """The client of tests/cuda on a machine of its own; its output as words by their first."""
    if not machine.nvidia:
        skip("NVIDIA's user space is not there")
    client = os.path.join(machine.build, "tests/cuda/cuda_copy")
    result = machine.run([client, *arguments], timeout, **options)
    assert result.rc == 0, result
    return dict(line.split(" ", 1) for line in result.out.splitlines())


@test
def cuda_initialises(machine):
    profile = machine.profile()
    told = cuda(machine, "init")
    assert told["name"] == profile["name"], told
    assert told["capability"] == "9.0", told
    assert told["version"] == "12020", told
    gib = int(told["bytes"]) / 2 ** 30
    assert 70 < gib <= 80, told
    assert int(told["multiprocessors"]) == 2 * profile.number("tpc_count"), told


@test
def cuda_makes_contexts(machine):
    cuda(machine, "context")


@test
def cuda_copies_pageable_memory(machine):
    assert "verified" in cuda(machine, "pageable")["pageable:"]


@test
def cuda_copies_pinned_memory(machine):
    assert "verified" in cuda(machine, "pinned")["pinned:"]


@test
def cuda_copies_registered_memory(machine):
    assert "verified" in cuda(machine, "registered")["registered:"]


@test
def cuda_gives_memory_back(machine):
    cuda(machine, "memory")
