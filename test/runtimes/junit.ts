/**
 * Counts the test cases of a JUnit report, the one form of result that the runners of Bun, Deno and Node have in common.
 *
 * Not an XML parser: it relies on what all three do, which is to escape `<` and `"` in attributes and text.
 */

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const TEST_CASE = /<testcase((?:\s+[\w-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/testcase>)/g;

/** Counts leaves only: Deno reports a group as a case of its own beside the cases in it, named `group > case`. */
export function countTestCases(report: string): Counts {
  const cases = Array.from(report.matchAll(TEST_CASE), ([, attributes = "", body = ""]) => ({
    name: nameOf(attributes),
    body,
  }));
  const groups = new Set(cases.flatMap(({ name }) => ancestors(name)));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, body } of cases) {
    if (groups.has(name)) continue;
    if (/<(failure|error)\b/.test(body)) counts.failed++;
    else if (/<skipped\b/.test(body)) counts.skipped++;
    else counts.passed++;
  }
  return counts;
}

function nameOf(attributes: string): string {
  return /\sname="([^"]*)"/.exec(attributes)?.[1] ?? "";
}

function ancestors(name: string): string[] {
  const parts = name.split(" &gt; ");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" &gt; "));
}
