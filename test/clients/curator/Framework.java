import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.ClientInfo;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.server.auth.DigestAuthenticationProvider;

/** Curator's client and the Java client beneath it: operations, transactions, watches, permissions, sessions. */
final class Framework {
  static void register(Cases cases) {
    operations(cases);
    transactions(cases);
    watches(cases);
    sessions(cases);
    permissions(cases);
  }

  private static void operations(Cases cases) {
    cases.test("nodes are created in every mode", world -> {
      CuratorFramework client = world.client();
      client.create().forPath(world.path);
      for (CreateMode mode : List.of(CreateMode.PERSISTENT, CreateMode.EPHEMERAL, CreateMode.CONTAINER))
        Cases.equal(client.create().withMode(mode).forPath(world.path + "/" + mode), world.path + "/" + mode);
      Cases.equal(client.create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath(world.path + "/n-"), world.path + "/n-0000000003");
      Cases.equal(client.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(world.path + "/n-"), world.path + "/n-0000000004");
      Stat stat = new Stat();
      client.create().withTtl(60_000).storingStatIn(stat).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath(world.path + "/ttl", Recipes.bytes("x"));
      Cases.equal(stat.getDataLength(), 1);
      String sequential = client.create().withTtl(60_000).withMode(CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL).forPath(world.path + "/n-");
      Cases.equal(sequential, world.path + "/n-0000000006");
      Cases.equal(client.checkExists().forPath(world.path).getNumChildren(), 7);
      raisesCode(KeeperException.NoChildrenForEphemeralsException.class, () -> client.create().forPath(world.path + "/EPHEMERAL/x"));
      raisesCode(KeeperException.NodeExistsException.class, () -> client.create().forPath(world.path));
    });

    cases.test("a container is removed once its last child is", world -> {
      CuratorFramework client = world.client();
      client.create().creatingParentContainersIfNeeded().forPath(world.path + "/child");
      client.delete().forPath(world.path + "/child");
      world.until("the container is gone", () -> client.checkExists().forPath(world.path) == null);
    });

    cases.test("a protected create finds its node again", world -> {
      String path = world.client().create().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(world.path);
      Cases.equal(path.matches("/_c_[0-9a-f-]+-" + world.path.substring(1) + "[0-9]{10}"), true);
    });

    cases.test("operations in the background are called back in order", world -> {
      CuratorFramework client = world.client();
      client.create().forPath(world.path);
      ConcurrentLinkedQueue<String> created = new ConcurrentLinkedQueue<>();
      for (int number = 0; number < 500; number++)
        client.create().withMode(CreateMode.PERSISTENT_SEQUENTIAL)
            .inBackground((same, event) -> created.add(event.getName()))
            .forPath(world.path + "/n-");
      world.until("all are created", () -> created.size() == 500);
      int number = 0;
      for (String name : created) Cases.equal(name, String.format("%s/n-%010d", world.path, number++));
      CountDownLatch synced = new CountDownLatch(1);
      client.sync().inBackground((same, event) -> synced.countDown()).forPath(world.path);
      world.await("it is synced", synced);
    });

    cases.test("a namespace is the client's own root", world -> {
      CuratorFramework inside = world.started(world.builder().namespace(world.path.substring(1)));
      Cases.equal(inside.create().forPath("/a", Recipes.bytes("1")), "/a");
      Cases.equal(Recipes.text(world.client().getData().forPath(world.path + "/a")), "1");
    });

    cases.test("versions are checked", world -> {
      CuratorFramework client = world.client();
      client.create().forPath(world.path);
      Cases.equal(client.setData().withVersion(0).forPath(world.path, Recipes.bytes("1")).getVersion(), 1);
      raisesCode(KeeperException.BadVersionException.class, () -> client.setData().withVersion(0).forPath(world.path));
      raisesCode(KeeperException.BadVersionException.class, () -> client.delete().withVersion(0).forPath(world.path));
    });

    cases.test("the Java client's newer requests are answered", world -> {
      CuratorFramework client = world.client();
      ZooKeeper zk = client.getZookeeperClient().getZooKeeper();
      client.create().forPath(world.path);
      client.create().creatingParentsIfNeeded().withMode(CreateMode.EPHEMERAL).forPath(world.path + "/a/b");
      Cases.equal(zk.getAllChildrenNumber(world.path), 2);
      Cases.equal(zk.getEphemerals(world.path), List.of(world.path + "/a/b"));
      List<ClientInfo> who = zk.whoAmI();
      Cases.equal(who.get(0).getAuthScheme() + " " + who.get(0).getUser(), "ip 127.0.0.1");
      List<OpResult> read = zk.multi(List.of(Op.getData(world.path), Op.getChildren(world.path), Op.getData("/none")));
      Cases.equal(((OpResult.GetChildrenResult) read.get(1)).getChildren(), List.of("a"));
      Cases.equal(((OpResult.ErrorResult) read.get(2)).getErr(), KeeperException.Code.NONODE.intValue());
      Cases.equal(zk.getConfig(false, new Stat()).length, 0);
    });
  }

