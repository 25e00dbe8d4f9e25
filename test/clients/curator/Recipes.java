import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.cache.PathChildrenCache;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.cache.TreeCacheEvent;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.locks.InterProcessMultiLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.nodes.PersistentTtlNode;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.watch.PersistentWatcher;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;

/** Curator's recipes, each with the clients that it takes to see it work. */
final class Recipes {
  static void register(Cases cases) {
    locks(cases);
    leaders(cases);
    caches(cases);
    nodes(cases);
    coordination(cases);
  }

  private static void locks(Cases cases) {
    cases.test("InterProcessMutex is held by one at a time, again and again", world -> {
      AtomicInteger inside = new AtomicInteger();
      AtomicInteger finished = new AtomicInteger();
      for (int number = 0; number < 3; number++) {
        CuratorFramework client = world.client();
        world.spawn(() -> {
          InterProcessMutex mutex = new InterProcessMutex(client, world.path);
          for (int round = 0; round < 5; round++) {
            mutex.acquire();
            mutex.acquire(); // its owner may enter again
            Cases.equal(inside.incrementAndGet(), 1);
            inside.decrementAndGet();
            mutex.release();
            mutex.release();
          }
          finished.incrementAndGet();
        });
      }
      world.until("all have had it", () -> finished.get() == 3);
    });

    cases.test("InterProcessMutex of a client that went away goes to the next", world -> {
      CuratorFramework holder = world.client();
      new InterProcessMutex(holder, world.path).acquire();
      InterProcessMutex next = new InterProcessMutex(world.client(), world.path);
      Cases.equal(next.acquire(100, TimeUnit.MILLISECONDS), false);
      CountDownLatch acquired = new CountDownLatch(1);
      world.spawn(() -> {
        next.acquire();
        acquired.countDown();
      });
      world.until("two take part", () -> next.getParticipantNodes().size() == 2);
      holder.close();
      world.await("the next has it", acquired);
    });

    cases.test("InterProcessReadWriteLock lets readers share and a writer wait", world -> {
      InterProcessReadWriteLock one = new InterProcessReadWriteLock(world.client(), world.path);
      InterProcessReadWriteLock two = new InterProcessReadWriteLock(world.client(), world.path);
      one.readLock().acquire();
      Cases.equal(two.readLock().acquire(5, TimeUnit.SECONDS), true);
      two.readLock().release();
      Cases.equal(two.writeLock().acquire(100, TimeUnit.MILLISECONDS), false);
      one.readLock().release();
      Cases.equal(two.writeLock().acquire(5, TimeUnit.SECONDS), true);
      Cases.equal(one.readLock().acquire(100, TimeUnit.MILLISECONDS), false);
      Cases.equal(two.readLock().acquire(5, TimeUnit.SECONDS), true); // a writer may read
    });

    cases.test("InterProcessSemaphoreV2 grants as many leases as there are", world -> {
      InterProcessSemaphoreV2 one = new InterProcessSemaphoreV2(world.client(), world.path, 2);
      InterProcessSemaphoreV2 two = new InterProcessSemaphoreV2(world.client(), world.path, 2);
      List<Lease> leases = new ArrayList<>(one.acquire(2));
      Cases.equal(two.acquire(100, TimeUnit.MILLISECONDS) == null, true);
      one.returnLease(leases.remove(0));
      Cases.equal(two.acquire(5, TimeUnit.SECONDS) != null, true);
    });

    cases.test("InterProcessMultiLock takes all or none", world -> {
      List<String> paths = List.of(world.path + "/a", world.path + "/b");
      InterProcessMutex b = new InterProcessMutex(world.client(), world.path + "/b");
      b.acquire();
      InterProcessMultiLock both = new InterProcessMultiLock(world.client(), paths);
      Cases.equal(both.acquire(100, TimeUnit.MILLISECONDS), false);
      b.release();
      Cases.equal(both.acquire(5, TimeUnit.SECONDS), true);
      Cases.equal(both.isAcquiredInThisProcess(), true);
    });
  }

