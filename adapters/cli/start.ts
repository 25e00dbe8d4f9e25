/**
 * `zookernel start-foreground`: a server from a zoo.cfg, from arguments, or as it is, until it is told to stop.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import type { Compat } from "../../lib/model/compat.ts";
import type { Listener, Logger, Storage } from "../../lib/ports.ts";
import {
  type EnsembleMember,
  type EnsembleOptions,
  type OpenSettings,
  open,
  type Server,
  type ServerObserver,
} from "../../mod.ts";
import type { FileStorageOptions } from "../storage/file.ts";
import { consoleLogger, type LogLevel } from "../system.ts";
import { type TcpOptions, tcp } from "../tcp/listener.ts";
import type { TcpPeersOptions } from "../tcp/peers.ts";
import { type ClientDoor, ClientPort } from "./client_port.ts";
import type { HttpPorts } from "./http_ports.ts";
import type { HttpPlan } from "./open_settings.ts";
import type { ZooSettings } from "./zoo_keys.ts";

export interface StartOptions {
  /** Unset: as `open()` does by itself. */
  readonly compat: Compat | undefined;
  /** A JAAS file with SASL's users; it goes before the one that zoo.cfg names. */
  readonly jaas: string | undefined;
  readonly logLevel: LogLevel;
  /** Where the log goes; undefined: to standard error. */
  readonly logFile: string | undefined;
  /** Holds this process's number while clients can come; undefined: no file does. */
  readonly pidFile: string | undefined;
}

/** What to start: what `open()`, `fileStorage()` and `tcp()` are told. */
interface Plan {
  readonly settings: OpenSettings;
  /** The first is told to whoever started it. */
  readonly listen: readonly TcpOptions[];
  /** Where to keep data; null: nowhere. */
  readonly keep: FileStorageOptions | null;
  /** The ensemble it is a member of, and how it reaches the others; null: none. */
  readonly ensemble: (Omit<EnsembleOptions, "peers"> & { readonly peers: TcpPeersOptions }) | null;
  /** Whether there is an audit log. */
  readonly audit: boolean;
  /** What to serve over HTTP, and the text that all this was read from; null: nothing. */
  readonly http: { readonly plan: HttpPlan; readonly configuration: string } | null;
}

const DEFAULT_PORT = 2181;
/** Exit codes of Apache ZooKeeper. */
const EXIT = { finished: 0, unexpected: 1, invalid: 2 } as const;

