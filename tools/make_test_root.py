#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Makes the project's test root: the certificates that a software GPU's identity hangs on unless a user
gives another issuer, the private key of the last of them, which is no secret, and the root as the
driver and as `leafhopper attest` have it. Its output is part of the repository; there is no need to run it again.

usage: tools/make_test_root.py     (needs python3-cryptography)
"""
import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = ["Leafhopper Test Root", "Leafhopper GH100 Test Identity", "Leafhopper GH100 Test Provisioner"]
BEGIN = datetime.datetime(2024, 1, 1)
END = datetime.datetime(9999, 12, 31, 23, 59, 59)
LICENCE = "// SPDX-License-Identifier: MIT OR GPL-2.0-only\n"


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text),
                      x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Leafhopper")])


def certify(key, subject, by_key, by_name):
    usage = dict.fromkeys(["digital_signature", "content_commitment", "key_encipherment",
                           "data_encipherment", "key_agreement", "encipher_only", "decipher_only"], False)
    return (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(by_name))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(BEGIN).not_valid_after(END)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()),
                           critical=False)
            .sign(by_key, hashes.SHA384()))


def main():
    keys = [ec.generate_private_key(ec.SECP384R1()) for _ in NAMES]
    chain = [certify(keys[i], NAMES[i], keys[max(i - 1, 0)], NAMES[max(i - 1, 0)])
             for i in range(len(NAMES))]
    pem = "".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in chain)
    pem += keys[-1].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()).decode()
    with open(os.path.join(TOP, "src/h100/gsp/spdm_test_issuer.c"), "w", encoding="ascii") as file:
        file.write(LICENCE + "/*\n * The issuer of software GPUs' identities unless a user gives another one: from the "
                   "test root on.\n * THE KEY IS NO SECRET: whoever trusts this root trusts everybody. Made by\n"
                   " * tools/make_test_root.py.\n */\n#include \"h100/gsp/spdm.h\"\n\n"
                   "const char spdm_test_issuer[] =\n")
        file.write("\n".join('\t"%s\\n"' % line for line in pem.splitlines()) + ";\n")
    der = chain[0].public_bytes(serialization.Encoding.DER)
    with open(os.path.join(TOP, "host/user/attest/test_root.pem"), "w", encoding="ascii") as file:
        file.write(chain[0].public_bytes(serialization.Encoding.PEM).decode())
    rows = [", ".join("0x%02x" % b for b in der[i:i + 12]) for i in range(0, len(der), 12)]
    with open(os.path.join(TOP, "src/rm/cc/test_root.c"), "w", encoding="ascii") as file:
        file.write(LICENCE + "/*\n * The certificate that software GPUs' identities hang on unless a user gives another "
                   "one.\n * WHOEVER TRUSTS IT TRUSTS EVERYBODY: the issuer's key is in src/h100/gsp. Made by\n"
                   " * tools/make_test_root.py.\n */\n#include \"rm/cc/spdm.h\"\n\n"
                   "const u8 rm_spdm_test_root[] = {\n\t" + ",\n\t".join(rows) + ",\n};\n"
                   "const u32 rm_spdm_test_root_bytes = sizeof(rm_spdm_test_root);\n")


if __name__ == "__main__":
    main()
