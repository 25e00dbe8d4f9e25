/** Where and how to listen, and what every listener says of it. */
import type { SecureContextOptions } from "node:tls";
import { anyNumber, flag, having, objectOf, oneOf, takeOptions, text } from "../../lib/options/shape.ts";
import type { Logger } from "../../lib/ports.ts";
import { CONTEXT_SHAPE } from "./tls_shape.ts";

/** Where to listen, and how. */
export interface TcpOptions {
  /**
   * Address or name to bind. Unless told, both loopback addresses, `127.0.0.1` and `::1` where the machine has it, with one port number: a server is
   * not reachable from elsewhere by accident.
   */
  readonly host?: string;
  /** Port, 0–65535; 0 lets the system choose one, see {@link ListenAddress}. */
  readonly port: number;
  /** Connections that may wait to be accepted. 1,024 unless told; Bun always takes 512, and the system may cap it. */
  readonly backlog?: number;
  /** Asks the system to probe idle peers (SO_KEEPALIVE). Off unless told: sessions have their own pings. */
  readonly keepAlive?: boolean;
  /** Serves TLS. Default: in the clear. */
  readonly tls?: ServerTlsOptions;
  /** Hears of connections that the system could not hand over, such as when file descriptors run out. */
  readonly logger?: Pick<Logger, "warn">;
}

/** How to serve TLS: what `node:tls` takes, and what is asked of clients. */
export interface ServerTlsOptions
  extends Pick<SecureContextOptions, "key" | "cert" | "ca" | "passphrase" | "pfx" | "minVersion" | "maxVersion" | "ciphers"> {
  /**
   * Whether clients must show a certificate that one of `ca` has signed: `need`, the default, refuses those without; `want` takes them as nobody in
   * particular; `none` asks for none. Its subject is an identity of scheme `x509`.
   */
  readonly clientAuth?: "need" | "want" | "none";
  /** Whether clients in the clear are served on the same port, too. Default false. */
  readonly unified?: boolean;
}

/** The same, complete but for TLS, which is a listener of its own. */
export type CompleteTcpOptions = Required<Omit<TcpOptions, "tls">>;

const TLS = objectOf<ServerTlsOptions>(
  {
    ...CONTEXT_SHAPE,
    clientAuth: oneOf(["need", "want", "none"]),
    unified: flag,
  },
  "{ key, cert, ca }",
);

const OPTIONS = objectOf<TcpOptions>(
  {
    host: text('"127.0.0.1"'),
    port: anyNumber,
    backlog: anyNumber,
    keepAlive: flag,
    tls: TLS,
    logger: having(["warn"], "console"),
  },
  "{ port: 2181 }",
  ["port"],
);

/** What `tcp()` was told; `isLoopback`: it names no address. */
export interface TakenTcp {
  readonly where: CompleteTcpOptions;
  readonly tls: ServerTlsOptions | undefined;
  readonly isLoopback: boolean;
}

/** Options of `tcp()`. @throws TypeError for an option that isn't one; RangeError for a port or backlog that can't be */
export function takeTcp(given: unknown): TakenTcp {
  const { tls, ...options } = takeOptions("use tcp()", given, OPTIONS);
  if (tls !== undefined) checkKeyPair(tls);
  return { where: completed(options), tls, isLoopback: options.host === undefined };
}

/** @throws TypeError where there is nothing by which a server could prove itself */
export function checkKeyPair({ key, cert, pfx }: Pick<ServerTlsOptions, "key" | "cert" | "pfx">): void {
  if (pfx === undefined && (key === undefined || cert === undefined))
    throw new TypeError("tcp(): tls needs a key and a certificate (key and cert, or pfx)");
}

/** @throws RangeError for a port or backlog that can't be */
export function completed(options: TcpOptions): CompleteTcpOptions {
  const { host = "127.0.0.1", port, backlog = 1024, keepAlive = false, logger = { warn() {} } } = options;
  checkRange("port", port, 0, 65_535);
  checkRange("backlog", backlog, 1, 2 ** 31 - 1);
  return { host, port, backlog, keepAlive, logger };
}

function checkRange(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`tcp(): ${name} must be a whole number from ${least} to ${most}, not ${value}`);
  }
}

const NEXT_STEPS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process listens there; stop it, or choose another port (0 lets the system choose)",
  EACCES: "this user may not bind that port; choose one above 1023",
  EADDRNOTAVAIL: "no interface of this machine has that address; use 127.0.0.1, 0.0.0.0 or one of its own",
  ENOTFOUND: "the name is unknown; use an address of this machine",
};

/** The system's error with what was wanted and what to do about it; `code` stays as it was. */
export function listenError(cause: NodeJS.ErrnoException, where: string): Error {
  const code = cause.code ?? "";
  const reason = NEXT_STEPS[code] ?? cause.message;
  return Object.assign(new Error(`Cannot listen on ${where}: ${reason}`, { cause }), { code });
}

export function named(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An IPv4 peer of a dual-stack socket, by its own address: `::ffff:10.0.0.7` → `10.0.0.7`. */
export function unmapped(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice("::ffff:".length) : address;
}
