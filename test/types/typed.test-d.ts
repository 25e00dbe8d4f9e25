/** The types of typed znodes, of `connect()`, and of what clients may be told. */
import { expectAssignable, expectError, expectNotAssignable, expectType } from "tsd";
import { z } from "zod";
import { connect, type RemoteConnectOptions } from "../../adapters/tcp/mod.ts";
import { msgpack } from "../../lib/client/msgpack.ts";
import {
  bytes,
  type Codec,
  type ConnectionState,
  type CreateMode,
  type EventStream,
  InvalidValueError,
  json,
  type Schema,
  type SchemaIssue,
  type Stat,
  type StateChange,
  type TypedNode,
  utf8,
  type Versioned,
  type WatchOptions,
  type WatchStreamOptions,
  type ZooKeeper,
} from "../../mod.ts";

declare const zk: ZooKeeper;
declare const signal: AbortSignal;

// A schema alone: what it takes goes in, what it gives comes out
const schema = z.object({
  host: z.string(),
  port: z.number().default(80),
  since: z.iso.datetime().transform((text) => new Date(text)),
});
interface Input {
  host: string;
  port?: number | undefined;
  since: string;
}
interface Output {
  host: string;
  port: number;
  since: Date;
}
const config = zk.typed("/config", { schema });
expectType<Output>((await config.get()).value);
expectType<Stat>((await config.get({ signal })).stat);
expectType<Promise<Stat>>(config.set({ host: "a", since: "" }, { version: 1 }));
expectType<Promise<string>>(config.create({ host: "a", since: "" }, { mode: "ephemeral", signal }));
expectAssignable<Parameters<typeof config.set>[0]>({} as Input);
expectError(config.set({ host: "a" }));
expectError(config.set({ host: 1, since: "" }));
expectError(config.set({ host: "a", since: new Date() }));
config.update((value, stat) => {
  expectType<Output>(value);
  expectType<Stat>(stat);
  return { ...value, since: value.since.toISOString() };
});
expectError(config.update((value) => value.port));
for await (const found of config.watch({ signal })) expectType<Versioned<Output> | null>(found);
expectType<EventStream<Versioned<Output> | null>>(config.watch());

// With a codec, and a codec alone
expectType<Output>((await zk.typed("/config", { schema, codec: msgpack }).get()).value);
expectType<TypedNode<string>>(zk.typed("/text", { codec: utf8 }));
expectType<TypedNode<Uint8Array | null>>(zk.typed("/bytes", { codec: bytes }));
expectType<TypedNode<unknown>>(zk.typed("/any", { codec: json }));
expectError(zk.typed("/text", { codec: utf8 }).set(1));
expectError(zk.typed("/text", {}));
expectError(zk.typed("/text", { schema: {} }));
expectAssignable<Codec<number>>({ name: "own", encode: () => null, decode: () => 1 });
declare const own: Schema<string, number>;
expectType<number>((await zk.typed("/own", { schema: own }).get()).value);

// Errors
declare const error: unknown;
if (error instanceof InvalidValueError) {
  expectType<string>(error.path);
  expectType<readonly SchemaIssue[]>(error.issues);
}

// connect()
expectType<Promise<ZooKeeper>>(connect("a:2181,b:2181/app"));
expectAssignable<RemoteConnectOptions>({ sessionTimeoutMs: 1000, canBeReadOnly: true, signal });
expectAssignable<RemoteConnectOptions>({ tls: { ca: "pem", cert: "pem", key: "pem", servername: "zk" } });
expectAssignable<RemoteConnectOptions>({ sasl: { username: "bob", password: "secret" } });
expectNotAssignable<RemoteConnectOptions>({ chroot: "/app" });
expectNotAssignable<RemoteConnectOptions>({ tls: true });
expectNotAssignable<RemoteConnectOptions>({ tls: { rejectUnauthorized: false } });
expectError(connect(["a:2181"]));
expectType<void>(zk.updateServers("a,b"));

// Modes, watches, states
expectAssignable<CreateMode>("persistent_sequential_with_ttl");
expectNotAssignable<CreateMode>("sequential");
expectAssignable<WatchOptions>({ watch: ({ type, path }) => `${type} ${path}` });
expectNotAssignable<WatchOptions>({ watch: true });
expectAssignable<WatchStreamOptions>({ mode: "persistent", capacity: 1, overflow: "fail", signal });
expectNotAssignable<WatchStreamOptions>({ overflow: "dropNewest" });
expectType<EventStream<StateChange>>(zk.states());
expectType<ConnectionState>(zk.state);
expectAssignable<ConnectionState>("connectedReadOnly");
expectNotAssignable<ConnectionState>("disconnected");
