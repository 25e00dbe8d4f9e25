"""kazoo as a client: operations, transactions, watches, ACLs, sessions, limits. Run by kazoo.test.ts.

The server must have the superDigest of super:test, all four-letter words, reconfigEnabled, tickTime 200 and room for sessions of up
to 40 seconds.
"""

import os
import signal
import subprocess
import sys

from kazoo import exceptions as errors
from kazoo.protocol.states import EventType, KazooState
from kazoo.security import ACL, Id, make_acl, make_digest_acl, OPEN_ACL_UNSAFE, READ_ACL_UNSAFE

from kazoo_cases import case, equal, main, raises

# Names itself in an ephemeral, and ends as soon as it learns that its session is lost.
FROZEN_CLIENT = """
import sys, threading
from kazoo.client import KazooClient
lost = threading.Event()
client = KazooClient(hosts=sys.argv[1], timeout=1.0)
client.add_listener(lambda state: lost.set() if state == "LOST" else None)
client.start()
client.create(sys.argv[2], b"", ephemeral=True, makepath=True)
sys.exit(0 if lost.wait(30) else 1)
"""


@case
def nodes_are_created_read_changed_and_deleted(world):
    client = world.client()
    path = client.create(world.path, b"one")
    equal(path, world.path)
    data, stat = client.get(path)
    equal((data, stat.version, stat.data_length, stat.owner_session_id), (b"one", 0, 3, None))
    equal(client.set(path, b"two", version=0).version, 1)
    raises(errors.BadVersionError, client.set, path, b"three", version=0)
    raises(errors.NodeExistsError, client.create, path)
    client.create(path + "/child")
    raises(errors.NotEmptyError, client.delete, path)
    equal(client.get_children(path), ["child"])
    raises(errors.BadVersionError, client.delete, path + "/child", version=5)
    client.delete(path, recursive=True)
    equal(client.exists(path), None)
    raises(errors.NoNodeError, client.get, path)
    raises(errors.NoNodeError, client.create, path + "/child")


@case
def data_may_be_empty_binary_or_large(world):
    client = world.client()
    for number, data in enumerate([b"", bytes(range(256)), b"x" * 900000]):
        path = "%s-%d" % (world.path, number)
        client.create(path, data)
        equal(client.get(path)[0], data)


@case
def paths_may_be_of_any_script(world):
    client = world.client()
    for name in ["\u00fcber", "\u65e5\u672c\u8a9e", "a b", "per%cent", "tr\u00e8s/profond"]:
        path = world.path + "/" + name
        equal(client.create(path, name.encode("utf-8"), makepath=True), path)
        equal(client.get(path)[0], name.encode("utf-8"))
    equal(len(client.get_children(world.path)), 5)
    # A control character, and one that is a surrogate pair in Java.
    for name in ["\x01", "\U0001f5dd"]:
        raises(errors.BadArgumentsError, client.create, world.path + "/" + name)


@case
def create_modes_are_kept(world):
    client, other = world.client(), world.client()
    client.ensure_path(world.path)
    names = [client.create(world.path + "/n-", sequence=True) for _ in range(2)]
    equal(names, [world.path + "/n-0000000000", world.path + "/n-0000000001"])
    client.create(world.path + "/e", ephemeral=True)
    equal(client.create(world.path + "/es-", ephemeral=True, sequence=True), world.path + "/es-0000000003")
    equal(client.exists(world.path + "/e").owner_session_id, client.client_id[0])
    raises(errors.NoChildrenForEphemeralsError, client.create, world.path + "/e/child")
    path, stat = client.create(world.path + "/with-stat", b"data", include_data=True)
    equal((path, stat.data_length), (world.path + "/with-stat", 4))
    client.stop()
    world.until(lambda: len(other.get_children(world.path)) == 3, "the ephemerals have gone with their session")


@case
def children_come_with_their_parent_s_stat(world):
    client = world.client()
    client.create(world.path + "/a/b", makepath=True)
    children, stat = client.get_children(world.path, include_data=True)
    equal((children, stat.numChildren, stat.cversion), (["a"], 1, 1))


@case
def a_thousand_requests_at_once_are_answered_in_order(world):
    client = world.client()
    client.ensure_path(world.path)
    asked = [client.create_async(world.path + "/n-", sequence=True) for _ in range(1000)]
    answered = [request.get(timeout=20) for request in asked]
    equal(answered, [world.path + "/n-%010d" % number for number in range(1000)])
    equal(len(client.get_children(world.path)), 1000)


