/**
 * The rows of the benchmark, as data: what is measured, on what, and which goal it stands for.
 *
 * A new row is a new entry here; only a new way of measuring needs code (measure.ts).
 */

import type { Content } from "./directories.ts";
import { GOALS, type Goal } from "./goals.ts";
import type { Job, RequestsJob } from "./load/job.ts";
import type { ShownMetric } from "./metrics.ts";

/** How a row's figures come about. */
export type Measurement =
  /** A job of the load generator against servers that live on: compilers are warm. `members`: each is an ensemble. */
  | { readonly kind: "load"; readonly job: Job; readonly members?: 3 }
  /** A job against a server just started for it, which ends after it: for figures that depend on what was there before. */
  | { readonly kind: "freshLoad"; readonly job: Job; readonly members?: 3 }
  /** The start of a server's process. */
  | { readonly kind: "start" }
  | Recovery
  /** The server in the process of its user, without a network: there is no Apache to compare with. */
  | { readonly kind: "local"; readonly work: LocalWork };

/** The start of a server on a directory that holds much already; and a job that it does then, which a snapshot is to interrupt. */
export interface Recovery {
  readonly kind: "recovery";
  readonly content: Content;
  readonly snapCount: number;
  readonly job: Job | null;
}

export type LocalWork = "get" | "set" | "createDelete" | "watch" | "open" | "openWithPort";

export interface Row {
  /** `group/shape`: what `--only` looks at. */
  readonly id: string;
  readonly shape: string;
  readonly measurement: Measurement;
  readonly goals: readonly Goal[];
  /** Part of `--quick`. */
  readonly quick: boolean;
}

/** Rows that share a heading and columns. */
export interface Group {
  readonly id: string;
  readonly title: string;
  readonly columns: readonly ShownMetric[];
  readonly rows: readonly Row[];
}

export interface Sizes {
  /** Idle sessions. */
  readonly sessions: number;
  readonly znodes: number;
  /** Znodes in a log or snapshot that is recovered. */
  readonly recovered: number;
}

const LOAD_COLUMNS: readonly ShownMetric[] = ["perSecond", "cpuUs", "p50Ms", "p99Ms"];

/** Connections × outstanding requests on each. */
const SHAPES = ["1×1", "8×1", "32×1", "64×1", "1×16", "8×16", "32×16"] as const;
type Shape = (typeof SHAPES)[number];
const PIPELINED: readonly Shape[] = ["8×16", "32×16"];
const QUICK: readonly Shape[] = ["1×1", "32×16"];

export function groups(sizes: Sizes): readonly Group[] {
  return [
    ...requestGroups(),
    fanOutGroup(),
    connectGroup(),
    startGroup(),
    sessionGroup(sizes),
    znodeGroup(sizes),
    recoveryGroup(sizes),
    snapshotGroup(sizes),
    ensembleGroup(),
    failOverGroup(),
    localGroup(),
    openGroup(),
  ];
}

function requestGroups(): readonly Group[] {
  const reads = (pipelined: readonly Goal[]): Goals => ({ "64×1": GOALS.unpipelinedReads, ...both(pipelined) });
  const sets = (pipelined: readonly Goal[]): Goals => ({
    "1×1": GOALS.durableSetOneClient,
    "64×1": GOALS.durableSet64Clients,
    ...both(pipelined),
  });
  return [
    requests("get", "getData, 1,000 bytes", { mix: { getData: 1 }, dataBytes: 1000 }, reads(GOALS.pipelinedGetData)),
    requests("exists", "exists", { mix: { exists: 1 }, dataBytes: 100 }, reads(GOALS.pipelinedSmall)),
    requests("children", "getChildren, 100 names", { mix: { getChildren: 1 }, dataBytes: 100 }, both(GOALS.getChildren)),
    requests("set", "setData, 100 bytes", { mix: { setData: 1 }, dataBytes: 100 }, sets(GOALS.durableSet100)),
    requests("set1k", "setData, 1,000 bytes", { mix: { setData: 1 }, dataBytes: 1000 }, sets(GOALS.durableSet1000)),
    requests(
      "create",
      "create and delete, 100 bytes, counted singly",
      { mix: { createDelete: 1 }, dataBytes: 100 },
      both(GOALS.createDelete),
    ),
    requests(
      "mix90",
      "90 % getData, 10 % setData, 1,000 bytes",
      { mix: { getData: 0.9, setData: 0.1 }, dataBytes: 1000 },
      both(GOALS.mixed90),
    ),
    requests(
      "mix70",
      "70 % getData, 30 % setData, 1,000 bytes",
      { mix: { getData: 0.7, setData: 0.3 }, dataBytes: 1000 },
      both(GOALS.mixed70),
    ),
    requests("ping", "ping", { mix: { ping: 1 }, dataBytes: 100 }, both(GOALS.pipelinedSmall), PIPELINED),
    requests("sync", "sync", { mix: { sync: 1 }, dataBytes: 100 }, both(GOALS.pipelinedSmall), PIPELINED),
  ];
}

