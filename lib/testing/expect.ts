/**
 * Expectations of a tree and of events, whose failures say all that differs.
 *
 * Invariant: what is not named in an expectation of a znode is not looked at; which znodes there are always is.
 */
import type { Data } from "../client/values.ts";
import { ROOT, type Tree, ZOOKEEPER } from "../tree/tree.ts";
import type { Znode, ZnodeKind } from "../tree/znode.ts";
import type { Acl } from "../types.ts";
import { drawTree } from "./picture.ts";
import { type SessionRef, sessionIdOf } from "./session_ref.ts";
import { aclText, dataText, sessionText } from "./text.ts";

/** What a znode is expected to be. */
export interface ExpectedZnode {
  readonly data?: Data;
  readonly kind?: ZnodeKind;
  readonly version?: number;
  /** The session that owns an ephemeral. */
  readonly owner?: SessionRef;
  readonly acl?: readonly Acl[];
}

/** Path → its data, or more. Parents that are not named may hold anything. */
export type ExpectedTree = Readonly<Record<string, Data | ExpectedZnode>>;

/** An expectation that does not hold. Test runners show `actual` and `expected` as a difference. */
export class ExpectationError extends Error {
  readonly code = "ERR_ASSERTION";
  readonly actual: unknown;
  readonly expected: unknown;
  readonly operator: string;
  /** Asks Vitest and Mocha for the difference. */
  readonly showDiff = true;

  constructor(message: string, actual: unknown, expected: unknown, operator: string) {
    super(message);
    this.name = "ExpectationError";
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
  }
}

/** Compares what is below `top` with the picture, or with the znodes. @throws ExpectationError */
export function expectTree(tree: Tree, top: string, expected: string | ExpectedTree): void {
  const picture = drawTree(tree, top);
  if (typeof expected === "string") return expectPicture(picture, dedented(expected));
  const problems = [...missing(tree, expected), ...unexpected(tree, top, expected)];
  if (problems.length === 0) return;
  throw new ExpectationError(
    `The tree is not as expected:\n  ${problems.join("\n  ")}\nIt is:\n${picture}`,
    picture,
    expected,
    "expectTree",
  );
}

function expectPicture(picture: string, expected: string): void {
  if (picture === expected) return;
  throw new ExpectationError(
    `The tree is not as expected. It is:\n${picture}\nExpected:\n${expected}`,
    picture,
    expected,
    "expectTree",
  );
}

/** The text without blank lines around it, and without what indents all of its lines. */
function dedented(text: string): string {
  const lines = text.split("\n").map((line) => line.trimEnd());
  while (lines[0] === "") lines.shift();
  while (lines.at(-1) === "") lines.pop();
  const indents = lines.filter((line) => line !== "").map((line) => line.length - line.trimStart().length);
  const least = indents.reduce((least, indent) => Math.min(least, indent), Number.POSITIVE_INFINITY);
  return lines.map((line) => line.slice(least)).join("\n");
}

function missing(tree: Tree, expected: ExpectedTree): string[] {
  return Object.entries(expected).flatMap(([path, wanted]) => {
    const node = tree.get(path);
    return node === undefined ? [`${path} is missing`] : differences(path, node, isZnode(wanted) ? wanted : { data: wanted });
  });
}

function unexpected(tree: Tree, top: string, expected: ExpectedTree): string[] {
  const paths = Object.keys(expected);
  const isExpected = (path: string): boolean =>
    path === ROOT || path === top || paths.some((wanted) => wanted === path || wanted.startsWith(`${path}/`));
  return [...tree.subtree(top)]
    .filter((path) => path !== ZOOKEEPER && !path.startsWith(`${ZOOKEEPER}/`) && !isExpected(path))
    .sort()
    .map((path) => `${path} is there, and should not be`);
}

function differences(path: string, node: Znode, wanted: ExpectedZnode): string[] {
  const problems: string[] = [];
  const compare = (what: string, actual: string, expected: string): void => {
    if (actual !== expected) problems.push(`${path}: its ${what} is ${actual}, expected ${expected}`);
  };
  if (wanted.data !== undefined) compareData(path, node.data, wanted.data, problems);
  if (wanted.kind !== undefined) compare("kind", node.kind, wanted.kind);
  if (wanted.version !== undefined) compare("version", `${node.version}`, `${wanted.version}`);
  if (wanted.acl !== undefined) compare("ACL", (node.acl ?? []).map(aclText).join(", "), wanted.acl.map(aclText).join(", "));
  if (wanted.owner !== undefined) {
    const owner = node.kind === "ephemeral" ? sessionText(node.owner) : "nobody";
    compare("owner", owner, sessionText(sessionIdOf(wanted.owner)));
  }
  return problems;
}

const ENCODER = new TextEncoder();

function compareData(path: string, actual: Uint8Array | null, wanted: Data, problems: string[]): void {
  const expected = typeof wanted === "string" ? ENCODER.encode(wanted) : wanted;
  const isSame =
    actual === null || expected === null
      ? actual === expected
      : actual.length === expected.length && actual.every((byte, at) => byte === expected[at]);
  if (!isSame) problems.push(`${path}: its data is ${dataText(actual)}, expected ${dataText(expected)}`);
}

function isZnode(wanted: Data | ExpectedZnode): wanted is ExpectedZnode {
  return wanted !== null && typeof wanted === "object" && !(wanted instanceof Uint8Array);
}

/** Compares events, each as `"NodeDeleted /lock"`. @throws ExpectationError */
export function expectEvents(actual: readonly string[], expected: readonly string[]): void {
  if (actual.length === expected.length && actual.every((event, at) => event === expected[at])) return;
  const list = (events: readonly string[]): string => (events.length === 0 ? "none" : events.join(", "));
  throw new ExpectationError(
    `The events are not as expected: ${list(actual)}; expected ${list(expected)}`,
    actual,
    expected,
    "expectEvents",
  );
}
