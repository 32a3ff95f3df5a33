#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Unmodified clients on the software GPU: what they show must be what profile and model state say.

usage: tests/conformance/run.py --build build/plain [--nvidia build/nvidia] [--full] [NAME...]
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402
import smi_table  # noqa: E402,F401
import smi_query  # noqa: E402,F401
import smi_tools  # noqa: E402,F401
import smi_every  # noqa: E402,F401
import smi_links  # noqa: E402,F401
import smi_compute  # noqa: E402,F401
import shared_machine  # noqa: E402,F401
import other_clients  # noqa: E402,F401
import attestation  # noqa: E402,F401
import cuda_driver  # noqa: E402,F401
import cuda_client  # noqa: E402,F401

if __name__ == "__main__":
    sys.exit(harness.main(sys.argv[1:], None))