type Goals = Partial<Record<Shape, readonly Goal[]>>;

/** Goals that speak of pipelined requests hold for many connections; a single one is bound by its own round trips. */
function both(goals: readonly Goal[]): Goals {
  return Object.fromEntries(PIPELINED.map((shape) => [shape, goals]));
}

function requests(
  id: string,
  title: string,
  work: Pick<RequestsJob, "mix" | "dataBytes">,
  goals: Goals,
  shapes: readonly Shape[] = SHAPES,
): Group {
  const rows = shapes.map((shape): Row => {
    const [connections, outstanding] = shape.split("×").map(Number) as [number, number];
    const job: Job = { kind: "requests", connections, outstanding, ...work };
    const measurement: Measurement = { kind: "load", job };
    return { id: `${id}/${shape}`, shape, measurement, goals: goals[shape] ?? [], quick: QUICK.includes(shape) };
  });
  return { id, title, columns: LOAD_COLUMNS, rows };
}

function fanOutGroup(): Group {
  const row = (nodes: number, watchers: number): Row => ({
    id: `watch/${nodes}×${watchers}`,
    shape: `${nodes}×${watchers}`,
    measurement: { kind: "load", job: { kind: "fanOut", nodes, watchers } },
    goals: GOALS.fanOut,
    quick: nodes > 1,
  });
  const title = "watch fan-out, nodes × watchers; an operation is an event and the read that watches again";
  return { id: "watch", title, columns: LOAD_COLUMNS, rows: [row(1, 100), row(10, 100)] };
}

function connectGroup(): Group {
  const row: Row = {
    id: "connect/16",
    shape: "16",
    measurement: { kind: "load", job: { kind: "connects", concurrent: 16 } },
    goals: GOALS.connects,
    quick: true,
  };
  const title = "connect, open a session, close it, disconnect; so many at a time";
  return { id: "connect", title, columns: LOAD_COLUMNS, rows: [row] };
}

function startGroup(): Group {
  const row: Row = { id: "start/idle", shape: "idle", measurement: { kind: "start" }, goals: GOALS.start, quick: true };
  const title = "process start to first answer on an empty data directory, and memory then";
  return { id: "start", title, columns: ["wallMs", "cpuMs", "residentBytes"], rows: [row] };
}

function sessionGroup({ sessions }: Sizes): Group {
  const row: Row = {
    id: "sessions/idle",
    shape: `${sessions}`,
    // Every session pings once in two seconds or so: often enough to measure, never two at once on a connection.
    measurement: { kind: "freshLoad", job: { kind: "sessions", sessions, pingsPerSecond: Math.min(sessions, 4000) } },
    goals: GOALS.idleSession,
    quick: true,
  };
  const title = "idle sessions: memory for each, and CPU time of a lone ping";
  return { id: "sessions", title, columns: ["bytesEach", "cpuUs", "p50Ms", "p99Ms"], rows: [row] };
}

