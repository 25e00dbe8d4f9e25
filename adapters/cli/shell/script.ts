/**
 * Lines of a script, as they come in on standard input.
 *
 * Invariant: a line is whole however its bytes arrive, and the last one counts without its end, too.
 */

/** The lines of a stream of bytes, without their ends. */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  const complete = (end: string): string => {
    const line = [...parts, end].join("");
    parts = [];
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  };
  for await (const chunk of input) {
    const pieces = decoder.decode(chunk, { stream: true }).split("\n");
    const rest = pieces.pop() ?? "";
    for (const piece of pieces) yield complete(piece);
    parts.push(rest);
  }
  const last = complete(decoder.decode());
  if (last !== "") yield last;
}