  private static void transactions(Cases cases) {
    cases.test("a transaction is all or nothing", world -> {
      CuratorFramework client = world.client();
      List<CuratorTransactionResult> done = client.transaction().forOperations(
          client.transactionOp().create().forPath(world.path, Recipes.bytes("1")),
          client.transactionOp().create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(world.path + "/n-"),
          client.transactionOp().create().withTtl(60_000).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath(world.path + "/ttl"),
          client.transactionOp().setData().withVersion(0).forPath(world.path, Recipes.bytes("2")),
          client.transactionOp().check().withVersion(1).forPath(world.path),
          client.transactionOp().delete().forPath(world.path + "/n-0000000000"));
      Cases.equal(done.get(1).getResultPath(), world.path + "/n-0000000000");
      Cases.equal(done.get(3).getResultStat().getVersion(), 1);
      KeeperException refused = Cases.raises(KeeperException.BadVersionException.class, () -> client.transaction().forOperations(
          client.transactionOp().setData().forPath(world.path, Recipes.bytes("3")),
          client.transactionOp().check().withVersion(9).forPath(world.path),
          client.transactionOp().delete().forPath(world.path + "/ttl")));
      List<Integer> codes = new ArrayList<>();
      for (OpResult result : refused.getResults()) codes.add(((OpResult.ErrorResult) result).getErr());
      Cases.equal(codes, List.of(0, -103, -2));
      Cases.equal(Recipes.text(client.getData().forPath(world.path)), "2");
      Cases.equal(client.getChildren().forPath(world.path), List.of("ttl"));
    });
  }

  private static void watches(Cases cases) {
    cases.test("a watch fires once", world -> {
      CuratorFramework client = world.client();
      List<String> heard = Collections.synchronizedList(new ArrayList<>());
      Watcher watcher = event -> heard.add(event.getType() + " " + event.getPath());
      client.checkExists().usingWatcher(watcher).forPath(world.path);
      client.create().forPath(world.path);
      client.setData().forPath(world.path);
      client.getData().usingWatcher(watcher).forPath(world.path);
      client.getChildren().usingWatcher(watcher).forPath(world.path);
      client.delete().forPath(world.path);
      world.until("all is heard", () -> heard.size() == 2);
      Cases.equal(heard, List.of("NodeCreated " + world.path, "NodeDeleted " + world.path));
    });

    cases.test("watches are added, heard and removed", world -> {
      CuratorFramework client = world.client();
      List<String> heard = Collections.synchronizedList(new ArrayList<>());
      Watcher watcher = event -> heard.add(event.getType() + " " + event.getPath());
      client.watchers().add().withMode(AddWatchMode.PERSISTENT_RECURSIVE).usingWatcher(watcher).forPath(world.path);
      client.create().forPath(world.path);
      client.create().forPath(world.path + "/a");
      client.watchers().remove(watcher).forPath(world.path);
      client.setData().forPath(world.path);
      List<String> expected = List.of("NodeCreated " + world.path, "NodeCreated " + world.path + "/a", "PersistentWatchRemoved " + world.path);
      world.until("all is heard", () -> heard.equals(expected));
      raisesCode(KeeperException.NoWatcherException.class, () -> client.watchers().remove(watcher).forPath(world.path));
    });

    cases.test("watches of every kind are set again on a new connection", world -> {
      Line line = world.line();
      CuratorFramework client = world.started(world.builder().connectString(line.address()));
      CuratorFramework other = world.client();
      other.create().forPath(world.path);
      for (String name : List.of("data", "children", "gone", "below")) other.create().forPath(world.path + "/" + name);
      List<String> heard = Collections.synchronizedList(new ArrayList<>());
      Watcher watcher = event -> {
        if (event.getType() != Watcher.Event.EventType.None) heard.add(event.getType() + " " + event.getPath().substring(world.path.length()));
      };
      client.getData().usingWatcher(watcher).forPath(world.path + "/data");
      client.getChildren().usingWatcher(watcher).forPath(world.path + "/children");
      client.getData().usingWatcher(watcher).forPath(world.path + "/gone");
      client.checkExists().usingWatcher(watcher).forPath(world.path + "/comes");
      client.watchers().add().withMode(AddWatchMode.PERSISTENT_RECURSIVE).usingWatcher(watcher).forPath(world.path + "/below");
      CountDownLatch away = new CountDownLatch(1);
      CountDownLatch back = new CountDownLatch(1);
      client.getConnectionStateListenable().addListener((same, state) -> {
        if (state == ConnectionState.SUSPENDED) away.countDown();
        if (state == ConnectionState.RECONNECTED) back.countDown();
      });
      long session = client.getZookeeperClient().getZooKeeper().getSessionId();
      line.cut();
      world.await("it has lost its connection", away);
      other.delete().forPath(world.path + "/gone");
      other.create().forPath(world.path + "/comes");
      world.await("it is connected again", back);
      other.setData().forPath(world.path + "/data");
      other.create().forPath(world.path + "/children/a");
      other.create().forPath(world.path + "/below/a");
      world.until("all is heard", () -> heard.containsAll(List.of("NodeDataChanged /data", "NodeChildrenChanged /children",
          "NodeDeleted /gone", "NodeCreated /comes", "NodeCreated /below/a")));
      Cases.equal(client.getZookeeperClient().getZooKeeper().getSessionId(), session);
    });
  }