function znodeGroup({ znodes }: Sizes): Group {
  const row: Row = {
    id: "znodes/small",
    shape: `${znodes}`,
    measurement: { kind: "freshLoad", job: { kind: "znodes", znodes, dataBytes: 16 } },
    goals: GOALS.znode,
    quick: true,
  };
  const title = "znodes of 16 bytes: memory for each, and what creating them took";
  return { id: "znodes", title, columns: ["bytesEach", "perSecond", "cpuUs"], rows: [row] };
}

function recoveryGroup({ recovered }: Sizes): Group {
  const row = (content: Content, goals: readonly Goal[]): Row => ({
    id: `recovery/${content}`,
    shape: content,
    // So many txns that none of the servers writes a snapshot because of them.
    measurement: { kind: "recovery", content, snapCount: 1_000_000_000, job: null },
    goals,
    quick: true,
  });
  const title = `process start to first answer on ${recovered} znodes, from a log of their creations or a snapshot; and memory for each`;
  const rows = [row("log", GOALS.recoverLog), row("snapshot", GOALS.recoverSnapshot)];
  return { id: "recovery", title, columns: ["wallMs", "cpuMs", "bytesEach"], rows };
}

function snapshotGroup({ recovered }: Sizes): Group {
  const row: Row = {
    id: "snapshot/reads",
    shape: `${recovered}`,
    measurement: { kind: "recovery", content: "snapshot", snapCount: 10_000, job: { kind: "besideSnapshots", seconds: 10 } },
    goals: GOALS.readsBesideSnapshot,
    quick: true,
  };
  const title = "one reader while 32 sets are outstanding and snapshots of so many znodes are written: its reads";
  return { id: "snapshot", title, columns: ["maxMs", "p99Ms", "perSecond"], rows: [row] };
}

function ensembleGroup(): Group {
  const row = (name: string, shape: string, work: Pick<RequestsJob, "mix" | "dataBytes">, goals: readonly Goal[]): Row => ({
    id: `three/${name}`,
    shape,
    measurement: { kind: "load", members: 3, job: { kind: "requests", connections: 32, outstanding: 16, ...work } },
    goals,
    quick: true,
  });
  const rows = [
    row("get", "getData, 1,000 bytes", { mix: { getData: 1 }, dataBytes: 1000 }, GOALS.threeGet),
    row("set", "setData, 100 bytes", { mix: { setData: 1 }, dataBytes: 100 }, GOALS.threeSet100),
    row("set1k", "setData, 1,000 bytes", { mix: { setData: 1 }, dataBytes: 1000 }, GOALS.threeSet1000),
  ];
  return {
    id: "three",
    title: "an ensemble of three, 32×16 spread over all; CPU time is that of all three",
    columns: LOAD_COLUMNS,
    rows,
  };
}

function failOverGroup(): Group {
  const row: Row = {
    id: "failover/three",
    shape: "three",
    measurement: { kind: "freshLoad", members: 3, job: { kind: "failOver" } },
    goals: GOALS.failOver,
    quick: true,
  };
  const title = "the leader of three is killed under load: until another one's client has written";
  return { id: "failover", title, columns: ["wallMs"], rows: [row] };
}

function localGroup(): Group {
  const rows = [
    localRow("get", "getData, 1,000 bytes", GOALS.localGet),
    localRow("set", "setData, 100 bytes", GOALS.localSet),
    localRow("createDelete", "create and delete, counted singly", GOALS.localCreate),
    localRow("watch", "getData that watches, setData that fires, counted once", []),
  ];
  return { id: "local", title: "in process, every call awaited", columns: ["perSecond", "perCpuSecond"], rows };
}

function openGroup(): Group {
  const rows = [localRow("open", "no port", GOALS.open), localRow("openWithPort", "with a port", GOALS.openWithPort)];
  const title = "in a running process, from open() to the first node created";
  return { id: "open", title, columns: ["wallMs", "p99Ms", "firstMs"], rows };
}

function localRow(work: LocalWork, shape: string, goals: readonly Goal[]): Row {
  return { id: `local/${work}`, shape, measurement: { kind: "local", work }, goals, quick: true };
}
