/**
 * The servers that the client's conformance suite runs on: ours in this process without and with a socket between, and Apache ZooKeeper.
 */
import { connect, tcp } from "../../../adapters/tcp/mod.ts";
import { open } from "../../../mod.ts";
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

const overTcp: TargetKind = {
  name: "tcp: our server over TCP",
  skip: false,
  exceptions: {},
  async start() {
    const server = await open({ tickTimeMs: TICK_MS });
    const { port } = await server.listen(tcp({ port: 0 }));
    return {
      connect: ({ chroot = "", ...options }) => connect(`127.0.0.1:${port}${chroot}`, options),
      stop: () => server.close(),
    };
  },
};

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

export const targets: readonly TargetKind[] = [local, overTcp, zookeeper];
