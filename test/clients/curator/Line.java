import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A line to the server that can be cut: both ends are told at once, and a new connection goes through. */
final class Line implements AutoCloseable {
  private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final int target;

  Line(String address) throws IOException {
    target = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    run(() -> {
      while (true) accept(listener.accept());
    });
  }

  String address() {
    return "127.0.0.1:" + listener.getLocalPort();
  }

  void cut() throws IOException {
    for (Socket socket : sockets) socket.close();
  }

  @Override
  public void close() throws IOException {
    listener.close();
    cut();
  }

  private void accept(Socket client) throws IOException {
    Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
    sockets.add(client);
    sockets.add(server);
    run(() -> carry(client, server));
    run(() -> carry(server, client));
  }

  private void carry(Socket from, Socket to) throws IOException {
    try (from; to; InputStream in = from.getInputStream(); OutputStream out = to.getOutputStream()) {
      in.transferTo(out);
    } finally {
      sockets.remove(from);
      sockets.remove(to);
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void run(Work work) {
    Thread thread = new Thread(() -> {
      try {
        work.run();
      } catch (IOException ended) {
        // Cut, closed, or the server is not there: the client hears of it by its own end.
      }
    });
    thread.setDaemon(true);
    thread.start();
  }
}
