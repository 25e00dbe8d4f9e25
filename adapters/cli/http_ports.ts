/**
 * HTTP ports of a server that was started with a zoo.cfg: ZooKeeper's admin server, and the one of its Prometheus provider.
 *
 * Not here: what they answer (adapters/http). Invariant: a port that can't be bound is told in the log, and keeps nobody from being served.
 */
import type { Logger } from "../../lib/ports.ts";
import type { Server } from "../../mod.ts";
import { type HttpHandler, type HttpPort, type HttpPortOptions, httpHandler, serveHttp } from "../http/mod.ts";
import type { HttpPlan } from "./open_settings.ts";

export class HttpPorts {
  readonly #ports: HttpPort[] = [];
  readonly #logger: Logger;

  private constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param server the one to tell of; null while it reads its data */
  static async start(
    plan: HttpPlan,
    server: () => Server | null,
    initialConfiguration: string,
    logger: Logger,
  ): Promise<HttpPorts> {
    const ports = new HttpPorts(logger);
    const { admin, metrics } = plan;
    const commandUrl = admin?.commandUrl;
    const handler = httpHandler(server, {
      initialConfiguration: withoutSecrets(initialConfiguration),
      ...(commandUrl !== undefined && { commandUrl }),
    });
    if (admin !== null) await ports.#serve("the admin commands, health and metrics", handler, admin.port);
    if (metrics !== null) await ports.#serve("metrics", metricsAlone(handler), metrics);
    return ports;
  }

  async #serve(what: string, handler: HttpHandler, options: HttpPortOptions): Promise<void> {
    try {
      const port = await serveHttp(handler, options);
      this.#ports.push(port);
      const host = port.host.includes(":") ? `[${port.host}]` : port.host;
      this.#logger.info(`Serving ${what} on http://${host}:${port.port}`);
    } catch (error) {
      this.#logger.error(`Cannot serve ${what} on port ${options.port}: ${(error as Error).message}`);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#ports.map((port) => port.close()));
  }
}

/** Whoever may scrape may not ask for more. */
function metricsAlone(handler: HttpHandler): HttpHandler {
  return async (request) => {
    if (new URL(request.url).pathname === "/metrics") return await handler(request);
    return new Response("Not found: /metrics is here\n", { status: 404 });
  };
}

/** Keys whose values nobody else may read. */
const SECRET = /(password|superdigest|secret)$/i;

/** The text of a zoo.cfg with stars in place of secrets, those that go on in further lines included. */
export function withoutSecrets(text: string): string {
  let isSecret = false;
  let goesOn = false;
  const shown: string[] = [];
  for (const line of text.split("\n")) {
    const key = /^\s*([^\s=:]*)/.exec(line)![1]!;
    const isContinued = goesOn;
    if (!isContinued) isSecret = SECRET.test(key);
    goesOn = /\\\r?$/.test(line);
    if (!isSecret) shown.push(line);
    else if (!isContinued) shown.push(`${key}=***`);
  }
  return shown.join("\n");
}
