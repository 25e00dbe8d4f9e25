/**
 * Test cases of a JUnit report, the one form of result that the runners of Bun, Deno and Node have in common.
 *
 * Not an XML parser: it relies on what all three do, which is to escape `<` and `"` in attributes and text.
 */

/** One test as its runner reports it. */
export interface TestCase {
  /** The names of the groups it stands in are part of it where the runner says them. */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly seconds: number;
  /** Why it was skipped, where the runner says that: Node alone does. */
  readonly reason: string | null;
}

const TEST_CASE = /<testcase((?:\s+[\w-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/testcase>)/g;
const SKIPPED = /<skipped\b([^>]*)/;

/** Leaves only: Deno reports a group as a case of its own beside the cases in it, named `group > case`. */
export function testCases(report: string): TestCase[] {
  const cases = Array.from(report.matchAll(TEST_CASE), ([, attributes = "", body = ""]) => testCase(attributes, body));
  const groups = new Set(cases.flatMap(({ name }) => ancestors(name)));
  return cases.filter(({ name }) => !groups.has(name));
}

function testCase(attributes: string, body: string): TestCase {
  const skipped = SKIPPED.exec(body);
  return {
    name: attribute(attributes, "name") ?? "",
    outcome: /<(failure|error)\b/.test(body) ? "failed" : skipped === null ? "passed" : "skipped",
    seconds: Number(attribute(attributes, "time") ?? 0),
    reason: attribute(skipped?.[1] ?? "", "message") ?? null,
  };
}

function attribute(attributes: string, name: string): string | undefined {
  const escaped = new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1];
  return escaped === undefined ? undefined : withoutEntities(withoutEntities(escaped)); // Node escapes messages twice
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function withoutEntities(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ENTITIES[name]!);
}

function ancestors(name: string): string[] {
  const parts = name.split(" > ");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" > "));
}
