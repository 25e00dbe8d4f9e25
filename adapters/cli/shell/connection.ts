/**
 * Connection of the shell: the handle of the moment, its state in ZooKeeper's words, and how another one takes its place.
 *
 * Invariant: there is one handle at most, and no event of one that was left is heard.
 */
import type { ConnectionState, ZooKeeper } from "../../../mod.ts";
import { CommandFailure, EXIT, messageOf } from "./failures.ts";

/** Opens a session with these servers; gives up when the signal aborts. */
export type Dial = (servers: string, signal: AbortSignal) => Promise<ZooKeeper>;

/** What a state is called in events. */
const EVENT_NAMES: Readonly<Record<Exclude<ConnectionState, "connecting">, string>> = {
  connected: "SyncConnected",
  connectedReadOnly: "ConnectedReadOnly",
  suspended: "Disconnected",
  expired: "Expired",
  authFailed: "AuthFailed",
  closed: "Closed",
};

/** What it is called in the prompt. */
const PROMPT_NAMES: Readonly<Record<ConnectionState, string>> = {
  connecting: "CONNECTING",
  connected: "CONNECTED",
  connectedReadOnly: "CONNECTEDREADONLY",
  suspended: "CONNECTING",
  expired: "CLOSED",
  authFailed: "AUTH_FAILED",
  closed: "CLOSED",
};

export class Connection {
  readonly #dial: Dial;
  readonly #waitMs: number;
  /** Told each change of state, in the words of events. */
  readonly #onState: (state: string) => void;
  #servers: string;
  #handle: ZooKeeper | null = null;
  #dialling: { readonly handle: Promise<ZooKeeper>; readonly stop: AbortController } | null = null;

  /** @param waitMs how long a command waits for the connection */
  constructor(servers: string, dial: Dial, waitMs: number, onState: (state: string) => void) {
    this.#servers = servers;
    this.#dial = dial;
    this.#waitMs = waitMs;
    this.#onState = onState;
  }

  get servers(): string {
    return this.#servers;
  }

  /** Null while there is none that is connected. */
  get handle(): ZooKeeper | null {
    return this.#handle;
  }

  /** For the prompt. */
  get stateName(): string {
    return PROMPT_NAMES[this.#handle?.state ?? (this.#dialling === null ? "closed" : "connecting")];
  }

  /** Begins to connect, and doesn't wait. */
  open(): void {
    const stop = new AbortController();
    const handle = this.#dial(this.#servers, stop.signal).then((zk) => {
      if (stop.signal.aborted) {
        void zk.close();
        return zk;
      }
      this.#handle = zk;
      this.#hear(zk);
      return zk;
    });
    handle.catch(() => {}); // whoever waits is told
    this.#dialling = { handle, stop };
  }

  #hear(zk: ZooKeeper): void {
    const tell = (state: ConnectionState): void => {
      if (zk === this.#handle && state !== "connecting") this.#onState(EVENT_NAMES[state]);
    };
    tell(zk.state);
    zk.onState(({ state }) => tell(state));
  }

  /**
   * The handle, once it is connected.
   *
   * @throws CommandFailure where there is none, or it takes too long
   */
  async ready(signal: AbortSignal): Promise<ZooKeeper> {
    if (this.#dialling === null) throw notConnected();
    const handle = this.#handle ?? (await this.#patiently(this.#dialling.handle, signal));
    if (["expired", "authFailed", "closed"].includes(handle.state)) throw notConnected();
    return handle;
  }

  async #patiently(handle: Promise<ZooKeeper>, signal: AbortSignal): Promise<ZooKeeper> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let offAbort = (): void => {};
    const patience = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#unreached(`not within ${this.#waitMs} ms`)), this.#waitMs);
      const abort = (): void => reject(signal.reason);
      signal.addEventListener("abort", abort);
      offAbort = () => signal.removeEventListener("abort", abort);
    });
    try {
      return await Promise.race([handle.catch((error) => Promise.reject(this.#unreached(messageOf(error)))), patience]);
    } finally {
      clearTimeout(timer);
      offAbort();
    }
  }

  #unreached(why: string): CommandFailure {
    const advice = "-server host:port names another server, -waitforconnection waits longer";
    return new CommandFailure(`Cannot connect to ${this.#servers}: ${why}; ${advice}`, EXIT.notConnected);
  }

  /** Whether there is a session, or one is wanted. */
  get isOpen(): boolean {
    return this.#dialling !== null;
  }

  /** Ends the session; its last event is told. */
  async close(): Promise<void> {
    const dialling = this.#dialling;
    this.#dialling = null;
    dialling?.stop.abort(new Error("closed"));
    await this.#handle?.close();
    this.#handle = null;
  }

  /** Ends the session, and nobody is told. */
  async leave(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await this.close();
    await handle?.close();
  }

  /** Leaves for other servers; null: the same ones. */
  async reopen(servers: string | null): Promise<void> {
    await this.close();
    this.#servers = servers ?? this.#servers;
    this.open();
  }
}

function notConnected(): CommandFailure {
  return new CommandFailure("Not connected", EXIT.notConnected, { code: "ConnectionLoss", hint: "connect opens a session" });
}
