"""kazoo as a client that writes for as long as it is let: `HOSTS FOLDER`, until its standard input ends.

Prints the path of each znode whose creation was acknowledged, one a line. At the end its session must be the one that it began with, its
ephemeral must be there, and what is not is the exit's message.
"""

import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionClosedError, ConnectionLoss, NodeExistsError
from kazoo.protocol.states import KazooState

RECONNECTED_SECONDS_MAX = 60

hosts, folder = sys.argv[1:3]
over = threading.Event()
lost = threading.Event()
connected = threading.Event()


def heard(state):
    if state == KazooState.LOST:
        lost.set()
    if state == KazooState.CONNECTED:
        connected.set()
    else:
        connected.clear()


def wait_for_end():
    sys.stdin.read()
    over.set()


threading.Thread(target=wait_for_end, daemon=True).start()
client = KazooClient(hosts=hosts, timeout=15.0)
client.add_listener(heard)
client.start(timeout=RECONNECTED_SECONDS_MAX)
session, _ = client.client_id
client.create(folder, b"")
client.create(folder + "/ephemeral", b"", ephemeral=True)
count = 0
while not over.is_set():
    path = "%s/node-%d" % (folder, count)
    count += 1
    try:
        client.create(path, path.encode())
        print(path, flush=True)
    except (ConnectionLoss, ConnectionClosedError):
        # It may have happened or not: no part of what was promised.
        connected.wait(RECONNECTED_SECONDS_MAX)
    except NodeExistsError:
        sys.exit("%s exists, and nobody else makes it" % path)
connected.wait(RECONNECTED_SECONDS_MAX)
if lost.is_set() or client.client_id[0] != session:
    sys.exit("the session was lost")
if client.exists(folder + "/ephemeral") is None:
    sys.exit("the ephemeral is gone")
client.stop()
