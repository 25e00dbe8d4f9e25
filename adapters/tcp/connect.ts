/**
 * `connect()`: a client of any ZooKeeper server, over TCP or TLS.
 *
 * Wires a client handle to sockets, the system's clock and its randomness; decides nothing itself. Invariant: from `connect()` to the handle's end
 * the process stays alive, and not a moment longer.
 */
import { clearInterval, setInterval } from "node:timers";
import type { SecureContextOptions } from "node:tls";
import { parseConnectString } from "../../lib/client/connect_string.ts";
import { CONNECT_SHAPE, type ConnectOptions, DEFAULT_SESSION_TIMEOUT_MS } from "../../lib/client/options.ts";
import { RemoteConnector } from "../../lib/client/remote.ts";
import { ZooKeeper } from "../../lib/client/zookeeper.ts";
import { CLOCK, LOGGER } from "../../lib/options/ports.ts";
import { objectOf, takeOptions, text, wholeNumber } from "../../lib/options/shape.ts";
import type { Clock, Logger } from "../../lib/ports.ts";
import { DigestMd5Client, type SaslCredentials } from "../../lib/sasl/digest_md5.ts";
import { consoleLogger, nonce, systemClock } from "../system.ts";
import { TcpDialer } from "./dialer.ts";
import { unlocked } from "./private_key.ts";
import { CREDENTIALS } from "./sasl_shape.ts";
import { CONTEXT_SHAPE } from "./tls_shape.ts";

/** How to reach servers through TLS. The server's certificate must be valid for the name, or the address, in the connect string. */
export interface ClientTlsOptions
  extends Pick<SecureContextOptions, "ca" | "cert" | "key" | "passphrase" | "pfx" | "minVersion"> {
  /** The name that certificates must be valid for, where that is not the one in the connect string. */
  readonly servername?: string;
}

/** What {@link connect} may be told; everything is optional. */
export interface RemoteConnectOptions extends Omit<ConnectOptions, "chroot"> {
  /** Default: in the clear. `{}` for TLS with the system's certificate authorities. */
  readonly tls?: ClientTlsOptions;
  /** An identity to prove by SASL's DIGEST-MD5, before anything else is asked. */
  readonly sasl?: SaslCredentials;
  /** Longest reply that is taken, in bytes. Default 64 MiB. */
  readonly replyBytesMax?: number;
  /** Where log lines go; default standard error, warnings and errors only. */
  readonly logger?: Logger;
  /** What time it is; default the system's clocks. */
  readonly clock?: Clock;
}

const { chroot: _, ...CONNECT } = CONNECT_SHAPE; // it stands in the connect string
const { key, cert, ca, passphrase, pfx, minVersion } = CONTEXT_SHAPE;

const OPTIONS = objectOf<RemoteConnectOptions>(
  {
    ...CONNECT,
    tls: objectOf<ClientTlsOptions>(
      { key, cert, ca, passphrase, pfx, minVersion, servername: text('"zk.example.com"') },
      "{ ca }",
    ),
    sasl: CREDENTIALS,
    replyBytesMax: wholeNumber(1, 2 ** 31 - 1),
    logger: LOGGER,
    clock: CLOCK,
  },
  "{ sessionTimeoutMs: 10_000 }",
);

const REPLY_BYTES_MAX = 64 * 1024 * 1024;
/** Longest period of a timer. */
const FOREVER_MS = 2 ** 31 - 1;

/**
 * Opens a session with a ZooKeeper server, ours or Apache's, 3.4 or newer, and resolves once it is there. Servers are tried in random order, for as
 * long as it takes: give a `signal` to end that. The connect string may end in a path, under which everything then happens.
 *
 * @throws TypeError that names the option that is wrong; ZkError `BadArguments` for a connect string that is none; `AuthFailed` if the server refuses the credentials. An Error for keys or
 * certificates that can't be used
 *
 * @example
 * ```ts
 * import { connect } from "zookernel/tcp";
 *
 * await using zk = await connect("zk1:2181,zk2:2181,[fd00::3]:2181/app", { sessionTimeoutMs: 10_000 });
 * await zk.create("/hello", "world");
 * ```
 */
export async function connect(servers: string, options: RemoteConnectOptions = {}): Promise<ZooKeeper> {
  const { servers: addresses, chroot } = parseConnectString(servers);
  const { tls, sasl, ...taken } = takeOptions("connect", options, OPTIONS);
  // Keys and certificates that can't be used are told here, and not at each attempt.
  if (tls !== undefined) (await import("node:tls")).createSecureContext(await unlocked(tls));
  const logger = taken.logger ?? consoleLogger({ level: "warn" });
  const random = Math.random;
  const connector = new RemoteConnector({
    servers: addresses,
    dialer: new TcpDialer(tls ?? null),
    logger,
    random,
    replyBytesMax: taken.replyBytesMax ?? REPLY_BYTES_MAX,
  });
  const zk = new ZooKeeper({
    connector,
    clock: taken.clock ?? systemClock(),
    logger,
    random,
    sessionTimeoutMs: taken.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS,
    canBeReadOnly: taken.canBeReadOnly ?? false,
    chroot,
    sasl: sasl === undefined ? null : () => new DigestMd5Client(sasl, nonce()),
  });
  const alive = setInterval(() => {}, FOREVER_MS);
  zk.onState(({ state }) => {
    if (state === "expired" || state === "authFailed" || state === "closed") clearInterval(alive);
  });
  return await zk.start(taken.signal, taken.connectTimeoutMs);
}
