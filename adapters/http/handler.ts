/**
 * The HTTP side of a server as one function from `Request` to `Response`: ZooKeeper's admin commands, health, metrics.
 *
 * Not here: a port (node.ts), what the commands answer (commands.ts). Invariants: a request changes nothing unless `authorise` lets it; an answer
 * never holds a secret; whatever is asked gets an answer.
 */
import { argumentError, describe } from "../../lib/base/validate.ts";
import { callback, objectOf, takeOptions, text } from "../../lib/options/shape.ts";
import type { ServerControl } from "../../lib/report/report.ts";
import { Server } from "../../lib/server/server.ts";
import { SnapshotError } from "../../lib/store/storage_error.ts";
import { changesSomething, commandAnswer, commandNames, commandOfBytes } from "./commands.ts";
import { type Json, jsonText } from "./json.ts";
import { METRICS_TYPE, metricsText, serverMetrics, single } from "./metrics.ts";
import { LoopDelay, runtimeMetrics } from "./runtime.ts";

/** Options of {@link httpHandler}. */
export interface HttpOptions {
  /** Where everything stands, such as `/zookeeper` in a larger application. Default: the root. */
  readonly base?: string;
  /** Where the admin commands stand below it. Default `/commands`. */
  readonly commandUrl?: string;
  /**
   * Whether a request that changes something is let through, such as `stat_reset`. Default: none is. Headers that say for whom somebody asks are
   * no proof of anything: look at `Authorization`.
   */
  readonly authorise?: (request: Request) => boolean | Promise<boolean>;
  /** The configuration's text, for the command `initial_configuration`. Must hold no secrets. */
  readonly initialConfiguration?: string;
}

/** The function that {@link httpHandler} makes. */
export type HttpHandler = (request: Request) => Promise<Response>;

/** A server, or a function that says which one there is: null while it starts. */
export type ServerSource = Server | (() => Server | null);

const OPTIONS = objectOf<HttpOptions>(
  {
    base: text('"/zookeeper"'),
    commandUrl: text('"/commands"'),
    authorise: callback('(request) => request.headers.get("authorization") === "Bearer …"'),
    initialConfiguration: text('"tickTime=2000"'),
  },
  '{ base: "/zookeeper" }',
);

/**
 * Serves over HTTP what a server tells of itself. The function fits `Bun.serve`, `Deno.serve`, Hono and other frameworks; {@link serveHttp} and
 * {@link nodeListener} are for Node.
 *
 * | path | |
 * |---|---|
 * | `/commands`, `/commands/<name>` | the admin commands of ZooKeeper 3.8, as JSON |
 * | `/livez` | 200, unless a restart would help: the server has stopped |
 * | `/readyz` | 200 while it serves reads and writes, else 503 with the reason |
 * | `/metrics` | for Prometheus |
 *
 * @throws TypeError for options that there aren't
 *
 * @example
 * ```ts
 * const handle = httpHandler(server);
 * const response = await handle(new Request("http://localhost/readyz"));
 * console.log(await response.text()); // {"ready":true,"mode":"standalone"}
 * ```
 */
export function httpHandler(server: ServerSource, options: HttpOptions = {}): HttpHandler {
  if (!(server instanceof Server) && typeof server !== "function")
    throw argumentError("make an HTTP handler", `server must be one that open() gives, not ${describe(server)}`);
  const routes = new Routes(server, takeOptions("make an HTTP handler", options, OPTIONS));
  // What `authorise` throws is its author's to log, and nothing for whoever asks.
  return (request) => routes.answer(request).catch(() => json(500, { error: "The request could not be answered" }));
}

class Routes {
  readonly #source: () => Server | null;
  readonly #options: HttpOptions;
  readonly #base: string;
  readonly #commandUrl: string;
  readonly #delay = new LoopDelay();
  /** Servers that are known to have ended, each with the reason. */
  readonly #ended = new WeakMap<Server, { readonly failure: unknown }>();
  readonly #watched = new WeakSet<Server>();

  constructor(source: ServerSource, options: HttpOptions) {
    this.#source = source instanceof Server ? () => source : source;
    this.#options = options;
    this.#base = withoutEndSlash(options.base ?? "");
    this.#commandUrl = `${this.#base}${withoutEndSlash(options.commandUrl ?? "/commands")}`;
  }

