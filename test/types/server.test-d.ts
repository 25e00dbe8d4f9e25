/** The types of `open()` and of a server: what may be asked, and what comes of it. */
import { expectAssignable, expectError, expectNotAssignable, expectType } from "tsd";
import { type TcpPeersOptions, tcp, tcpPeers } from "../../adapters/tcp/mod.ts";
import {
  type Clock,
  type ConfigStore,
  type Dialer,
  type Duplex,
  type DuplexHandler,
  type EnsembleConfig,
  type Epochs,
  ensembleConfig,
  type Inspected,
  type LimitSettings,
  type ListenAddress,
  type Listener,
  type LogChunk,
  type Logger,
  type LogRecord,
  type OpenOptions,
  open,
  type PeerNetwork,
  type Reserve,
  type Server,
  type ServerAddress,
  type ServerMode,
  type Snapshot,
  type Storage,
  type StorageUsage,
  type Stored,
  type ZooKeeper,
  type Zxid,
} from "../../mod.ts";

expectType<Promise<Server>>(open());
expectAssignable<OpenOptions>({ tickTimeMs: 500, limits: { frameBytesMax: 4096 }, compat: "3.8" });
expectNotAssignable<OpenOptions>({ tickTime: 500 });
expectNotAssignable<OpenOptions>({ tickTimeMs: "500" });
expectNotAssignable<OpenOptions>({ compat: "2.0" });
expectAssignable<OpenOptions>({ clock: {} as Clock, logger: {} as Logger });

declare const server: Server;
expectType<Promise<ZooKeeper>>(server.connect());
expectType<Promise<ZooKeeper>>(
  server.connect({ sessionTimeoutMs: 5000, chroot: "/app", signal: new AbortController().signal }),
);
expectError(server.connect({ timeout: 5000 }));
expectType<Listener>(tcp({ port: 0 }));
expectType<Promise<ListenAddress>>(server.listen(tcp({ port: 0, host: "127.0.0.1" })));
expectError(tcp({}));
expectType<Inspected | null>(server.inspect("/a"));
expectType<Server>(server.fork());
expectType<Snapshot>(server.snapshot());
expectType<Zxid>(server.snapshot().zxid);
expectType<number>(server.snapshot().znodeCount);
expectType<void>(server.restore(server.snapshot()));
expectError(server.restore(new Uint8Array(9)));
expectType<Promise<Zxid>>(server.saveSnapshot());
expectType<Promise<void>>(server.close());
expectAssignable<AsyncDisposable>(server);

// Members
expectAssignable<TcpPeersOptions>({
  tls: { key: "pem", cert: "pem", ca: "pem", clear: "accepted" },
  allowUnauthenticated: true,
});
expectAssignable<TcpPeersOptions>({ sasl: { credentials: { username: "zk", password: "secret" }, users: { zk: "secret" } } });
expectNotAssignable<TcpPeersOptions>({ tls: { rejectUnauthorized: false } });
expectNotAssignable<TcpPeersOptions>({ tls: { clientAuth: "none" } });
expectNotAssignable<TcpPeersOptions>({ sasl: { users: {} } });
expectType<PeerNetwork>(tcpPeers());
expectType<ServerMode | null>(server.mode);
expectType<EnsembleConfig>(ensembleConfig(["server.1=h:1:2"]));
expectAssignable<OpenOptions>({
  reconfigEnabled: true,
  readOnlyMode: true,
  ensemble: { id: 1, config: ensembleConfig(["server.1=h:1:2"]), peers: tcpPeers(), mayVoteAlone: true },
});
expectNotAssignable<OpenOptions>({ ensemble: { id: 1, peers: tcpPeers() } });
declare const store: ConfigStore;
expectType<Promise<void>>(store.saveCommitted(ensembleConfig([])));
expectType<Promise<void>>(server.join({ id: 1, config: ensembleConfig([]), peers: tcpPeers() }));
expectError(server.join({ id: 1, peers: tcpPeers() }));

// Ports can be implemented by name: every type that one mentions is public.
class ArchiveStorage implements Storage {
  readonly name = "archive";
  open(_logger: Logger): Promise<Stored> {
    throw new Error("not written");
  }
  append(_records: readonly LogRecord[]): Promise<void> | undefined {
    return undefined;
  }
  async saveSnapshot(_zxid: Zxid, _chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {}
  async saveEpochs(_epochs: Epochs): Promise<void> {}
  async truncate(_last: Zxid, _check?: (left: Stored) => Promise<void>): Promise<Stored> {
    throw new Error("not written");
  }
  async *readLog(_zxid: Zxid): AsyncIterable<LogChunk> {}
  usage(): StorageUsage {
    return { dataDir: "", dataLogDir: "", dataDirBytes: 0, logDirBytes: 0 };
  }
  async close(): Promise<void> {}
}
expectAssignable<OpenOptions>({ storage: new ArchiveStorage() });

class PipeListener implements Listener {
  async start(_accept: (duplex: Duplex) => DuplexHandler, _reserve?: Reserve): Promise<ListenAddress> {
    return { host: "pipe", port: 1, secure: false };
  }
  async release(): Promise<void> {}
  async stop(): Promise<void> {}
}
expectType<Promise<ListenAddress>>(server.listen(new PipeListener()));

class PipeDialer implements Dialer {
  dial(_to: ServerAddress, _opened: (duplex: Duplex) => DuplexHandler, _failed: (reason: string) => void): () => void {
    return () => {};
  }
  atTurnEnd(_run: () => void): void {}
}
expectAssignable<Dialer>(new PipeDialer());
expectType<number | undefined>(({} as Partial<LimitSettings>).frameBytesMax);
