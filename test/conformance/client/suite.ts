/**
 * The one conformance suite of the client: what a verb does is written down once, and holds whichever server answers.
 *
 * A file of this folder has the cases of one verb; a case gets a handle whose root is its own, so cases share a server and don't see each other.
 * New behaviour starts as a case that passes on the real ZooKeeper.
 */
import type { ConnectOptions, ZooKeeper } from "../../../mod.ts";

/** What a case has to work with. */
export interface Stage {
  /** Connected; "/" is there and nothing else. */
  readonly zk: ZooKeeper;
  /** Another client with the same root. It is closed when the case is over. */
  connect(options?: Pick<ConnectOptions, "sessionTimeoutMs">): Promise<ZooKeeper>;
  /** Another client that sees the whole tree. */
  connectToRoot(): Promise<ZooKeeper>;
  /** The stage's root, as the server calls it. */
  readonly chroot: string;
}

export type Case = (stage: Stage) => Promise<void>;

/** The cases of one verb, by name. */
export interface Verb {
  readonly verb: string;
  readonly cases: Readonly<Record<string, Case>>;
}

/** A server that the suite runs on, and how clients reach it. */
export interface Target {
  connect(options: Pick<ConnectOptions, "sessionTimeoutMs" | "chroot">): Promise<ZooKeeper>;
  stop(): Promise<void>;
}

let stages = 0;

/** Runs one case on a target. */
export async function runCase(target: Target, run: Case): Promise<void> {
  const clients: ZooKeeper[] = [];
  const connect = async (options: Parameters<Target["connect"]>[0]): Promise<ZooKeeper> => {
    const client = await target.connect(options);
    clients.push(client);
    return client;
  };
  const chroot = `/stage-${++stages}`;
  try {
    const root = await connect({});
    await root.create(chroot);
    const zk = await connect({ chroot });
    await run({
      ...{ zk, chroot },
      connect: (options = {}) => connect({ ...options, chroot }),
      connectToRoot: async () => root,
    });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

export function text(data: Uint8Array | null): string | null {
  return data === null ? null : new TextDecoder().decode(data);
}
