/**
 * Two handles on one server, in process or over TCP: what a test does with the first must leave the second as it was.
 */
import { describe, test } from "node:test";
import { connect, tcp } from "../../adapters/tcp/mod.ts";
import { open, type Server, type ZooKeeper } from "../../mod.ts";

export interface Ends {
  readonly zk: ZooKeeper;
  /** A second session. */
  readonly other: ZooKeeper;
  readonly server: Server;
  /** Makes one more session in the same way. */
  connect(chroot?: string): Promise<ZooKeeper>;
}

/** The ways there are, each with what it takes to begin. */
export const WAYS: readonly { readonly name: string; run(use: (ends: Ends) => Promise<void>): Promise<void> }[] = [
  {
    name: "in process",
    async run(use) {
      await using server = await open({ logger: QUIET });
      const make = (chroot = ""): Promise<ZooKeeper> => server.connect({ chroot });
      await use({ zk: await make(), other: await make(), server, connect: make });
    },
  },
  {
    name: "over TCP",
    async run(use) {
      await using server = await open({ logger: QUIET });
      const { port } = await server.listen(tcp({ port: 0 }));
      const handles: ZooKeeper[] = [];
      const make = async (chroot = ""): Promise<ZooKeeper> => {
        const zk = await connect(`127.0.0.1:${port}${chroot}`, { logger: QUIET });
        handles.push(zk);
        return zk;
      };
      try {
        await use({ zk: await make(), other: await make(), server, connect: make });
      } finally {
        await Promise.all(handles.map((zk) => zk.close()));
      }
    },
  },
];

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

/** The same test in process and over TCP. */
export function bothWays(name: string, run: (ends: Ends) => Promise<void>): void {
  describe(name, () => {
    for (const way of WAYS) test(way.name, () => way.run(run));
  });
}
