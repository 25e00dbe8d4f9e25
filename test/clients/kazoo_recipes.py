"""kazoo's recipes, each with the clients that it takes to see it work. Run by kazoo.test.ts."""

from kazoo.exceptions import CancelledError
from kazoo.recipe.cache import TreeCache, TreeEvent
from kazoo.recipe.watchers import PatientChildrenWatch

from kazoo_cases import case, equal, main, raises


def compete(world, acquire_and_release, others=1):
    """Starts tasks that want what is held, and returns the list that each adds its number to once it got it."""
    order = []
    for number in range(others):
        client = world.client()
        world.spawn(acquire_and_release, client, number, order)
    return order


@case
def lock_is_held_by_one_and_handed_on_in_order(world):
    first = world.client()
    lock = first.Lock(world.path, "first")
    lock.acquire()

    def want(client, number, order):
        with client.Lock(world.path, "other-%d" % number):
            order.append(number)

    order = compete(world, want, others=3)
    world.until(lambda: len(lock.contenders()) == 4, "three wait")
    equal(lock.contenders()[0], "first")
    equal(order, [])
    lock.release()
    world.until(lambda: len(order) == 3, "each got it")
    world.until(lambda: first.Lock(world.path).contenders() == [], "all have gone")


@case
def lock_of_a_closed_session_goes_to_the_next(world):
    holder = world.client()
    holder.Lock(world.path, "holder").acquire()

    def want(client, number, order):
        with client.Lock(world.path, "next"):
            order.append(number)

    order = compete(world, want)
    world.until(lambda: len(holder.Lock(world.path).contenders()) == 2, "the next waits")
    holder.stop()
    world.until(lambda: order == [0], "the next has it")


@case
def lock_that_is_taken_times_out_or_says_no(world):
    from kazoo.exceptions import LockTimeout

    held = world.client().Lock(world.path)
    held.acquire()
    other = world.client().Lock(world.path)
    equal(other.acquire(blocking=False), False)
    raises(LockTimeout, other.acquire, timeout=0.1)
    held.release()
    equal(other.acquire(blocking=False), True)


@case
def read_locks_share_and_a_write_lock_waits_for_all(world):
    readers = [world.client().ReadLock(world.path) for _ in range(2)]
    for reader in readers:
        equal(reader.acquire(timeout=5), True)

    def write(client, number, order):
        with client.WriteLock(world.path, "writer"):
            order.append(number)

    order = compete(world, write)
    world.until(lambda: "writer" in readers[0].contenders(), "the writer waits")
    readers[0].release()
    equal(order, [])
    readers[1].release()
    world.until(lambda: order == [0], "the writer wrote")


@case
def semaphore_grants_as_many_leases_as_it_has(world):
    holders = [world.client().Semaphore(world.path, "holder", max_leases=2) for _ in range(2)]
    for holder in holders:
        holder.acquire()
    equal(holders[0].lease_holders(), ["holder", "holder"])

    def want(client, number, order):
        with client.Semaphore(world.path, "third", max_leases=2):
            order.append(number)

    order = compete(world, want)
    equal(world.client().Semaphore(world.path, max_leases=2).acquire(blocking=False), False)
    equal(order, [])
    holders[0].release()
    world.until(lambda: order == [0], "the third has a lease")


@case
def election_leads_one_at_a_time(world):
    leading = []
    resign = [world.event(), world.event()]

    def lead(name, number):
        leading.append(name)
        resign[number].wait(20)
        leading.remove(name)

    elections = []
    for number, name in enumerate(["a", "b"]):
        election = world.client().Election(world.path, name)
        elections.append(election)
        world.spawn(election.run, lead, name, number)
        world.until(lambda: len(election.contenders()) == number + 1, name + " stands")
    equal(elections[0].contenders(), ["a", "b"])
    world.until(lambda: leading == ["a"], "a leads")
    resign[0].set()
    world.until(lambda: leading == ["b"], "b leads")
    equal(elections[0].contenders(), ["b"])
    resign[1].set()
    world.until(lambda: leading == [], "nobody leads")


