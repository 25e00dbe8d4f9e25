"""A program written against kazoo, as one would write it for a real ensemble: it holds a lock for as long as it can, counts how often it got
it, and says what it sees. It knows nothing of tests.

    kazoo_worker.py HOST:PORT

Ends with its standard input.
"""

import sys
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.protocol.states import KazooState
from kazoo.retry import KazooRetry


def say(line):
    print(line, flush=True)


class Worker:
    def __init__(self, hosts):
        self.lost = threading.Event()
        self.client = KazooClient(
            hosts=hosts,
            timeout=1.0,
            connection_retry=KazooRetry(max_tries=-1, delay=0.05, max_delay=0.2),
            command_retry=KazooRetry(max_tries=-1, delay=0.05, max_delay=0.2),
        )
        self.client.add_listener(self.state_changed)

    def state_changed(self, state):
        say(state)
        if state == KazooState.LOST:
            self.lost.set()

    def run(self):
        self.client.start()
        while True:
            try:
                self.hold()
            except KazooException as error:
                say(type(error).__name__)

    def hold(self):
        lock = self.client.Lock("/locks/job", "worker")
        lock.acquire()
        self.lost.clear()
        self.client.retry(self.client.create, "/rounds/round-", sequence=True, makepath=True)
        say("holding")
        self.lost.wait()
        lock.cancel()
        say("no longer holding")


worker = threading.Thread(target=Worker(sys.argv[1]).run, daemon=True)
worker.start()
sys.stdin.read()
