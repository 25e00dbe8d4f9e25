/**
 * Expectations of a tree and of events, whose failures say all that differs.
 *
 * Invariant: what is not named in an expectation of a znode is not looked at; which znodes there are always is.
 */
import { bytesOf } from "../base/bytes.ts";
import type { Data } from "../client/arguments.ts";
import type { Acl } from "../model/types.ts";
import { listOf, objectOf, oneOf, type Take, text, znodePath } from "../options/shape.ts";
import { ROOT, type Tree, ZOOKEEPER } from "../tree/tree.ts";
import type { Znode, ZnodeKind } from "../tree/znode.ts";
import { drawTree } from "./picture.ts";
import { type SessionRef, sessionIdOf } from "./session_ref.ts";
import { aclText, dataText, sessionText } from "./text.ts";
import { ACL, DATA, INT, takeZnodes } from "./znode_shape.ts";

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

const KINDS: Readonly<Record<ZnodeKind, true>> = { persistent: true, ephemeral: true, container: true, ttl: true };

const ZNODE = objectOf<ExpectedZnode>(
  {
    data: DATA,
    kind: oneOf(Object.keys(KINDS) as ZnodeKind[]),
    version: INT,
    owner: (given) => sessionIdOf(given as SessionRef),
    acl: ACL,
  },
  '{ data: "v1" }',
);

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

/**
 * Compares what is below `top` with the picture, or with the znodes.
 *
 * @throws ExpectationError; TypeError for an expectation that is none, such as a key that znodes don't have
 */
export function expectTree(tree: Tree, top: string, expected: string | ExpectedTree): void {
  if (typeof expected === "string") return expectPicture(drawTree(tree, top), dedented(expected));
  const wanted = takeZnodes("compare the tree", "expected", expected, ZNODE);
  const picture = drawTree(tree, top);
  const problems = [...missing(tree, wanted), ...unexpected(tree, top, [...wanted.keys()])];
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

function missing(tree: Tree, expected: ReadonlyMap<string, ExpectedZnode>): string[] {
  return Array.from(expected).flatMap(([path, wanted]) => {
    const node = tree.get(path);
    return node === undefined ? [`${path} is missing`] : differences(path, node, wanted);
  });
}

function unexpected(tree: Tree, top: string, paths: readonly string[]): string[] {
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
  const expected = typeof wanted === "string" ? ENCODER.encode(wanted) : bytesOf(wanted);
  const isSame =
    actual === null || expected === null
      ? actual === expected
      : actual.length === expected.length && actual.every((byte, at) => byte === expected[at]);
  if (!isSame) problems.push(`${path}: its data is ${dataText(actual)}, expected ${dataText(expected)}`);
}

/** The events of a watch. */
export const EVENT_TYPES = ["NodeCreated", "NodeDeleted", "NodeDataChanged", "NodeChildrenChanged"] as const;

/** A text that no event has would make a test wait for what can't come, or miss what has. */
const eventText: Take<string> = (given, action, name) => {
  const event = text('"NodeDeleted /lock"')(given, action, name);
  const [type = ""] = event.split(" ", 1);
  oneOf(EVENT_TYPES)(type, action, `${name}'s type`);
  znodePath(event.slice(type.length + 1), action, `${name}'s path`);
  return event;
};

export const EVENTS: Take<string[]> = listOf(eventText, '["NodeDeleted /lock"]');

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