  private static void sessions(Cases cases) {
    cases.test("a lost session is told, its ephemerals are gone, and a new one begins", world -> {
      CuratorFramework client = world.client();
      CuratorFramework other = world.client();
      client.create().withMode(CreateMode.EPHEMERAL).forPath(world.path);
      List<ConnectionState> states = Collections.synchronizedList(new ArrayList<>());
      client.getConnectionStateListenable().addListener((same, state) -> states.add(state));
      long session = client.getZookeeperClient().getZooKeeper().getSessionId();
      world.endSession(client);
      world.until("the loss is told", () -> states.contains(ConnectionState.LOST));
      world.until("it is connected again", () -> states.get(states.size() - 1) == ConnectionState.RECONNECTED);
      Cases.equal(other.checkExists().forPath(world.path) == null, true);
      Cases.equal(client.getZookeeperClient().getZooKeeper().getSessionId() != session, true);
    });

    cases.test("an ephemeral goes with the session that closes", world -> {
      CuratorFramework client = world.client();
      CuratorFramework other = world.client();
      client.create().withMode(CreateMode.EPHEMERAL).forPath(world.path);
      List<WatchedEvent> heard = Collections.synchronizedList(new ArrayList<>());
      other.checkExists().usingWatcher((Watcher) heard::add).forPath(world.path);
      client.close();
      world.until("it is gone", () -> heard.size() == 1);
      Cases.equal(heard.get(0).getType(), Watcher.Event.EventType.NodeDeleted);
    });
  }

  private static void permissions(Cases cases) {
    cases.test("an ACL lets in who is named", world -> {
      CuratorFramework owner = world.started(world.builder().authorization("digest", Recipes.bytes("ada:secret")));
      CuratorFramework stranger = world.client();
      owner.create().withACL(ZooDefs.Ids.CREATOR_ALL_ACL).forPath(world.path, Recipes.bytes("1"));
      Id ada = new Id("digest", DigestAuthenticationProvider.generateDigest("ada:secret"));
      Cases.equal(owner.getACL().forPath(world.path), List.of(new ACL(ZooDefs.Perms.ALL, ada)));
      raisesCode(KeeperException.NoAuthException.class, () -> stranger.getData().forPath(world.path));
      raisesCode(KeeperException.NoAuthException.class, () -> stranger.create().forPath(world.path + "/a"));
      owner.setACL().withVersion(0).withACL(ZooDefs.Ids.READ_ACL_UNSAFE).forPath(world.path);
      Cases.equal(Recipes.text(stranger.getData().forPath(world.path)), "1");
      raisesCode(KeeperException.NoAuthException.class, () -> owner.setData().forPath(world.path));
      raisesCode(KeeperException.InvalidACLException.class, () ->
          stranger.create().withACL(ZooDefs.Ids.CREATOR_ALL_ACL).forPath(world.path + "-auth"));
    });
  }

  private static void raisesCode(Class<? extends KeeperException> expected, java.util.concurrent.Callable<?> call) throws Exception {
    Cases.raises(expected, call);
  }

  private Framework() {}
}