  async answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const route = this.#route(pathname);
    if (route === null) return json(404, { error: "Not found", see: [this.#commandUrl, ...this.#healthPaths()] });
    const isRestore = request.method === "POST" && /\/rest(ore)?$/.test(pathname);
    if (request.method !== "GET" && request.method !== "HEAD" && !isRestore)
      return json(405, { error: `${request.method} is not supported; GET is` }, { allow: "GET, HEAD" });
    const response = await route(request, searchParams);
    return request.method === "GET" || isRestore
      ? response
      : new Response(null, { status: response.status, headers: response.headers });
  }

  #healthPaths(): readonly string[] {
    return ["/livez", "/readyz", "/metrics"].map((path) => `${this.#base}${path}`);
  }

  #route(pathname: string): ((request: Request, query: URLSearchParams) => Response | Promise<Response>) | null {
    if (pathname === this.#commandUrl || pathname === `${this.#commandUrl}/`) return () => this.#commandList();
    if (pathname.startsWith(`${this.#commandUrl}/`)) {
      const name = decoded(pathname.slice(this.#commandUrl.length + 1));
      return (request, query) => this.#command(name, request, query);
    }
    if (pathname === `${this.#base}/livez`) return () => this.#live();
    if (pathname === `${this.#base}/readyz`) return () => this.#ready();
    if (pathname === `${this.#base}/metrics`) return () => this.#metrics();
    return null;
  }

  /** The server if it is there and has not ended. */
  #server(): Server | null {
    const server = this.#source();
    if (server === null) return null;
    if (!this.#watched.has(server)) {
      this.#watched.add(server);
      void server.closed.then((failure) => this.#ended.set(server, { failure }));
    }
    return server;
  }

  // ── health ──

  async #live(): Promise<Response> {
    const ended = await this.#endOf(this.#server());
    if (ended === undefined) return json(200, { live: true });
    return json(503, {
      live: false,
      reason: ended.failure === null ? "the server is closed" : `the server has stopped: ${ended.failure}`,
    });
  }

  async #ready(): Promise<Response> {
    const server = this.#server();
    const reason = await this.#reasonNotReady(server);
    if (reason === null) return json(200, { ready: true, mode: server?.mode ?? null });
    return json(503, { ready: false, mode: server?.mode ?? null, reason });
  }

  async #reasonNotReady(server: Server | null): Promise<string | null> {
    if (server === null) return "the server is starting: it reads its data";
    if ((await this.#endOf(server)) !== undefined) return "the server is closed";
    if (server.mode === null) return "no leader is known: the member looks for one, or catches up with it";
    return server.mode === "read-only" ? "the member is cut off from the others, and serves reads alone" : null;
  }

  async #endOf(server: Server | null): Promise<{ readonly failure: unknown } | undefined> {
    if (server === null) return undefined;
    await Promise.resolve(); // a server that has closed already says so in a microtask
    await Promise.resolve();
    return this.#ended.get(server);
  }

  // ── figures ──

  async #metrics(): Promise<Response> {
    const server = this.#server();
    const isReady = server !== null && server.mode !== null && server.mode !== "read-only";
    const ready = single("zookernel_ready", "gauge", isReady ? 1 : 0, "Whether reads and writes are served: 1 or 0.");
    const own = server === null ? [] : serverMetrics(await server.report());
    const body = metricsText([...own, ready, ...runtimeMetrics(this.#delay)]);
    return new Response(body, { headers: { ...HEADERS, "content-type": METRICS_TYPE } });
  }

  // ── commands ──

  async #commandList(): Promise<Response> {
    const report = await this.#server()?.report();
    const body = commandNames(report?.compat ?? "3.8")
      .map((name) => `<a href="${this.#commandUrl}/${name}">${name}</a>\n<br/>\n`)
      .join("");
    return new Response(body, { headers: { ...HEADERS, "content-type": "text/html; charset=utf-8" } });
  }

  async #command(name: string, request: Request, query: URLSearchParams): Promise<Response> {
    const server = this.#server();
    const report: ServerControl | null = server === null ? null : await server.report();
    const ofBytes = commandOfBytes(name, report?.compat ?? "3.8");
    if (changesSomething(name) || ofBytes !== null) {
      const refusal = await this.#refusal(name, request);
      if (refusal !== null) return refusal;
    }
    if (server !== null && ofBytes === "snapshot") return await snapshotOf(server);
    if (server !== null && ofBytes === "restore") return await restored(server, request);
    if (request.method === "POST") return json(405, { error: "POST is not supported; GET is" }, { allow: "GET, HEAD" });
    const { initialConfiguration = null } = this.#options;
    return commandResponse(200, commandAnswer(name, report, { query, initialConfiguration }));
  }

  async #refusal(name: string, request: Request): Promise<Response | null> {
    if (!isFromHere(request)) return json(403, { command: name, error: "A page of another origin can't ask for it" });
    if ((await this.#options.authorise?.(request)) ?? false) return null;
    return json(403, { command: name, error: "It takes the handler's option `authorise` to allow it" });
  }
}

function commandResponse(status: number, fields: Readonly<Record<string, Json>>): Response {
  return new Response(jsonText(fields), { status, headers: { ...HEADERS, "content-type": "application/json" } });
}

async function snapshotOf(server: Server): Promise<Response> {
  const { snapshotStream } = await import("./backup.ts");
  const { lastZxid, stream } = snapshotStream(server);
  const type = { "content-type": "application/octet-stream", last_zxid: `0x${lastZxid.toString(16)}` };
  return new Response(stream, { headers: { ...HEADERS, ...type } });
}

async function restored(server: Server, { method, body }: Request): Promise<Response> {
  const command = "restore";
  if (method !== "POST" || body === null)
    return json(405, { command, error: "It takes a POST with a snapshot" }, { allow: "POST" });
  const { restoreFrom } = await import("./backup.ts");
  try {
    const lastZxid = await restoreFrom(server, body as unknown as AsyncIterable<Uint8Array>);
    return commandResponse(200, { last_zxid: `0x${lastZxid.toString(16)}`, command, error: null });
  } catch (error) {
    const status = error instanceof SnapshotError ? 400 : 409;
    return commandResponse(status, { command, error: (error as Error).message });
  }
}

/** No cache keeps figures, and no page shows them as something else. */
const HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

function json(status: number, value: object, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { ...HEADERS, "content-type": "application/json", ...headers },
  });
}

/** Browsers say where the page that asks comes from. */
function isFromHere(request: Request): boolean {
  const origin = request.headers.get("origin");
  return origin === null || origin === new URL(request.url).origin;
}

function withoutEndSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}

/** A name that can't be decoded stays as it is: there is no such command. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
