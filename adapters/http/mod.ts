/** `zookernel/http`: a server's admin commands, health and metrics over HTTP, and observers for diagnostics channels and OpenTelemetry. */

export { auditObserver } from "./audit.ts";
export { type HttpHandler, type HttpOptions, httpHandler, type ServerSource } from "./handler.ts";
export { type HttpPort, type HttpPortOptions, nodeListener, serveHttp } from "./node.ts";
export { diagnosticsObserver, type MeterLike, type TracerLike, telemetryObserver } from "./observers.ts";
