/** `zookernel/http`: a server's admin commands, health and metrics over HTTP. */

export { type HttpHandler, type HttpOptions, httpHandler, type ServerSource } from "./handler.ts";
export { type HttpPort, type HttpPortOptions, nodeListener, serveHttp } from "./node.ts";