/** @param args nothing, a zoo.cfg, or `port dataDir [tickTime] [maxClientCnxns]` */
export async function startForeground(args: readonly string[], options: StartOptions): Promise<number> {
  const logger = await loggerOf(options);
  const plan = args.length === 0 && options.jaas === undefined ? DEFAULT_PLAN : await readPlan(args, options.jaas, logger);
  if (plan === null) {
    console.error("Invalid config, exiting abnormally");
    return EXIT.invalid;
  }
  const stopped = stopSignal();
  const movable = plan.listen.findIndex(({ tls }) => tls === undefined || tls.unified);
  const clientPort = movable < 0 ? null : new ClientPort(plan.listen[movable]!, logger);
  const { compat } = options;
  const audit = plan.audit ? await auditOf(options) : null;
  let started: Server | null = null;
  const http = await httpOf(plan, () => started, logger);
  let server: Server;
  try {
    const version = compat !== undefined && { compat };
    server = await open({
      ...plan.settings,
      ...version,
      ...(await storageOf(plan)),
      ...(await ensembleOf(plan, logger, (client) => clientPort?.moveTo(client))),
      ...(audit !== null && { observer: audit.observer }),
      logger,
    });
    started = server;
    audit?.server("serverStart");
  } catch (error) {
    logger.error((error as Error).message);
    await http?.close();
    return EXIT.unexpected;
  }
  const listen = async (options: TcpOptions): Promise<Listener> => {
    const listener = tcp({ ...options, logger });
    const { host, port } = await server.listen(listener);
    if (args.length === 0) console.error(banner(host, port));
    else logger.info(`Serving ZooKeeper clients on ${host.includes(":") ? `[${host}]` : host}:${port}${securityOf(options)}`);
    return listener;
  };
  try {
    const door: ClientDoor = { listen, unlisten: (listener) => server.unlisten(listener) };
    await Promise.all(plan.listen.map((options, at) => (at === movable ? clientPort!.start(door) : listen(options))));
  } catch (error) {
    logger.error((error as Error).message);
    await Promise.all([server.close(), http?.close()]);
    return EXIT.unexpected;
  }
  void Promise.race([stopped, server.closed]).then(() => clientPort?.stop());
  const { pidFile } = options;
  if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}\n`);
  const code = await untilEnd(server, plan.keep, stopped, logger);
  await http?.close();
  if (pidFile !== undefined) rmSync(pidFile, { force: true });
  audit?.server("serverStop");
  return code;
}

async function loggerOf({ logLevel: level, logFile: file }: StartOptions): Promise<Logger> {
  if (file === undefined) return consoleLogger({ level });
  const { logFile } = await import("./log_file.ts");
  return consoleLogger({ level, write: logFile(file), colour: false });
}

interface Audit {
  readonly observer: ServerObserver;
  readonly server: (operation: "serverStart" | "serverStop") => void;
}

/** Beside the log's file, `zoo.log` → `zoo_audit.log`; without one on standard error, among the log's lines. */
async function auditOf({ logFile: file }: StartOptions): Promise<Audit> {
  const { auditObserver, auditOfServer } = await import("../http/audit.ts");
  const append =
    file === undefined
      ? (line: string): void => console.error(line)
      : (await import("./log_file.ts")).logFile(file.replace(/(\.log)?$/, "_audit.log"));
  const write = (line: string): void => append(`${new Date().toISOString()} INFO  audit: ${line}`);
  return { observer: auditObserver(write), server: (operation) => write(auditOfServer(operation)) };
}

function securityOf({ tls }: TcpOptions): string {
  if (tls === undefined) return "";
  return tls.unified ? ", with TLS and without" : ", with TLS";
}

async function untilEnd(
  server: Server,
  keep: FileStorageOptions | null,
  stopped: Promise<string>,
  logger: Logger,
): Promise<number> {
  if (keep !== null) {
    const { answerSnapshotRequests } = await import("./snapshot_requests.ts");
    answerSnapshotRequests(server, keep.dataDir, logger);
  }
  const reason = await Promise.race([stopped, server.closed]);
  if (typeof reason !== "string") return EXIT.unexpected; // it has said why in the log
  logger.info(`${reason}: closing`);
  await server.close();
  return EXIT.finished;
}

const DEFAULT_PLAN: Plan = {
  settings: {},
  listen: [{ port: DEFAULT_PORT }],
  keep: null,
  ensemble: null,
  audit: false,
  http: null,
};

/** It is there before the server: who looks after this process sees that it is alive while it reads its data. */
async function httpOf({ http }: Plan, server: () => Server | null, logger: Logger): Promise<HttpPorts | null> {
  if (http === null) return null;
  const { HttpPorts } = await import("./http_ports.ts");
  return await HttpPorts.start(http.plan, server, http.configuration, logger);
}

async function storageOf({ keep }: Plan): Promise<{ readonly storage?: Storage }> {
  if (keep === null) return {};
  const { fileStorage } = await import("../storage/file.ts");
  return { storage: fileStorage(keep) };
}

type ClientAddress = NonNullable<EnsembleMember["client"]>;

async function ensembleOf(
  { ensemble }: Plan,
  logger: Logger,
  clientAddressChanged: (client: ClientAddress) => void,
): Promise<{ readonly ensemble?: EnsembleOptions }> {
  if (ensemble === null) return {};
  const { tcpPeers } = await import("../tcp/peers.ts");
  return { ensemble: { ...ensemble, clientAddressChanged, peers: tcpPeers({ ...ensemble.peers, logger }) } };
}

const readText = (file: string): string => readFileSync(file, "utf8");

/** Null where the configuration can't be used, which has been told then. */
async function readPlan(args: readonly string[], jaas: string | undefined, logger: Logger): Promise<Plan | null> {
  // What reads zoo.cfg takes longer to load than a server without one takes to start.
  const { parseZooCfg, ZooCfgError, zooCfgOfArguments } = await import("./zoo_cfg.ts");
  const { ensembleOptions, httpPlan, listenOptions, openSettings, storageOptions } = await import("./open_settings.ts");
  const { lastSeenOf, memberOf, withClientAddress } = await import("./member.ts");
  const { peerOptions, saslOptions, tlsOptions } = await import("./security.ts");
  try {
    const [file = ""] = args;
    if (args.length === 0) return { ...DEFAULT_PLAN, settings: saslOptions(withJaas({}, jaas), readText) };
    const { ensemble, notices, ...read } =
      args.length === 1 ? parseZooCfg(readText(file), file, readText) : zooCfgOfArguments(args);
    for (const { level, message } of notices) logger[level](message);
    const me = ensemble === null ? null : memberOf(ensemble, read.settings.dataDir!);
    const settings = me === null ? read.settings : withClientAddress(read.settings, me, file);
    const listen = listenOptions(settings, tlsOptions(settings, readText));
    if (listen.length === 0)
      throw new ZooCfgError([`${file}: neither clientPort nor secureClientPort is set: nobody could connect`]);
    for (const { host, tls } of listen) {
      const key = tls === undefined || tls.unified ? "clientPortAddress" : "secureClientPortAddress";
      if (host === undefined) logger.warn(loopbackOnly(key));
    }
    if (me !== null && settings.peerType !== undefined && settings.peerType !== me.role) {
      logger.warn(`${file}: peerType=${settings.peerType} differs from the role of server.${me.id}, ${me.role}, which counts`);
    }
    const sasl = saslOptions(withJaas(settings, jaas), readText);
    const plan = {
      settings: { ...openSettings(settings, me !== null), ...sasl },
      listen,
      keep: storageOptions(settings),
      audit: settings["audit.enable"] === true,
      http: httpOptions(settings, args.length === 1 ? file : null),
    };
    if (me === null) return { ...plan, ensemble: null };
    const peers = peerOptions(withJaas(settings, jaas), me, readText);
    const member = { ...ensembleOptions(settings, ensemble!, me), peers };
    if (settings.reconfigEnabled !== true) return { ...plan, ensemble: member };
    const { DynamicConfig } = await import("./dynamic_config.ts");
    const configStore = new DynamicConfig(file, me.id);
    if (settings.dynamicConfigFile === undefined) {
      await configStore.backUp();
      return { ...plan, ensemble: { ...member, configStore } };
    }
    const lastSeen = lastSeenOf(configStore);
    return { ...plan, ensemble: { ...member, configStore, ...(lastSeen !== null && { lastSeen }) } };
  } catch (error) {
    for (const line of problemsOf(error)) logger.error(line);
    return null;
  }

  function httpOptions(settings: Partial<ZooSettings>, file: string | null): Plan["http"] {
    const http = httpPlan(settings);
    return http === null ? null : { plan: http, configuration: file === null ? "" : readText(file) };
  }

  function problemsOf(error: unknown): readonly string[] {
    if (error instanceof ZooCfgError) return error.problems;
    if (error instanceof Error && "syscall" in error) return [`Cannot read the configuration: ${error.message}`];
    throw error;
  }
}

function withJaas(settings: Partial<ZooSettings>, jaas: string | undefined): Partial<ZooSettings> {
  return jaas === undefined ? settings : { ...settings, "java.security.auth.login.config": jaas };
}

function loopbackOnly(key: string): string {
  return `${key} is not set: only clients on this machine can connect; ${key}=0.0.0.0 lets in those of other machines`;
}

function banner(host: string, port: number): string {
  return `zookernel serves ZooKeeper clients on ${host}:${port}

  connect     zkCli.sh -server ${host}:${port}
  keep        nothing: all data is in memory, and gone when this process ends
  configure   zookernel start-foreground zoo.cfg
  stop        Ctrl-C`;
}

/** The first signal to stop; a second one ends the process at once, as if nobody listened. */
function stopSignal(): Promise<string> {
  const signals = ["SIGTERM", "SIGINT"] as const;
  return new Promise((resolve) => {
    const stop = (signal: string): void => {
      for (const other of signals) process.removeListener(other, stop);
      resolve(signal);
    };
    for (const signal of signals) process.on(signal, stop);
  });
}
