"""What the cases of kazoo share: the handlers, clients that are closed at the end, and one line of JSON per case.

A case is a function that takes a World and raises if something is not as it should be. Waiting is always for a condition, with
a limit that only turns a hang into a failure.
"""

import json
import sys
import traceback

from kazoo.client import KazooClient

WAIT_SECONDS_MAX = 20
CASES = []


def case(function):
    """Registers a case; its name is the function's, with blanks."""
    CASES.append((function.__name__.replace("_", " "), function))
    return function


def new_handler(name):
    if name == "gevent":
        from kazoo.handlers.gevent import SequentialGeventHandler

        return SequentialGeventHandler()
    if name == "eventlet":
        from kazoo.handlers.eventlet import SequentialEventletHandler

        return SequentialEventletHandler()
    from kazoo.handlers.threading import SequentialThreadingHandler

    return SequentialThreadingHandler()


class World:
    """The server, as one case sees it: a path of its own, clients, and tasks of the handler's kind."""

    def __init__(self, hosts, handler_name, path):
        self.hosts = hosts
        self.path = path
        self._handler_name = handler_name
        self._handler = new_handler(handler_name)
        self._clients = []
        self._failures = []

    def client(self, hosts=None, **options):
        """A started client; it is closed when the case ends."""
        client = self.unstarted(hosts, **options)
        client.start(timeout=WAIT_SECONDS_MAX)
        return client

    def unstarted(self, hosts=None, **options):
        client = KazooClient(hosts=hosts or self.hosts, handler=new_handler(self._handler_name), **options)
        self._clients.append(client)
        return client

    def event(self):
        return self._handler.event_object()

    def spawn(self, function, *args):
        """Runs function beside the case; what it raises fails the case."""

        def guarded():
            try:
                function(*args)
            except Exception:
                self._failures.append(traceback.format_exc())

        return self._handler.spawn(guarded)

    def wait(self, event, what):
        """Waits for an event."""
        event.wait(WAIT_SECONDS_MAX)
        self.check(event.is_set(), what)

    def until(self, condition, what):
        """Waits until condition() holds."""
        for _ in range(WAIT_SECONDS_MAX * 100):
            if self._failures or condition():
                break
            self._handler.sleep_func(0.01)
        self.check(condition(), what)

    def check(self, truth, what):
        if self._failures:
            raise AssertionError(self._failures[0])
        if not truth:
            raise AssertionError("not so: " + what)

    def close(self):
        for client in self._clients:
            client.stop()
            client.close()
        self.check(True, "no task failed")


def equal(actual, expected):
    if actual != expected:
        raise AssertionError("%r is not %r" % (actual, expected))


def raises(error, function, *args, **options):
    """Calls function, which must raise error, and returns what it raised."""
    try:
        function(*args, **options)
    except error as raised:
        return raised
    raise AssertionError("%s did not raise %s" % (function, error.__name__))


def main():
    """`--list` prints the cases' names as a JSON list; `HOST:PORT HANDLER` runs them."""
    if sys.argv[1] == "--list":
        print(json.dumps([name for name, _ in CASES]))
        return
    hosts, handler_name = sys.argv[1:3]
    for name, function in CASES:
        why = None
        world = World(hosts, handler_name, "/%s %s" % (handler_name, name))
        try:
            try:
                function(world)
            finally:
                world.close()
        except Exception:
            why = traceback.format_exc()
        print(json.dumps({"case": name, "why": why}), flush=True)