  private static void leaders(Cases cases) {
    cases.test("LeaderLatch has one leader, and another when that one closes", world -> {
      LeaderLatch one = new LeaderLatch(world.client(), world.path, "one");
      LeaderLatch two = new LeaderLatch(world.client(), world.path, "two");
      one.start();
      world.until("one leads", one::hasLeadership);
      two.start();
      world.until("two take part", () -> two.getParticipants().size() == 2);
      Cases.equal(two.getLeader().getId(), "one");
      one.close();
      world.until("two leads", two::hasLeadership);
      two.close();
    });

    cases.test("LeaderLatch loses its leadership with its session, and another wins it", world -> {
      CuratorFramework client = world.client();
      LeaderLatch one = new LeaderLatch(client, world.path, "one");
      LeaderLatch two = new LeaderLatch(world.client(), world.path, "two");
      List<String> told = Collections.synchronizedList(new ArrayList<>());
      one.addListener(new LeaderLatchListener() {
        @Override
        public void isLeader() {
          told.add("leads");
        }

        @Override
        public void notLeader() {
          told.add("follows");
        }
      });
      one.start();
      world.until("one leads", one::hasLeadership);
      two.start();
      world.until("two take part", () -> two.getParticipants().size() == 2);
      world.endSession(client);
      world.until("two leads", two::hasLeadership);
      world.until("one knows", () -> told.contains("follows") && !one.hasLeadership());
      one.close();
      two.close();
    });

    cases.test("LeaderSelector leads in turn", world -> {
      List<String> leaders = Collections.synchronizedList(new ArrayList<>());
      List<LeaderSelector> selectors = new ArrayList<>();
      for (String name : List.of("one", "two", "three")) {
        LeaderSelector selector = new LeaderSelector(world.client(), world.path, new LeaderSelectorListenerAdapter() {
          @Override
          public void takeLeadership(CuratorFramework client) {
            leaders.add(name);
          }
        });
        selector.setId(name);
        selector.autoRequeue();
        selector.start();
        selectors.add(selector);
      }
      world.until("each has led", () -> leaders.containsAll(List.of("one", "two", "three")));
      world.until("and leads again", () -> leaders.size() > 6);
      selectors.forEach(LeaderSelector::close);
    });
  }

