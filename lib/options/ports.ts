/**
 * Ports that callers hand in: a clock, a logger, a storage, a listener, a dialer of their own. Each is taken by the methods it must have.
 */
import type { Clock, Dialer, Listener, Logger, Storage } from "../ports.ts";
import { having, type Take } from "./shape.ts";

export const LOGGER: Take<Logger> = having(["debug", "info", "warn", "error"], "console");

export const CLOCK: Take<Clock> = having(["now", "wakeAt"], "the clock of testServer()");

export const STORAGE: Take<Storage> = having(
  ["open", "append", "saveSnapshot", "saveEpochs", "truncate", "readLog", "usage", "close"],
  'fileStorage("./data")',
);

export const LISTENER: Take<Listener> = having(["start", "release", "stop"], "tcp({ port: 2181 })");

export const DIALER: Take<Dialer> = having(["dial", "atTurnEnd"], "that of tcpPeers()");
