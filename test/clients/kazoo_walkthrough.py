"""The walkthrough with kazoo: one JSON object per step on standard output.

Usage: kazoo_walkthrough.py HOST:PORT
"""

import json
import sys

from kazoo.client import KazooClient


def told(stat):
    """A stat without its times."""
    return {name: getattr(stat, name) for name in stat._fields if name not in ("ctime", "mtime")}


def main(address):
    client = KazooClient(hosts=address)
    client.start(timeout=20)

    def step(what, answer):
        print(json.dumps({"step": what, "answer": answer}))

    step("ls /", sorted(client.get_children("/")))
    step("create /zk_test my_data", client.create("/zk_test", b"my_data"))
    step("ls /", sorted(client.get_children("/")))
    data, stat = client.get("/zk_test")
    step("get -s /zk_test", [data.decode(), told(stat)])
    step("set /zk_test junk", told(client.set("/zk_test", b"junk")))
    step("get /zk_test", client.get("/zk_test")[0].decode())
    step("delete /zk_test", client.delete("/zk_test"))
    step("ls /", sorted(client.get_children("/")))
    client.stop()
    client.close()


main(sys.argv[1])