  private static void caches(Cases cases) {
    cases.test("CuratorCache mirrors a tree through one recursive watch", world -> {
      CuratorFramework other = world.client();
      other.create().creatingParentsIfNeeded().forPath(world.path + "/a", bytes("1"));
      CuratorCache cache = CuratorCache.build(world.client(), world.path);
      Map<String, String> seen = new ConcurrentHashMap<>();
      CountDownLatch filled = new CountDownLatch(1);
      cache.listenable().addListener(CuratorCacheListener.builder()
          .forCreates(node -> seen.put(node.getPath(), text(node.getData())))
          .forChanges((before, after) -> seen.put(after.getPath(), text(after.getData())))
          .forDeletes(node -> seen.remove(node.getPath()))
          .forInitialized(filled::countDown)
          .build());
      cache.start();
      world.await("it is filled", filled);
      other.setData().forPath(world.path + "/a", bytes("2"));
      other.create().creatingParentsIfNeeded().forPath(world.path + "/b/c", bytes("3"));
      world.until("it has followed", () -> "2".equals(seen.get(world.path + "/a")) && "3".equals(seen.get(world.path + "/b/c")));
      other.delete().deletingChildrenIfNeeded().forPath(world.path + "/b");
      world.until("the removal too", () -> !seen.containsKey(world.path + "/b") && !seen.containsKey(world.path + "/b/c"));
      Cases.equal(text(cache.get(world.path + "/a").get().getData()), "2");
      cache.close();
    });

    cases.test("CuratorCache is right again after its session was lost", world -> {
      CuratorFramework client = world.client();
      CuratorFramework other = world.client();
      other.create().creatingParentsIfNeeded().forPath(world.path + "/a", bytes("1"));
      CuratorCache cache = CuratorCache.build(client, world.path);
      cache.start();
      world.until("it is filled", () -> cache.get(world.path + "/a").isPresent());
      world.endSession(client);
      other.setData().forPath(world.path + "/a", bytes("2"));
      other.create().forPath(world.path + "/b", bytes("3"));
      world.until("it has caught up", () -> cache.get(world.path + "/b").isPresent()
          && text(cache.get(world.path + "/a").get().getData()).equals("2"));
      cache.close();
    });

    cases.test("PathChildrenCache holds a node's children", world -> {
      CuratorFramework other = world.client();
      other.create().creatingParentsIfNeeded().forPath(world.path + "/a", bytes("1"));
      PathChildrenCache cache = new PathChildrenCache(world.client(), world.path, true);
      cache.start(PathChildrenCache.StartMode.BUILD_INITIAL_CACHE);
      Cases.equal(text(cache.getCurrentData(world.path + "/a").getData()), "1");
      other.create().forPath(world.path + "/b", bytes("2"));
      other.setData().forPath(world.path + "/a", bytes("3"));
      world.until("it has followed", () -> cache.getCurrentData().size() == 2
          && text(cache.getCurrentData(world.path + "/a").getData()).equals("3"));
      other.delete().forPath(world.path + "/b");
      world.until("the removal too", () -> cache.getCurrentData().size() == 1);
      cache.close();
    });

    cases.test("TreeCache holds a tree", world -> {
      CuratorFramework other = world.client();
      other.create().creatingParentsIfNeeded().forPath(world.path + "/a/b", bytes("1"));
      TreeCache cache = new TreeCache(world.client(), world.path);
      CountDownLatch filled = new CountDownLatch(1);
      cache.getListenable().addListener((client, event) -> {
        if (event.getType() == TreeCacheEvent.Type.INITIALIZED) filled.countDown();
      });
      cache.start();
      world.await("it is filled", filled);
      Cases.equal(text(cache.getCurrentData(world.path + "/a/b").getData()), "1");
      other.create().forPath(world.path + "/a/c", bytes("2"));
      world.until("it has followed", () -> cache.getCurrentChildren(world.path + "/a").keySet().size() == 2);
      cache.close();
    });

    cases.test("PersistentWatcher hears every change below", world -> {
      CuratorFramework client = world.client();
      client.create().forPath(world.path);
      List<String> heard = Collections.synchronizedList(new ArrayList<>());
      PersistentWatcher watcher = new PersistentWatcher(client, world.path, true);
      CountDownLatch reset = new CountDownLatch(1);
      watcher.getResetListenable().addListener(reset::countDown);
      watcher.getListenable().addListener(event -> heard.add(event.getType() + " " + event.getPath()));
      watcher.start();
      world.await("it is set", reset);
      client.create().forPath(world.path + "/a");
      client.setData().forPath(world.path + "/a", bytes("1"));
      client.setData().forPath(world.path + "/a", bytes("2"));
      client.delete().forPath(world.path + "/a");
      String a = world.path + "/a";
      world.until("all is heard", () -> heard.equals(
          List.of("NodeCreated " + a, "NodeDataChanged " + a, "NodeDataChanged " + a, "NodeDeleted " + a)));
      watcher.close();
    });
  }

  private static void nodes(Cases cases) {
    cases.test("PersistentNode keeps an ephemeral there, whatever happens to it", world -> {
      CuratorFramework client = world.client();
      CuratorFramework other = world.client();
      PersistentNode node = new PersistentNode(client, CreateMode.EPHEMERAL, false, world.path, bytes("here"));
      node.start();
      Cases.equal(node.waitForInitialCreate(Cases.WAIT_SECONDS_MAX, TimeUnit.SECONDS), true);
      other.delete().forPath(world.path);
      world.until("it is back", () -> other.checkExists().forPath(world.path) != null);
      long owner = other.checkExists().forPath(world.path).getEphemeralOwner();
      world.endSession(client);
      world.until("it is back in a new session", () -> {
        var stat = other.checkExists().forPath(world.path);
        return stat != null && stat.getEphemeralOwner() != owner;
      });
      Cases.equal(text(other.getData().forPath(world.path)), "here");
      node.close();
      world.until("it is gone", () -> other.checkExists().forPath(world.path) == null);
    });

    cases.test("PersistentTtlNode stays as long as it is touched", world -> {
      CuratorFramework client = world.client();
      PersistentTtlNode node = new PersistentTtlNode(client, world.path, 1_000, bytes("ttl"));
      node.start();
      Cases.equal(node.waitForInitialCreate(Cases.WAIT_SECONDS_MAX, TimeUnit.SECONDS), true);
      // Untouched ones of half that life come and go meanwhile.
      client.create().withTtl(500).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath(world.path + "-untouched");
      world.until("the untouched is gone", () -> client.checkExists().forPath(world.path + "-untouched") == null);
      Cases.equal(text(client.getData().forPath(world.path)), "ttl");
      node.close();
      world.until("it is gone", () -> client.checkExists().forPath(world.path) == null);
    });

    cases.test("GroupMember sees who is there", world -> {
      CuratorFramework leaver = world.client();
      GroupMember one = new GroupMember(world.client(), world.path, "one", bytes("1"));
      GroupMember two = new GroupMember(leaver, world.path, "two", bytes("2"));
      one.start();
      two.start();
      world.until("both are there", () -> new TreeMap<>(one.getCurrentMembers()).keySet().toString().equals("[one, two]"));
      leaver.close();
      world.until("two has left", () -> one.getCurrentMembers().keySet().toString().equals("[one]"));
      one.close();
    });
  }