@case
def election_can_be_cancelled_while_waiting(world):
    held = world.client().Lock(world.path)
    held.acquire()
    election = world.client().Election(world.path, "late")
    world.spawn(election.run, lambda: None)
    world.until(lambda: "late" in election.contenders(), "it waits")
    election.cancel()
    world.until(lambda: election.contenders() == [""], "it waits no more")


@case
def barrier_holds_until_it_is_removed(world):
    client = world.client()
    barrier = client.Barrier(world.path)
    barrier.create()
    equal(barrier.wait(0), False)
    through = world.event()

    def pass_through():
        if world.client().Barrier(world.path).wait(20):
            through.set()

    world.spawn(pass_through)
    equal(through.is_set(), False)
    equal(barrier.remove(), True)
    world.wait(through, "the barrier is open")
    equal(barrier.remove(), False)


@case
def double_barrier_enters_and_leaves_together(world):
    entered, left = [], []

    def take_part(number):
        barrier = world.client().DoubleBarrier(world.path, num_clients=3, identifier="%d" % number)
        barrier.enter()
        entered.append(number)
        world.until(lambda: len(entered) == 3, "all have entered")
        barrier.leave()
        left.append(number)

    for number in range(2):
        world.spawn(take_part, number)
    watcher = world.client()
    world.until(lambda: watcher.exists(world.path) and len(watcher.get_children(world.path)) == 2, "two wait")
    equal(entered, [])
    world.spawn(take_part, 2)
    world.until(lambda: len(left) == 3, "all have left")


@case
def queue_is_ordered_by_priority_then_age(world):
    queue = world.client().Queue(world.path)
    for value, priority in [(b"b", 100), (b"c", 100), (b"d", 999), (b"a", 1)]:
        queue.put(value, priority=priority)
    equal(len(queue), 4)
    other = world.client().Queue(world.path)
    equal([other.get() for _ in range(5)], [b"a", b"b", b"c", b"d", None])


@case
def locking_queue_gives_an_entry_to_one_consumer(world):
    one, two = (world.client().LockingQueue(world.path) for _ in range(2))
    one.put_all([b"first", b"second"])
    equal(one.get(timeout=5), b"first")
    equal(one.holds_lock(), True)
    equal(two.get(timeout=5), b"second")
    equal(one.consume(), True)
    equal(two.release(), True)
    equal(one.get(timeout=5), b"second")
    equal(one.consume(), True)
    equal(two.get(timeout=0.1), None)


@case
def locking_queue_wakes_a_waiting_consumer(world):
    got = []
    world.spawn(lambda: got.append(world.client().LockingQueue(world.path).get(timeout=20)))
    client = world.client()
    world.until(lambda: client.exists(world.path + "/entries"), "the consumer is there")
    client.LockingQueue(world.path).put(b"work")
    world.until(lambda: got == [b"work"], "it got the work")


@case
def counter_loses_no_increment(world):
    finished = []

    def count():
        counter = world.client().Counter(world.path)
        for _ in range(10):
            counter += 2
        finished.append(True)

    for _ in range(3):
        world.spawn(count)
    world.until(lambda: len(finished) == 3, "all have counted")
    counter = world.client().Counter(world.path)
    equal(counter.value, 60)
    counter -= 1
    equal((counter.value, counter.pre_value, counter.post_value), (59, 60, 59))


@case
def data_watch_sees_every_state_of_a_node(world):
    seen = []
    client, other = world.client(), world.client()
    client.DataWatch(world.path, lambda data, stat, event: seen.append((data, event and event.type)))
    equal(seen, [(None, None)])
    other.create(world.path, b"1")
    world.until(lambda: seen[-1] == (b"1", "CREATED"), "created")
    other.set(world.path, b"2")
    world.until(lambda: seen[-1] == (b"2", "CHANGED"), "changed")
    other.delete(world.path)
    world.until(lambda: seen[-1] == (None, "DELETED"), "deleted")
    other.create(world.path, b"3")
    world.until(lambda: seen[-1] == (b"3", "CREATED"), "created again")
    equal(len(seen), 5)


