/**
 * The shell in this process: a server in memory that it reaches by TCP, lines to type, and what it writes.
 */
import { runShell, type Surroundings } from "../../../../adapters/cli/shell/shell.ts";
import { connect, tcp } from "../../../../adapters/tcp/mod.ts";
import { type Compat, open } from "../../../../mod.ts";

/** What a shell has written: both streams, and the two as one, in order. */
export interface Written {
  stdout: string;
  stderr: string;
  merged: string;
}

export interface Ran extends Written {
  readonly exitCode: number;
}

/** Runs a shell to its end. */
export async function runInProcess(
  args: readonly string[],
  lines: readonly string[] | AsyncIterable<Uint8Array> = [],
  surroundings: Partial<Surroundings> = {},
): Promise<Ran> {
  const written: Written = { stdout: "", stderr: "", merged: "" };
  const input = Symbol.asyncIterator in lines ? lines : bytesOf(lines);
  const exitCode = await runShell(args, { ...surroundingsOf(written, () => input), ...surroundings });
  return { ...written, exitCode };
}

async function* bytesOf(lines: readonly string[]): AsyncGenerator<Uint8Array> {
  if (lines.length > 0) yield new TextEncoder().encode(`${lines.join("\n")}\n`);
}

function surroundingsOf(written: Written, input: Surroundings["input"]): Surroundings {
  const output = (stream: "stdout" | "stderr"): Surroundings["out"] => ({
    isTerminal: false,
    write: (text) => {
      written[stream] += text;
      written.merged += text;
    },
  });
  return {
    ...{ input, out: output("stdout"), err: output("stderr"), keyboard: null, colour: false, connect },
    historyFile: null,
  };
}

/** A shell that is typed to, a line at a time. */
export class TypedShell {
  readonly #written: Written = { stdout: "", stderr: "", merged: "" };
  readonly #ended: Promise<number>;
  readonly #waiting: Uint8Array[] = [];
  #wake: () => void = () => {};
  #isIdle: () => void = () => {};
  #isOver = false;

  constructor(args: readonly string[]) {
    this.#ended = runShell(
      args,
      surroundingsOf(this.#written, () => this.#typed()),
    );
    void this.#ended.then(() => this.#isIdle());
  }

  /** What the shell says until it takes the next line. */
  async type(line: string): Promise<Written> {
    const before = { ...this.#written };
    const answered = new Promise<void>((resolve) => {
      this.#isIdle = resolve;
    });
    this.#waiting.push(new TextEncoder().encode(`${line}\n`));
    this.#wake();
    await answered;
    const { stdout, stderr, merged } = this.#written;
    const since = (name: keyof Written, text: string): string => text.slice(before[name].length);
    return { stdout: since("stdout", stdout), stderr: since("stderr", stderr), merged: since("merged", merged) };
  }

  async end(): Promise<number> {
    this.#isOver = true;
    this.#wake();
    return await this.#ended;
  }

  async *#typed(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield next;
        // Whoever asks for more has done with what it got.
        this.#isIdle();
        continue;
      }
      if (this.#isOver) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A fresh server in memory, with a port. */
export async function serverWithPort(compat: Compat = "3.8"): Promise<{ address: string } & AsyncDisposable> {
  const server = await open({ compat });
  const { port } = await server.listen(tcp({ port: 0 }));
  return { address: `127.0.0.1:${port}`, [Symbol.asyncDispose]: () => server.close() };
}
