/** The types of a client handle: verbs, watches, transactions, errors. */
import { expectAssignable, expectError, expectNotAssignable, expectType } from "tsd";
import {
  type Acl,
  type AclList,
  type Applied,
  type CreateMode,
  type Data,
  type ErrorCode,
  OPEN_ACL_UNSAFE,
  Perms,
  type SessionId,
  type Stat,
  type StateChange,
  type StreamEvent,
  type Transaction,
  TransactionError,
  type TransactionResult,
  type WatchedEvent,
  ZkError,
  type ZooKeeper,
  type Zxid,
} from "../../mod.ts";

declare const zk: ZooKeeper;
declare const signal: AbortSignal;

// Writing
expectType<Promise<string>>(zk.create("/a"));
expectType<Promise<string>>(zk.create("/a", "text", { mode: "ephemeral_sequential", signal }));
expectType<Promise<string>>(zk.create("/a", new Uint8Array(1), { mode: "persistent_with_ttl", ttlMs: 1000 }));
expectType<Promise<string>>(
  zk.create("/a", null, { acl: [{ perms: Perms.READ | Perms.WRITE, scheme: "world", id: "anyone" }] }),
);
expectError(zk.create("/a", 1));
expectError(zk.create("/a", "text", { mode: "EPHEMERAL" }));
expectError(zk.create());
expectType<Promise<{ path: string; stat: Stat }>>(zk.createWithStat("/a", "text"));
expectType<Promise<Stat>>(zk.setData("/a", "text", { version: 1 }));
expectError(zk.setData("/a", "text", 1));
expectError(zk.setData("/a", "text", { version: 1n }));
expectError(zk.setData("/a"));
expectType<Promise<Stat>>(zk.setACL("/a", OPEN_ACL_UNSAFE));
expectType<Promise<void>>(zk.delete("/a", { version: -1 }));
expectAssignable<Data>(null);
expectNotAssignable<Data>(undefined);
expectAssignable<CreateMode>("container");

// Reading
expectType<Promise<{ data: Uint8Array | null; stat: Stat }>>(
  zk.getData("/a", { watch: (event) => expectType<WatchedEvent>(event) }),
);
expectType<Promise<Stat | null>>(zk.exists("/a"));
expectType<Promise<{ children: string[]; stat: Stat }>>(zk.getChildren("/"));
expectType<Promise<{ acl: AclList; stat: Stat }>>(zk.getACL("/a"));
expectType<Promise<void>>(zk.sync());
expectError(zk.getData("/a", { watch: true }));
declare const stat: Stat;
expectType<Zxid>(stat.czxid);
expectType<bigint>(stat.mzxid);
expectType<number>(stat.version);
expectError(stat.version++);

// Watching
for await (const event of zk.watch("/a", { mode: "persistent_recursive", signal })) expectType<StreamEvent>(event);
for await (const change of zk.states()) expectType<StateChange>(change);
expectError(zk.watch("/a", { mode: "recursive" }));
expectType<() => void>(zk.onState(({ state, reason }) => `${state} ${reason}`));

// Transactions
expectType<Transaction>(zk.transaction().create("/a").delete("/b", { version: 1 }).check("/c"));
expectType<Promise<TransactionResult[]>>(zk.transaction().setData("/a", "text").commit());

// Identity, end
expectType<SessionId>(zk.sessionId);
expectType<Promise<void>>(zk.addAuth("digest", "user:password"));
expectType<Promise<void>>(zk.close());
expectAssignable<AsyncDisposable>(zk);
expectError(zk.sessionTimeoutMs++);

// The ensemble
expectType<Promise<{ data: Uint8Array | null; stat: Stat }>>(zk.reconfig({ joining: ["server.4=h:1:2;3"], leaving: [1, 2n] }));
expectType<Promise<{ data: Uint8Array | null; stat: Stat }>>(zk.reconfig({ members: [], fromConfig: 5n }));
expectError(zk.reconfig({ joining: "server.4=h:1:2;3" }));

// Errors
declare const error: unknown;
if (error instanceof ZkError) {
  expectType<ErrorCode>(error.code);
  expectType<number>(error.number);
  expectType<string | undefined>(error.path);
  expectType<Applied>(error.applied);
}
if (error instanceof TransactionError) expectType<number>(error.failedIndex);
expectAssignable<ErrorCode>("BadVersion");
expectNotAssignable<ErrorCode>("BADVERSION");
expectAssignable<Acl>({ perms: 31, scheme: "digest", id: "user:hash" });
expectNotAssignable<Acl>({ perms: "cdrwa", scheme: "digest", id: "user:hash" });

expectType<Promise<string>>(zk.mkdirp("/a/b", null, { mode: "container" }));
expectError(zk.mkdirp("/a", null, { mode: "ephemeral" }));
expectType<Promise<number>>(zk.deleteRecursive("/a"));
expectType<Promise<string>>(zk.getText("/a"));
expectType<Promise<{ port: number }>>(zk.getJson<{ port: number }>("/a"));
expectType<Promise<unknown>>(zk.getJson("/a"));
expectType<Promise<Stat>>(zk.setJson("/a", [1], { version: 0 }));
expectType<Promise<{ data: Uint8Array | null; stat: Stat }>>(zk.waitFor("/a", { signal: signal }));
expectType<Promise<void>>(zk.close({ timeoutMs: 1 }));
expectType<Promise<void>>(zk.addAuth("digest", "a:b", { signal: signal }));