  private static void coordination(Cases cases) {
    cases.test("DistributedBarrier holds until it is removed", world -> {
      DistributedBarrier barrier = new DistributedBarrier(world.client(), world.path);
      barrier.setBarrier();
      DistributedBarrier other = new DistributedBarrier(world.client(), world.path);
      Cases.equal(other.waitOnBarrier(100, TimeUnit.MILLISECONDS), false);
      CountDownLatch through = new CountDownLatch(1);
      world.spawn(() -> {
        other.waitOnBarrier();
        through.countDown();
      });
      Cases.equal(through.getCount(), 1L);
      barrier.removeBarrier();
      world.await("the barrier is open", through);
    });

    cases.test("DistributedDoubleBarrier is entered and left together", world -> {
      AtomicInteger entered = new AtomicInteger();
      AtomicInteger left = new AtomicInteger();
      for (int number = 0; number < 3; number++) {
        CuratorFramework client = world.client();
        world.spawn(() -> {
          DistributedDoubleBarrier barrier = new DistributedDoubleBarrier(client, world.path, 3);
          barrier.enter();
          entered.incrementAndGet();
          world.until("all have entered", () -> entered.get() == 3);
          barrier.leave();
          left.incrementAndGet();
        });
      }
      world.until("all have left", () -> left.get() == 3);
    });

    cases.test("SharedCount tells its others and refuses a stale change", world -> {
      SharedCount one = new SharedCount(world.client(), world.path, 7);
      SharedCount two = new SharedCount(world.client(), world.path, 7);
      one.start();
      two.start();
      Cases.equal(two.getCount(), 7);
      var stale = two.getVersionedValue();
      one.setCount(8);
      world.until("the other knows", () -> two.getCount() == 8);
      Cases.equal(two.trySetCount(stale, 9), false);
      Cases.equal(two.trySetCount(two.getVersionedValue(), 9), true);
      one.close();
      two.close();
    });

    cases.test("DistributedAtomicLong loses no increment", world -> {
      AtomicInteger finished = new AtomicInteger();
      for (int number = 0; number < 3; number++) {
        CuratorFramework client = world.client();
        world.spawn(() -> {
          DistributedAtomicLong counter = new DistributedAtomicLong(client, world.path, new RetryNTimes(100, 5));
          for (int round = 0; round < 10; round++) Cases.equal(counter.increment().succeeded(), true);
          finished.incrementAndGet();
        });
      }
      world.until("all have counted", () -> finished.get() == 3);
      Cases.equal(new DistributedAtomicLong(world.client(), world.path, new RetryNTimes(1, 5)).get().postValue(), 30L);
    });

    cases.test("SimpleDistributedQueue gives out in order", world -> {
      SimpleDistributedQueue in = new SimpleDistributedQueue(world.client(), world.path);
      SimpleDistributedQueue out = new SimpleDistributedQueue(world.client(), world.path);
      for (String entry : List.of("a", "b", "c")) in.offer(bytes(entry));
      Cases.equal(text(out.take()) + text(out.take()) + text(out.take()), "abc");
      Cases.equal(out.poll(100, TimeUnit.MILLISECONDS) == null, true);
    });
  }

  static byte[] bytes(String text) {
    return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  static String text(byte[] bytes) {
    return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
  }

  private Recipes() {}
}
