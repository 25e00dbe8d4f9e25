/**
 * The servers that the client's conformance suite runs on: ours in this process without and with a socket between, and Apache ZooKeeper.
 */
import { connect, tcp } from "../../../adapters/tcp/mod.ts";
import { type Compat, open } from "../../../mod.ts";
import { findJavaZooKeeper } from "../../support/peers.ts";
import { startServer } from "../../support/server_process.ts";
import type { Target } from "./suite.ts";

export interface TargetKind {
  readonly name: string;
  /** Why it can't be had on this machine; false if it can. */
  readonly skip: string | false;
  start(): Promise<Target>;
  /** Cases that it can't pass, as "verb: case", and why. */
  readonly exceptions: Readonly<Record<string, string>>;
}

/** Short, so that sessions that are left to themselves end soon. */
const TICK_MS = 200;

const local: TargetKind = {
  name: "local: our server, no socket",
  skip: false,
  exceptions: {},
  async start() {
    const server = await open({ tickTimeMs: TICK_MS });
    return { connect: (options) => server.connect(options), stop: () => server.close() };
  },
};

const SINCE_3_5 = "3.4 has no containers, znodes with a time to live, create2 and configuration";
const SINCE_3_6 = "3.4 has no addWatch, removeWatches, getEphemerals, getAllChildrenNumber and whoAmI";
const NOT_IN_3_4: TargetKind["exceptions"] = {
  "create: of a container, and of a znode with a time to live": SINCE_3_5,
  "create: with a time to live that doesn't fit its mode is refused": SINCE_3_5,
  "create: with Stat tells the new znode's": SINCE_3_5,
  "getData: of the configuration is not below the chroot": SINCE_3_5,
  "session: has seen the zxid of what it wrote": SINCE_3_5,
  "transaction: creates every kind of znode": SINCE_3_5,
  "getChildren: in all numbers counts at every depth": SINCE_3_6,
  "identity: whoAmI tells what was proved, and no secret": SINCE_3_6,
  "tree: getEphemerals tells the session's own, without the chroot": SINCE_3_6,
  "watch: persistent: hears of the znode and its list of children, again and again": SINCE_3_6,
  "watch: persistent and recursive: hears of everything below, and of no list of children": SINCE_3_6,
  "watch: on the root": SINCE_3_6,
  "watch: as a stream gives events in order, and ends when its reader goes": SINCE_3_6,
  "watch: hears of another client's changes": SINCE_3_6,
  "watch: of an event: what it shows is there when it is read, and not before it": SINCE_3_6,
  "watch: removed, is heard no more; the others are": SINCE_3_6,
  "watch: are removed by their kind": SINCE_3_6,
  "watch: all at a path are removed; where there is none, that is said": SINCE_3_6,
};

/** As a version of ZooKeeper answers: the client is to work with all of them. */
function overTcp(compat: Compat, exceptions: TargetKind["exceptions"] = {}): TargetKind {
  return {
    ...{ name: `tcp: our server over TCP, as ${compat}`, skip: false, exceptions },
    async start() {
      const server = await open({ tickTimeMs: TICK_MS, compat });
      const { port } = await server.listen(tcp({ port: 0 }));
      return {
        connect: ({ chroot = "", ...options }) => connect(`127.0.0.1:${port}${chroot}`, options),
        stop: () => server.close(),
      };
    },
  };
}

const zookeeper: TargetKind = {
  name: "zookeeper: Apache ZooKeeper",
  skip: findJavaZooKeeper().skip,
  exceptions: {},
  async start() {
    const config = { tickTime: TICK_MS, extendedTypesEnabled: true, maxClientCnxns: 0, "4lw.commands.whitelist": "*" };
    const server = await startServer({ kind: "apache", config });
    return {
      connect: ({ chroot = "", ...options }) => connect(`${server.address}${chroot}`, options),
      stop: async () => void (await server.stop("SIGKILL")),
    };
  },
};

export const targets: readonly TargetKind[] = [local, overTcp("3.8"), overTcp("3.9"), overTcp("3.4", NOT_IN_3_4), zookeeper];