@case
def a_transaction_is_all_or_nothing(world):
    client = world.client()
    client.create(world.path, b"1")
    good = client.transaction()
    good.check(world.path, version=0)
    good.create(world.path + "/n-", b"", sequence=True)
    good.set_data(world.path, b"2", version=0)
    good.create(world.path + "/e", b"", ephemeral=True)
    good.delete(world.path + "/e")
    results = good.commit()
    equal([results[0], results[1], results[2].version, results[3], results[4]], [True, world.path + "/n-0000000000", 1, world.path + "/e", True])
    bad = client.transaction()
    bad.set_data(world.path, b"3")
    bad.check(world.path, version=9)
    bad.delete(world.path + "/n-0000000000")
    equal([type(result) for result in bad.commit()], [errors.RolledBackError, errors.BadVersionError, errors.RuntimeInconsistency])
    equal(client.get(world.path)[0], b"2")
    equal(client.get_children(world.path), ["n-0000000000"])
    equal(client.transaction().commit(), [])


@case
def a_watch_fires_once_for_what_it_watches(world):
    client, other = world.client(), world.client()
    events = []
    client.exists(world.path, watch=events.append)
    other.create(world.path, b"")
    world.until(lambda: len(events) == 1, "created")
    client.get(world.path, watch=events.append)
    client.get_children(world.path, watch=events.append)
    other.create(world.path + "/child")
    world.until(lambda: len(events) == 2, "child")
    other.set(world.path, b"1")
    world.until(lambda: len(events) == 3, "changed")
    client.get_children(world.path, watch=events.append)
    other.set(world.path, b"2")
    other.delete(world.path, recursive=True)
    world.until(lambda: len(events) == 4, "deleted")
    equal([event.type for event in events], [EventType.CREATED, EventType.CHILD, EventType.CHANGED, EventType.CHILD])


@case
def many_watchers_each_hear_of_one_change(world):
    clients = [world.client() for _ in range(10)]
    clients[0].create(world.path, b"")
    heard = []
    for client in clients:
        for _ in range(20):
            # kazoo takes a set: each watcher must be a function of its own.
            client.get(world.path, watch=lambda event: heard.append(event.type))
    clients[0].set(world.path, b"1")
    world.until(lambda: len(heard) == 200, "all have heard")


@case
def chroot_is_the_client_s_own_root(world):
    outside = world.client()
    outside.create(world.path, b"root")
    inside = world.client(hosts=world.hosts + world.path)
    equal(inside.get("/")[0], b"root")
    events = []
    inside.get_children("/", watch=events.append)
    equal(inside.create("/a/b", b"deep", makepath=True), "/a/b")
    world.until(lambda: events and events[0].path == "/", "the event's path is the client's")
    equal(outside.get(world.path + "/a/b")[0], b"deep")
    transaction = inside.transaction()
    transaction.create("/c")
    equal(transaction.commit(), ["/c"])
    equal(sorted(outside.get_children(world.path)), ["a", "c"])


@case
def acls_let_in_who_is_named(world):
    owner, stranger = world.client(), world.client()
    owner.add_auth("digest", "ada:secret")
    mine = make_digest_acl("ada", "secret", all=True)
    owner.create(world.path, b"private", acl=[mine])
    equal(owner.get_acls(world.path)[0], [mine])
    raises(errors.NoAuthError, stranger.get, world.path)
    raises(errors.NoAuthError, stranger.create, world.path + "/child")
    raises(errors.NoAuthError, stranger.set_acls, world.path, OPEN_ACL_UNSAFE)
    stranger.add_auth("digest", "ada:wrong")
    raises(errors.NoAuthError, stranger.get, world.path)
    stranger.add_auth("digest", "ada:secret")
    equal(stranger.get(world.path)[0], b"private")
    equal(owner.set_acls(world.path, READ_ACL_UNSAFE + [mine], version=0).aversion, 1)
    raises(errors.BadVersionError, owner.set_acls, world.path, OPEN_ACL_UNSAFE, version=0)
    equal(world.client().get(world.path)[0], b"private")
    raises(errors.NoAuthError, world.client().set, world.path, b"")
    raises(errors.InvalidACLError, owner.create, world.path + "-none", b"", acl=[make_acl("nonsense", "x", all=True)])


@case
def acls_name_addresses_and_whoever_creates(world):
    client = world.client()
    client.create(world.path + "-here", b"", acl=[make_acl("ip", "127.0.0.0/8", all=True)])
    equal(client.get(world.path + "-here")[0], b"")
    client.create(world.path + "-there", b"", acl=[make_acl("ip", "192.0.2.1", all=True)])
    raises(errors.NoAuthError, client.get, world.path + "-there")
    raises(errors.InvalidACLError, client.create, world.path + "-auth", b"", acl=[make_acl("auth", "", all=True)])
    client.add_auth("digest", "ada:secret")
    client.create(world.path + "-auth", b"", acl=[make_acl("auth", "", all=True)])
    equal(client.get_acls(world.path + "-auth")[0], [make_digest_acl("ada", "secret", all=True)])