@case
def children_watch_sees_children_come_and_go(world):
    seen = []
    client, other = world.client(), world.client()
    client.ensure_path(world.path)
    client.ChildrenWatch(world.path, lambda children: seen.append(sorted(children)))
    equal(seen, [[]])
    for number, expected in enumerate([["0"], ["0", "1"], ["0", "1", "2"]]):
        other.create("%s/%d" % (world.path, number))
        world.until(lambda: seen[-1] == expected, "%s are there" % expected)
    other.delete(world.path + "/1")
    world.until(lambda: seen[-1] == ["0", "2"], "1 is gone")


@case
def patient_children_watch_waits_for_calm(world):
    client = world.client()
    client.ensure_path(world.path)
    result = PatientChildrenWatch(client, world.path, time_boundary=0.2).start()
    client.create(world.path + "/a")
    client.create(world.path + "/b")
    children, changed = result.get(timeout=20)
    equal(sorted(children), ["a", "b"])
    client.create(world.path + "/c")
    changed.get(timeout=20)


@case
def party_lists_who_is_there(world):
    one, two = world.client(), world.client()
    parties = [one.Party(world.path, "one"), two.Party(world.path, "two")]
    for party in parties:
        party.join()
    equal(sorted(parties[0]), ["one", "two"])
    two.stop()
    world.until(lambda: list(parties[0]) == ["one"], "two has gone")
    parties[0].leave()
    equal(len(parties[0]), 0)


@case
def shallow_party_carries_names_in_its_nodes(world):
    client = world.client()
    party = client.ShallowParty(world.path, "one")
    party.join()
    equal(list(party), ["one"])
    party.leave()
    equal(list(party), [])


@case
def set_partitioner_divides_and_divides_again(world):
    members = [world.client().SetPartitioner(world.path, ("a", "b", "c"), identifier=str(n), time_boundary=0.2) for n in range(2)]
    for member in members:
        member.wait_for_acquire(20)
        equal(member.acquired, True)
    shares = [list(member) for member in members]
    equal(sorted(shares[0] + shares[1]), ["a", "b", "c"])
    equal(sorted(map(len, shares)), [1, 2])
    members[0].finish()
    world.until(lambda: members[1].release, "the other is asked to let go")
    members[1].release_set()
    members[1].wait_for_acquire(20)
    equal(sorted(members[1]), ["a", "b", "c"])
    members[1].finish()


@case
def tree_cache_mirrors_a_tree(world):
    client, other = world.client(), world.client()
    other.create(world.path + "/a/b", b"old", makepath=True)
    events = []
    cache = TreeCache(client, world.path)
    cache.listen(lambda event: events.append(event))
    cache.start()
    world.until(lambda: any(e.event_type == TreeEvent.INITIALIZED for e in events), "it is filled")
    equal(cache.get_data(world.path + "/a/b").data, b"old")
    other.set(world.path + "/a/b", b"new")
    other.create(world.path + "/a/c")
    world.until(lambda: cache.get_data(world.path + "/a/b").data == b"new", "the change arrived")
    world.until(lambda: cache.get_children(world.path + "/a") == frozenset(["b", "c"]), "the child arrived")
    other.delete(world.path + "/a", recursive=True)
    world.until(lambda: cache.get_data(world.path + "/a", default="gone") == "gone", "the removal arrived")
    cache.close()


@case
def leases_are_given_for_a_time_and_to_so_many(world):
    from datetime import timedelta

    client = world.client()
    hour = timedelta(hours=1)
    equal(bool(client.NonBlockingLease(world.path + "/one", hour, identifier="a")), True)
    equal(bool(client.NonBlockingLease(world.path + "/one", hour, identifier="b")), False)
    equal(bool(client.NonBlockingLease(world.path + "/one", hour, identifier="a")), True)
    many = [bool(client.MultiNonBlockingLease(2, world.path + "/many", hour, identifier=name)) for name in "abc"]
    equal(many, [True, True, False])


@case
def lock_waiting_can_be_cancelled(world):
    held = world.client().Lock(world.path)
    held.acquire()
    waiting = world.client().Lock(world.path, "waiting")
    cancelled = world.event()

    def wait_in_vain():
        raises(CancelledError, waiting.acquire)
        cancelled.set()

    world.spawn(wait_in_vain)
    world.until(lambda: "waiting" in held.contenders(), "it waits")
    waiting.cancel()
    world.wait(cancelled, "it was told")
    world.until(lambda: len(held.contenders()) == 1, "its node is gone")


main()
