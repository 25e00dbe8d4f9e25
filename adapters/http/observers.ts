/**
 * Observers for what runs beside a server: Node's diagnostics channels, and OpenTelemetry's metrics and traces.
 *
 * Not here: what is told (lib/report/observer.ts). OpenTelemetry itself isn't imported: whatever has its form will do.
 */
import { channel } from "node:diagnostics_channel";
import { argumentError, describe } from "../../lib/base/validate.ts";
import type { ServerObserver } from "../../lib/report/observer.ts";

const NAMES = ["request", "txn", "session", "connection", "role", "sync"] as const;

/**
 * Publishes each event on a channel of its own: `zookernel:request`, `zookernel:txn`, `zookernel:session`, `zookernel:connection`, `zookernel:role`,
 * `zookernel:sync`. A channel that nobody has subscribed to costs a comparison.
 *
 * @example
 * ```ts
 * subscribe("zookernel:request", (event) => console.log(event));
 * const server = await open({ observer: diagnosticsObserver() });
 * ```
 */
export function diagnosticsObserver(): ServerObserver {
  const publishers = NAMES.map((name) => {
    const events = channel(`zookernel:${name}`);
    const publish = (event: unknown): void => {
      if (events.hasSubscribers) events.publish(event);
    };
    return [name, publish] as const;
  });
  return Object.fromEntries(publishers) as ServerObserver;
}

type Attributes = Record<string, string | number | boolean>;

/** What is needed of an OpenTelemetry meter. */
export interface MeterLike {
  createCounter(name: string, options?: object): { add(value: number, attributes?: Attributes): void };
  createHistogram(name: string, options?: object): { record(value: number, attributes?: Attributes): void };
}

/** What is needed of an OpenTelemetry tracer. */
export interface TracerLike {
  startSpan(
    name: string,
    options?: object,
  ): { setStatus(status: { code: number; message?: string }): unknown; end(time?: number): void };
}

/** OpenTelemetry's code for what has failed. */
const STATUS_ERROR = 2;

/**
 * Counts and measures by an OpenTelemetry meter, and makes a span of each request by a tracer, if there is one.
 *
 * @throws TypeError for what is no meter
 *
 * @example
 * ```ts
 * const observer = telemetryObserver(metrics.getMeter("zookernel"), trace.getTracer("zookernel"));
 * const server = await open({ observer });
 * ```
 */
export function telemetryObserver(meter: MeterLike, tracer: TracerLike | null = null): ServerObserver {
  if (typeof meter?.createCounter !== "function" || typeof meter.createHistogram !== "function")
    throw argumentError("make a telemetryObserver", `it takes a meter of OpenTelemetry, not ${describe(meter)}`);
  const requests = meter.createHistogram("zookernel.request.duration", {
    unit: "ms",
    description: "From a request to its answer",
  });
  const syncs = meter.createHistogram("zookernel.sync.duration", {
    unit: "ms",
    description: "From a txn to its being on disk",
  });
  const txns = meter.createCounter("zookernel.txns", { description: "Txns that went to the log" });
  const sessions = meter.createCounter("zookernel.sessions", { description: "Sessions, by what happened to them" });
  const connections = meter.createCounter("zookernel.connections", { description: "Connections that came and went" });
  return {
    request: ({ op, path, code, durationMs }) => {
      requests.record(durationMs, { op, code });
      if (tracer === null) return;
      const attributes = { "zookeeper.op": op, "zookeeper.code": code, ...(path !== null && { "zookeeper.path": path }) };
      const now = Date.now();
      const span = tracer.startSpan(`zookeeper ${op}`, { startTime: now - durationMs, attributes });
      if (code !== "Ok") span.setStatus({ code: STATUS_ERROR, message: code });
      span.end(now);
    },
    txn: ({ kind }) => txns.add(1, { kind }),
    session: ({ what }) => sessions.add(1, { what }),
    connection: ({ what }) => connections.add(1, { what }),
    sync: ({ durationMs }) => syncs.record(durationMs),
  };
}
