import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;

/**
 * What the cases of Curator share: clients that are closed at the end, waiting for conditions, and one line of JSON per case. A case
 * raises if something is not as it should be; limits of time only turn a hang into a failure.
 */
public final class Cases {
  interface Case {
    void run(World world) throws Exception;
  }

  interface Task {
    void run() throws Exception;
  }

  static final int WAIT_SECONDS_MAX = 20;

  private final Map<String, Case> cases = new LinkedHashMap<>();

  /** Registers a case; names are also read from the source, so they are plain literals. */
  void test(String name, Case body) {
    cases.put(name, body);
  }

  /** Usage: HOST:PORT */
  public static void main(String[] args) {
    Cases all = new Cases();
    Framework.register(all);
    Recipes.register(all);
    all.cases.forEach((name, body) -> System.out.println(line(name, why(args[0], name, body))));
    System.out.flush();
    System.exit(0); // whatever threads a failed case has left
  }

  private static String why(String address, String name, Case body) {
    try (World world = new World(address, "/" + name.replaceAll("[^a-zA-Z]+", "-"))) {
      body.run(world);
      world.failIfATaskFailed();
      return null;
    } catch (Throwable thrown) {
      return trace(thrown);
    }
  }

  private static String trace(Throwable thrown) {
    StringWriter text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  private static String line(String name, String why) {
    return "{\"case\":" + quoted(name) + ",\"why\":" + (why == null ? "null" : quoted(why)) + "}";
  }

  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') json.append('\\').append(c);
      else if (c < ' ') json.append(String.format("\\u%04x", (int) c));
      else json.append(c);
    }
    return json.append('"').toString();
  }

  static void equal(Object actual, Object expected) {
    if (!expected.equals(actual)) throw new AssertionError(actual + " is not " + expected);
  }

  static <E extends Exception> E raises(Class<E> expected, Callable<?> call) throws Exception {
    try {
      call.call();
    } catch (Exception raised) {
      if (expected.isInstance(raised)) return expected.cast(raised);
      throw raised;
    }
    throw new AssertionError("nothing raised " + expected.getSimpleName());
  }

  /** The server, as one case sees it: a path of its own, clients, and tasks on threads. */
  static final class World implements AutoCloseable {
    final String address;
    final String path;
    private final List<CuratorFramework> clients = new ArrayList<>();
    private final List<Line> lines = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

    World(String address, String path) {
      this.address = address;
      this.path = path;
    }

    CuratorFrameworkFactory.Builder builder() {
      return CuratorFrameworkFactory.builder()
          .connectString(address)
          .sessionTimeoutMs(10_000)
          .connectionTimeoutMs(10_000)
          .retryPolicy(new RetryNTimes(20, 100));
    }

    CuratorFramework client() throws Exception {
      return started(builder());
    }

    CuratorFramework started(CuratorFrameworkFactory.Builder builder) throws Exception {
      CuratorFramework client = builder.build();
      clients.add(client);
      client.start();
      if (!client.blockUntilConnected(WAIT_SECONDS_MAX, TimeUnit.SECONDS)) throw new AssertionError("no connection");
      return client;
    }

    /** A way to the server that the case can cut. */
    Line line() throws IOException {
      Line line = new Line(address);
      lines.add(line);
      return line;
    }

    /** Runs a task beside the case; what it raises fails the case. */
    void spawn(Task task) {
      Thread thread = new Thread(() -> {
        try {
          task.run();
        } catch (Throwable thrown) {
          failures.add(thrown);
        }
      });
      thread.setDaemon(true);
      threads.add(thread);
      thread.start();
    }

    void until(String what, Callable<Boolean> condition) throws Exception {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS_MAX);
      while (!condition.call()) {
        failIfATaskFailed();
        if (System.nanoTime() > end) throw new AssertionError("not so: " + what);
        Thread.sleep(5);
      }
    }

    void await(String what, CountDownLatch latch) throws Exception {
      until(what, () -> latch.getCount() == 0);
    }

    /** Ends a client's session for good, the way a server that has not heard of it does: another connection closes it. */
    void endSession(CuratorFramework client) throws Exception {
      ZooKeeper own = client.getZookeeperClient().getZooKeeper();
      CountDownLatch connected = new CountDownLatch(1);
      ZooKeeper other = new ZooKeeper(address, 10_000, event -> {
        if (event.getState() == KeeperState.SyncConnected) connected.countDown();
      }, own.getSessionId(), own.getSessionPasswd());
      await("the session has another connection", connected);
      other.close();
    }

    void failIfATaskFailed() {
      Throwable failure = failures.peek();
      if (failure != null) throw new AssertionError("a task failed", failure);
    }

    @Override
    public void close() throws IOException {
      for (CuratorFramework client : clients) client.close();
      for (Line line : lines) line.close();
      for (Thread thread : threads) thread.interrupt();
    }
  }

  private Cases() {}
}
