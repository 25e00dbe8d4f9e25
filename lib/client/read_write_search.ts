/**
 * While a client is served by a read-only server: asks the others in turn, ever less often, until one of them takes writes.
 *
 * Not here: the question itself (the connector's `probe`), and going over to that server (session.ts).
 */
import type { Clock } from "../ports.ts";
import type { Connector } from "./link.ts";

/** Between two questions, milliseconds: doubled each time. */
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 60_000;

export class ReadWriteSearch {
  readonly #connector: Connector;
  readonly #clock: Clock;
  readonly #found: () => void;
  #pauseMs = PAUSE_MS_MIN;
  #stopAsking: () => void = () => {};
  #stopWaiting: () => void = () => {};

  constructor(connector: Connector, clock: Clock, found: () => void) {
    this.#connector = connector;
    this.#clock = clock;
    this.#found = found;
    this.#wait();
  }

  stop(): void {
    this.#stopWaiting();
    this.#stopAsking();
  }

  #wait(): void {
    this.#stopWaiting = this.#clock.wakeAt(this.#clock.now().mono + this.#pauseMs, () => this.#ask());
    this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MS_MAX);
  }

  /** A server that doesn't answer is given up when it is time for the next question. */
  #ask(): void {
    this.#stopAsking();
    this.#wait();
    this.#stopAsking = this.#connector.probe((isReadWrite) => {
      if (!isReadWrite) return;
      this.stop();
      this.#found();
    });
  }
}