@case
def the_super_user_may_do_all(world):
    owner = world.client(auth_data=[("digest", "ada:secret")])
    owner.create(world.path, b"private", acl=[make_digest_acl("ada", "secret", read=True)])
    someone = world.client()
    raises(errors.NoAuthError, someone.get, world.path)
    admin = world.client(auth_data=[("digest", "super:test")])
    equal(admin.get(world.path)[0], b"private")
    admin.set(world.path, b"changed")
    admin.set_acls(world.path, [ACL(31, Id("world", "anyone"))])
    equal(someone.get(world.path)[0], b"changed")


@case
def an_unknown_scheme_of_authentication_is_refused(world):
    client = world.client()
    raises(errors.AuthFailedError, client.add_auth, "nonsense", "x")


@case
def a_lost_connection_is_made_again_in_the_same_session(world):
    client = world.client()
    states = []
    client.add_listener(states.append)
    session = client.client_id
    client.create(world.path, b"mine", ephemeral=True)
    seen = []
    client.DataWatch(world.path, lambda data, stat: seen.append(data))
    client._connection._socket.shutdown(2)
    world.until(lambda: states == [KazooState.SUSPENDED, KazooState.CONNECTED], "it is connected again")
    equal(client.client_id, session)
    equal(client.retry(client.get, world.path)[1].owner_session_id, session[0])
    client.set(world.path, b"still mine")
    world.until(lambda: seen[-1] == b"still mine", "the watch is back")


@case
def authentication_is_given_again_on_a_new_connection(world):
    client = world.client(auth_data=[("digest", "ada:secret")])
    client.create(world.path, b"private", acl=[make_digest_acl("ada", "secret", all=True)])
    states = []
    client.add_listener(states.append)
    client._connection._socket.shutdown(2)
    world.until(lambda: KazooState.CONNECTED in states, "it is connected again")
    equal(client.retry(client.get, world.path)[0], b"private")


@case
def a_session_that_another_connection_closes_is_lost(world):
    client, watcher = world.client(), world.client()
    client.create(world.path, b"", ephemeral=True)
    states = []
    client.add_listener(states.append)
    session = client.client_id
    thief = world.client(client_id=session)
    equal(thief.client_id[0], session[0])
    thief.stop()
    world.until(lambda: KazooState.LOST in states, "the loss was told")
    world.until(lambda: states[-1] == KazooState.CONNECTED, "there is a new session")
    equal(client.client_id[0] == session[0], False)
    equal(watcher.exists(world.path), None)


@case
def a_wrong_password_gets_a_new_session(world):
    session, _ = world.client().client_id
    impostor = world.client(client_id=(session, b"x" * 16))
    equal(impostor.client_id[0] == session, False)


@case
def a_frozen_client_s_session_expires(world):
    watcher = world.client()
    gone = world.event()
    frozen = subprocess.Popen([sys.executable, "-B", "-c", FROZEN_CLIENT, world.hosts, world.path])
    try:
        world.until(lambda: watcher.exists(world.path), "its ephemeral is there")
        os.kill(frozen.pid, signal.SIGSTOP)
        watcher.exists(world.path, watch=lambda event: gone.set())
        world.wait(gone, "the ephemeral is gone")
        equal(watcher.exists(world.path), None)
        os.kill(frozen.pid, signal.SIGCONT)
        world.until(lambda: frozen.poll() is not None, "it knows that its session is lost")
        equal(frozen.returncode, 0)
    finally:
        if frozen.poll() is None:
            frozen.kill()
            frozen.wait()


@case
def an_oversized_request_costs_the_connection_and_not_the_session(world):
    client = world.client()
    session = client.client_id
    client.create(world.path, b"")
    raises(errors.ConnectionLoss, client.set, world.path, b"x" * 1024 * 1024)
    world.until(lambda: client.connected, "it is connected again")
    equal(client.retry(client.get, world.path)[0], b"")
    equal(client.client_id, session)


@case
def sync_names_its_path(world):
    client = world.client()
    client.create(world.path, b"")
    equal(client.sync(world.path), world.path)


@case
def four_letter_words_parse(world):
    client = world.client()
    equal(client.command(b"ruok"), "imok")
    equal(client.server_version()[:2] >= (3, 8), True)
    # kazoo reads no more than 8 kB of an answer.
    keys = dict(line.split("\t") for line in client.command(b"mntr").splitlines() if "\t" in line)
    equal(keys["zk_server_state"], "standalone")
    equal("Mode: standalone" in client.command(b"srvr"), True)
    equal(client.command(b"isro"), "rw")


@case
def reconfiguration_is_refused_by_a_server_alone(world):
    admin = world.client(auth_data=[("digest", "super:test")])
    raises(errors.UnimplementedError, admin.reconfig, joining="server.9=127.0.0.1:1:2:observer;3", leaving=None, new_members=None)


main()
