# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Turns the interface stated in abi/*/*.abi into C headers and tables. See abi/README.md."""
