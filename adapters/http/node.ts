/**
 * A port for a handler, on `node:http`, which all three runtimes have; and the bridge for a server of one's own.
 *
 * Not here: what is answered (handler.ts). Invariants: a request is bounded before memory is spent on it; after `close()` nothing is left open.
 */
import { createServer, type IncomingMessage, type Server as NodeServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { objectOf, takeOptions, text, wholeNumber } from "../../lib/options/shape.ts";
import type { HttpHandler } from "./handler.ts";

/** Options of {@link serveHttp}. */
export interface HttpPortOptions {
  /** An address or name of this machine. Default `127.0.0.1`: nobody else can ask. */
  readonly host?: string;
  /** Default 8080, as in ZooKeeper; 0 for any that is free. */
  readonly port?: number;
  /** How long a connection may be idle, milliseconds. Default 30,000. */
  readonly idleTimeoutMs?: number;
}

/** A port that serves a handler. */
export interface HttpPort extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Stops serving, and cuts what is open. May be called again. */
  close(): Promise<void>;
}

const DEFAULTS = { host: "127.0.0.1", port: 8080, idleTimeoutMs: 30_000 } as const;
const OPTIONS = objectOf<HttpPortOptions>(
  {
    host: text('"127.0.0.1"'),
    port: wholeNumber(0, 65_535),
    idleTimeoutMs: wholeNumber(1, 2 ** 31 - 1),
  },
  "{ port: 8080 }",
);

/**
 * Serves a handler on a port of its own.
 *
 * @throws TypeError for options that there aren't; Error where the port can't be bound
 *
 * @example
 * ```ts
 * await using http = await serveHttp(httpHandler(server), { port: 0 });
 * const response = await fetch(`http://127.0.0.1:${http.port}/livez`);
 * console.log(response.status); // 200
 * ```
 */
export async function serveHttp(handler: HttpHandler, options: HttpPortOptions = {}): Promise<HttpPort> {
  const { host, port, idleTimeoutMs } = { ...DEFAULTS, ...takeOptions("serve HTTP", options, OPTIONS) };
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: idleTimeoutMs }, nodeListener(handler));
  server.keepAliveTimeout = idleTimeoutMs;
  server.timeout = idleTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  server.on("error", () => {}); // one connection that can't be accepted ends nothing else
  const { port: bound } = server.address() as AddressInfo;
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => (closing ??= closed(server));
  return { host, port: bound, close, [Symbol.asyncDispose]: close };
}

const HEADER_BYTES_MAX = 16_384;

function closed(server: NodeServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/**
 * A handler as `node:http` wants it, for a server that exists already.
 *
 * @example
 * ```ts
 * const listener = nodeListener(httpHandler(server));
 * createServer(listener).listen(8080, "127.0.0.1");
 * ```
 */
export function nodeListener(handler: HttpHandler): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    respond(handler, request, response).catch(() => response.destroy());
  };
}

async function respond(handler: HttpHandler, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const request = requestOf(incoming);
  if (request === null) {
    response.writeHead(400, { "content-type": "text/plain" }).end("Bad request\n");
    return;
  }
  const { status, headers, body } = await handler(request);
  response.writeHead(status, Object.fromEntries(headers));
  if (body !== null) for await (const chunk of body) await written(response, chunk);
  response.end();
  incoming.resume(); // what nobody has read of it
}

/** null for one that `Request` doesn't take: a URL or a host that is none, TRACE. */
function requestOf(incoming: IncomingMessage): Request | null {
  const { url = "/", method = "GET", headers, rawHeaders } = incoming;
  const isEmpty = headers["content-length"] === undefined && headers["transfer-encoding"] === undefined;
  const body = method === "GET" || method === "HEAD" || isEmpty ? {} : { body: Readable.toWeb(incoming), duplex: "half" };
  const given = new Headers();
  try {
    for (let at = 0; at < rawHeaders.length; at += 2) given.append(rawHeaders[at]!, rawHeaders[at + 1]!);
    return new Request(new URL(url.startsWith("/") ? `http://${headers.host ?? "localhost"}${url}` : url), {
      method,
      headers: given,
      ...(body as RequestInit),
    });
  } catch {
    return null;
  }
}

function written(response: ServerResponse, chunk: Uint8Array): Promise<void> | undefined {
  if (response.write(chunk) || response.destroyed) return undefined;
  return new Promise((resolve) => {
    response.once("drain", resolve);
    response.once("close", resolve);
  });
}
