# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Certificate and attestation report through NVML, held against what `leafhopper attest` makes of them."""
import json
import os
import sys
import tempfile

from harness import skip, test

NONCE = "6c656166686f707065722d0102030405060708090a0b0c0d0e0f101112131415"

# Structures of nvml.h (nvmlConfComputeGpuCertificate_t, nvmlConfComputeGpuAttestationReport_t).
NVML = """
import ctypes, sys

class Certificate(ctypes.Structure):
    _fields_ = [("certChainSize", ctypes.c_uint), ("attestationCertChainSize", ctypes.c_uint),
                ("certChain", ctypes.c_ubyte * 0x1000), ("attestationCertChain", ctypes.c_ubyte * 0x1400)]

class Report(ctypes.Structure):
    _fields_ = [("isCecAttestationReportPresent", ctypes.c_uint), ("attestationReportSize", ctypes.c_uint),
                ("cecAttestationReportSize", ctypes.c_uint), ("nonce", ctypes.c_ubyte * 0x20),
                ("attestationReport", ctypes.c_ubyte * 0x2000), ("cecAttestationReport", ctypes.c_ubyte * 0x1000)]

nvml = ctypes.CDLL("libnvidia-ml.so.1")
assert nvml.nvmlInit_v2() == 0
device = ctypes.c_void_p()
assert nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(device)) == 0
certificate, report = Certificate(), Report()
report.nonce[:] = bytes.fromhex(sys.argv[2])
results = [nvml.nvmlDeviceGetConfComputeGpuCertificate(device, ctypes.byref(certificate)),
           nvml.nvmlDeviceGetConfComputeGpuAttestationReport(device, ctypes.byref(report))]
if results == [0, 0]:
    open(sys.argv[1] + ".pem", "wb").write(bytes(certificate.attestationCertChain)[:certificate.attestationCertChainSize])
    open(sys.argv[1] + ".report", "wb").write(bytes(report.attestationReport)[:report.attestationReportSize])
print(*results, report.isCecAttestationReportPresent)
"""


def read(name):
    with open(name, "rb") as file:
        return file.read()


def judge(m, *options, env=None):
    result = m.command([m.leafhopper, "attest", "--json", "--nonce", NONCE, *options], env=env)
    return result, json.loads(result.out) if result.out else None


@test
def nvml_attests(m):
    """The certificates are those of `leafhopper attest`, and so is the report but for what is new in each."""
    if not m.nvidia:
        skip("NVIDIA's user space is not there")
    folder = tempfile.mkdtemp(dir=m.folder)
    env = {"LEAFHOPPER_SOCKET": os.path.join(folder, "m/socket")}
    up = m.command([m.leafhopper, "up", "--cc", "on"], env=env)
    assert up.rc == 0, up
    try:
        asked = m.command([m.leafhopper, "enter", "--", sys.executable, "-c", NVML, folder + "/nvml", NONCE], env=env)
        assert asked.rc == 0 and asked.out.split() == ["0", "0", "0"], asked
        ours, told = judge(m, "--save", folder + "/ours", env=m.own_environment(env))
        assert ours.rc == 0 and told["passed"], ours
    finally:
        m.command([m.leafhopper, "down"], env=env)
    assert read(folder + "/nvml.pem") == read(folder + "/ours.pem")
    theirs, mine = read(folder + "/nvml.report"), read(folder + "/ours.report")
    blocks = 37 + 8 + 4 * 55
    assert len(theirs) == len(mine) and theirs[4:36].hex() == NONCE
    assert theirs[:blocks] == mine[:blocks]
    assert theirs[blocks:blocks + 32] != mine[blocks:blocks + 32]
    assert theirs[blocks + 32:-96] == mine[blocks + 32:-96] and theirs[-96:] != mine[-96:]
    result, told = judge(m, "--report", folder + "/nvml.report", "--chain", folder + "/nvml.pem")
    assert result.rc == 0 and told["passed"], result


@test
def nvml_attests_nothing_without_confidential_mode(m):
    if not m.nvidia:
        skip("NVIDIA's user space is not there")
    asked = m.run([sys.executable, "-c", NVML, m.folder + "/none", NONCE])
    assert asked.rc == 0, asked
    assert all(int(word) != 0 for word in asked.out.split()[:2]), asked
    assert not os.path.exists(m.folder + "/none.report")
