"""kazoo with TLS and SASL: one JSON object of what it saw, on standard output.

Usage: kazoo_secure.py HOST:PORT CA CERTIFICATE USER PASSWORD PATH

PATH is a znode that only USER may touch.
"""

import json
import sys

from kazoo.client import KazooClient


def main(address, ca, certificate, user, password, path):
    client = KazooClient(
        hosts=address,
        use_ssl=True,
        ca=ca,
        certfile=certificate,
        keyfile=certificate,
        sasl_options={"mechanism": "DIGEST-MD5", "username": user, "password": password},
    )
    client.start(timeout=20)
    acls, _ = client.get_acls(path)
    seen = {"data": client.get(path)[0].decode(), "acl": [[acl.id.scheme, acl.id.id] for acl in acls]}
    client.set(path, b"of kazoo")
    client.stop()
    client.close()
    print(json.dumps(seen))


main(*sys.argv[1:])
