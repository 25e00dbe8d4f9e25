/**
 * A host whose connections come over lines that can fail. The member behind it notices nothing of that but its consequences.
 */
import { type ConnectionSink, type ConnInput, Host, type HostOptions } from "../member/host.ts";
import type { ConnId } from "../model/types.ts";
import type { Fault, Faults } from "./faults.ts";
import { Line, type LineEnd } from "./line.ts";

export interface TestHostOptions extends HostOptions {
  readonly faults: Faults;
  readonly struck: (fault: Fault, input: ConnInput) => void;
}

export class TestHost extends Host {
  readonly #lines = new Map<ConnId, Line>();
  readonly #end: LineEnd;
  readonly #offHealed: () => void;

  constructor(options: TestHostOptions) {
    super(options);
    const { clock, faults, struck } = options;
    this.#end = {
      faults,
      struck,
      arrive: (input) => super.submit(input),
      after: (ms, run) => clock.wakeAt(clock.now().mono + ms, () => this.turn(run)),
      errorReply: (conn, xid, outcome) => ({
        kind: "reply",
        conn,
        xid,
        zxid: this.member.kernel.database.lastZxid,
        outcome,
      }),
      gone: (conn) => this.#lines.delete(conn),
    };
    this.#offHealed = faults.onHealed(() => this.#forAll((line) => line.release()));
  }

  override attach(sink: ConnectionSink): ConnId {
    const line = new Line(this.#end, sink);
    line.conn = super.attach(line);
    this.#lines.set(line.conn, line);
    return line.conn;
  }

  /** Registers a connection that no fault is for. */
  attachDirectly(sink: ConnectionSink): ConnId {
    return super.attach(sink);
  }

  override submit(input: ConnInput): void {
    const line = this.#lines.get(input.conn);
    if (line === undefined) super.submit(input);
    else line.submit(input);
  }

  override stop(): Promise<void> {
    this.#offHealed();
    return super.stop();
  }

  /** Ends all misfortune: what was held up arrives, and lines on which nothing arrives are cut. */
  calm(): void {
    this.#end.faults.end();
    this.#forAll((line) => (line.isDead ? line.cut() : line.endDelay()));
  }

  #forAll(run: (line: Line) => void): void {
    this.turn(() => {
      for (const line of [...this.#lines.values()]) run(line);
    });
  }
}
