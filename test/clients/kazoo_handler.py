"""A plugin for pytest: KazooClients that are given no handler get that of KAZOO_HANDLER, threading or gevent."""
import os

KIND = os.environ.get("KAZOO_HANDLER", "threading")

# It patches the standard library, and that before anything else uses it.
if KIND == "gevent":
    from gevent import monkey

    monkey.patch_all()
    from kazoo.handlers.gevent import SequentialGeventHandler as Handler
else:
    from kazoo.handlers.threading import SequentialThreadingHandler as Handler

from kazoo.client import KazooClient

_init = KazooClient.__init__


def _init_with_handler(self, *args, **options):
    if options.get("handler") is None:
        options["handler"] = Handler()
    _init(self, *args, **options)


KazooClient.__init__ = _init_with_handler
