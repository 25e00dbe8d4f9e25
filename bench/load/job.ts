/**
 * Jobs of the load generator. Plain data: it travels as JSON on the command line of the generator's process.
 */

/** How long a measurement takes. */
export interface Times {
  /** Load without measuring, first: caches fill and compilers finish. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** Where to send the load, and whose CPU time and memory it costs. */
export interface Target extends Times {
  readonly port: number;
  /** Of an ensemble all members' ports, the leader's first; else that one. */
  readonly ports: readonly number[];
  /** Processes of the server, in the order of the ports, for their CPU time and memory. */
  readonly pids: readonly number[];
}

/** `createDelete` is two operations: a create, and the delete of what it made. */
export type RequestName = "getData" | "exists" | "getChildren" | "setData" | "createDelete" | "ping" | "sync";

/** Connections, to all members in turn, that each keep so many requests outstanding. */
export interface RequestsJob {
  readonly kind: "requests";
  readonly connections: number;
  readonly outstanding: number;
  /** Requests and their shares, which add up to 1. */
  readonly mix: Partial<Record<RequestName, number>>;
  /** Size of the data that is read or written. */
  readonly dataBytes: number;
}

/** Every watcher watches every node; a node is set again once all have heard of the last change and watch anew. */
export interface FanOutJob {
  readonly kind: "fanOut";
  readonly nodes: number;
  readonly watchers: number;
}

/** Connect, open a session, close it, disconnect; so many at a time. */
export interface ConnectsJob {
  readonly kind: "connects";
  readonly concurrent: number;
}

/** Opens sessions that do nothing but ping, and takes the server's memory before and after. */
export interface SessionsJob {
  readonly kind: "sessions";
  readonly sessions: number;
  readonly pingsPerSecond: number;
}

/** Creates znodes, 1,000 to a parent, and takes the server's memory before and after. */
export interface ZnodesJob {
  readonly kind: "znodes";
  readonly znodes: number;
  readonly dataBytes: number;
}

/** Reads one after another beside so many sets that the server writes snapshots, and takes the longest read. */
export interface BesideSnapshotsJob {
  readonly kind: "besideSnapshots";
  readonly seconds: number;
}

/** The leader of an ensemble is killed, and writes go on with another one. */
export interface FailOverJob {
  readonly kind: "failOver";
}

export type Job = FailOverJob | RequestsJob | FanOutJob | ConnectsJob | SessionsJob | ZnodesJob | BesideSnapshotsJob;
