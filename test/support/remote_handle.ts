/** A client handle on a {@link MemoryNetwork}, with time and randomness that the test holds in its hands. */
import { parseConnectString } from "../../lib/client/connect_string.ts";
import { RemoteConnector } from "../../lib/client/remote.ts";
import { type HandleOptions, ZooKeeper } from "../../lib/client/zookeeper.ts";
import type { Logger } from "../../lib/ports.ts";
import type { ManualClock } from "./manual_clock.ts";
import type { MemoryNetwork } from "./memory_network.ts";

/** A log that keeps what it is told. */
export class Lines implements Logger {
  readonly lines: string[] = [];
  debug(message: string): void {
    this.lines.push(message);
  }
  info(message: string): void {
    this.lines.push(message);
  }
  warn(message: string): void {
    this.lines.push(message);
  }
  error(message: string): void {
    this.lines.push(message);
  }
}

/** A handle that has not started; `sessionTimeoutMs` 9,000 unless told. */
export function remoteHandle(
  network: MemoryNetwork,
  servers: string,
  clock: ManualClock,
  options: Partial<HandleOptions> = {},
): ZooKeeper {
  const { servers: addresses, chroot } = parseConnectString(servers);
  const logger = options.logger ?? new Lines();
  const random = options.random ?? (() => 0.5);
  const { dialer } = network;
  return new ZooKeeper({
    connector: new RemoteConnector({ servers: addresses, dialer, logger, random, replyBytesMax: 1 << 20 }),
    ...{ clock, logger, random, chroot, sessionTimeoutMs: 9000, canBeReadOnly: false, sasl: null },
    ...options,
  });
}
