/**
 * `replay()`: plays a history to a test server, or to any ZooKeeper server at the end of a socket.
 */

import { argumentError, describe } from "../../lib/base/validate.ts";
import { parseConnectString } from "../../lib/client/connect_string.ts";
import { RemoteConnector } from "../../lib/client/remote.ts";
import { History } from "../../lib/testing/history.ts";
import { type ReplayReport, type ReplayTarget, replay as replayTo } from "../../lib/testing/replay.ts";
import { TestServer } from "../../lib/testing/test_server.ts";
import { consoleLogger, systemClock } from "../system.ts";
import { TcpDialer } from "../tcp/dialer.ts";

/** How long a server at the end of a socket may take to say something. */
const PATIENCE_MS = 2000;
const REPLY_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Plays a history again and tells where the answers, the Stats or the events are others. Session ids, zxids and times may differ, their order may
 * not. The server should be empty, and nobody else should use it: a new test server, or one that is reached by its address.
 *
 * A real server's time can't be moved: sessions that expired are ended by their client there, and TTL znodes stay.
 *
 * @throws TypeError for what is no history or no server; Error for a history that doesn't begin with an empty server
 *
 * @example
 * ```ts
 * const report = await replay(zk.history(), "127.0.0.1:2181");
 * console.log(String(report)); // No differences in 40 answers and events
 * ```
 */
export async function replay(history: History, target: TestServer | string): Promise<ReplayReport> {
  if (!(history instanceof History))
    throw argumentError("play a history", `it must be one that history() gives, not ${describe(history)}`);
  if (typeof target === "string") return await replayTo(history, remote(target));
  if (target instanceof TestServer) return await replayTo(history, target.asReplayTarget());
  throw argumentError(
    "play a history",
    `it needs a test server or an address such as "127.0.0.1:2181", not ${describe(target)}`,
  );
}

function remote(address: string): ReplayTarget {
  const clock = systemClock();
  const connector = new RemoteConnector({
    servers: parseConnectString(address).servers,
    dialer: new TcpDialer(null),
    logger: consoleLogger({ level: "warn" }),
    random: Math.random,
    replyBytesMax: REPLY_BYTES_MAX,
  });
  const patience = (): Promise<void> =>
    new Promise((resolve) => {
      clock.wakeAt(clock.now().mono + PATIENCE_MS, resolve);
    });
  return { connector, advance: null, expire: null, patience };
}
