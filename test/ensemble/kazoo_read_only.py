"""kazoo and a member without its quorum: `HOST:PORT`. Prints what it is told, one answer a line."""

import sys

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException


def answer(what, ask):
    try:
        print(what, ask())
    except KazooException as error:
        print(what, type(error).__name__)


client = KazooClient(hosts=sys.argv[1], timeout=8.0, read_only=True)
client.start(timeout=30)
print("state", client.client_state)
answer("get", lambda: client.get("/kept")[0].decode())
answer("exists", lambda: client.exists("/none"))
answer("children", lambda: sorted(client.get_children("/")))
answer("acls", lambda: client.get_acls("/kept")[0])
answer("create", lambda: client.create("/no"))
answer("ephemeral", lambda: client.create("/no", ephemeral=True))
answer("delete", lambda: client.delete("/kept"))
answer("set", lambda: client.set("/kept", b""))
answer("set_acls", lambda: client.set_acls("/kept", client.get_acls("/kept")[0]))
answer("sync", lambda: client.sync("/"))
answer("transaction", lambda: client.transaction().commit())
answer("reconfig", lambda: client.reconfig("", "1", None))
client.stop()
