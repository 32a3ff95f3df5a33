#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Runs a row of vm_client on a machine of the user-space host.

usage: user_space.py LEAFHOPPER CLIENT ROW [OPTION...]    options are of leafhopper run
"""
import argparse
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "host"))

import host  # noqa: E402

leafhopper, client, row, *options = sys.argv[1:]
host.args = argparse.Namespace(leafhopper=leafhopper, client=client)
sys.exit(subprocess.run([leafhopper, "run", "--gpus", "2", *options, "--", client, row], env=host.client_env(), timeout=50).returncode)
