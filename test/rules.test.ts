/**
 * The rules of the architecture that can be read off the sources: who may import whom, and what the pure core may not touch.
 *
 * Each finding names its file and line. A rule changes here in the same commit as the design that it stands for.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, test } from "node:test";
import { projectPath } from "./support/root.ts";
import { type Import, lineAt, parseSource, readSources, type SourceFile } from "./support/source.ts";

const lib = readSources("lib");
const adapters = readSources("adapters");
const product = [...readSources("mod.ts"), ...lib, ...adapters];

/** Files of lib/ that may use promises: the shell around the pure core. A name that ends in "/" stands for its room. */
const SHELL = [
  "lib/options/options.ts",
  "lib/member/host.ts",
  "lib/store/",
  "lib/peers/",
  "lib/server/",
  "lib/client/",
  "lib/recipes/",
  "lib/testing/",
];

/** Every room of lib/, and the rooms that it may import beside itself, `model`, `base` and the ports. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  model: [],
  tree: [],
  acl: [],
  watch: [],
  session: ["acl", "tree", "kernel/messages"],
  kernel: ["acl", "session", "tree", "watch", "report/report"],
  broadcast: ["options/shape"],
  options: ["acl", "session", "tree", "kernel/options"],
  wire: ["kernel/messages", "broadcast", "options", "report"],
  store: ["acl", "tree", "wire", "kernel"],
  sasl: ["options", "kernel/messages"],
  member: ["kernel", "broadcast", "options"],
  peers: ["broadcast", "options", "sasl", "store", "wire", "tree/tree", "report/report"],
  service: ["kernel/messages", "kernel/kernel", "member", "options", "sasl", "session", "wire"],
  report: ["kernel", "member", "options", "service", "session", "store", "wire"],
  server: "acl broadcast client kernel member options peers report sasl service session store tree wire".split(" "),
  client: ["acl/perms", "kernel/messages", "member/host", "options", "sasl", "wire"],
  recipes: ["client"],
  testing: "acl broadcast client kernel member options report server session store tree wire".split(" "),
};

/** Packages, and the files that may import them. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  "@noble/hashes/legacy.js": /^lib\/(acl\/digest_algorithms|sasl\/digest_md5)\.ts$/,
  "@noble/hashes/hmac.js": /^lib\/session\/secret_password\.ts$/,
  "@noble/hashes/sha2.js": /^lib\/(acl\/long_digests|session\/secret_password)\.ts$/,
  "@noble/hashes/sha3.js": /^lib\/acl\/long_digests\.ts$/,
  commander: /^adapters\/cli\/main\.ts$/,
  "zod/mini": /^(lib\/options\/schema\.ts|adapters\/cli\/.*)$/,
  croner: /^lib\/recipes\/schedule\.ts$/, // optional: whoever uses cron expressions installs it
  "msgpackr/pack": /^(adapters\/port\/.*|lib\/testing\/.*|lib\/client\/msgpack\.ts)$/, // the entry that never reaches native code
  "@std/path": /^adapters\//,
};

const RUNTIME_GLOBALS = [
  ...["performance", "crypto", "console", "fetch", "(?<!typeof )globalThis", "Buffer", "process", "Deno", "Bun", "require"],
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"],
];
/** A name of its own: neither a property (`x.process`) nor a key (`process: 1`). */
const alone = (name: string): string => `(?<![.#\\w$])${name}(?![\\w$]|\\??\\s*:)`;
/** One of the globals, the clock behind `Date` (`new Date(time)` only does sums), or what hides behind an innocent name. */
const RUNTIME_USE = new RegExp(
  [
    alone(`(?:${RUNTIME_GLOBALS.join("|")})`),
    `(?<!\\bnew\\s+|:\\s*)${alone("Date")}`, // as a type it is harmless
    "\\bnew\\s+Date\\s*(?:\\(\\s*\\)|(?![\\s(]))",
    "\\bMath\\s*\\.\\s*random\\b",
    "\\bimport\\s*\\.\\s*meta\\b",
  ].join("|"),
  "g",
);

/**
 * A method, or a function of Math or String, that is given a list for its arguments, alone or behind others. Lists of a length that stands there are
 * let through: those that `subarray` or `slice` ends.
 */
const LIST_AS_ARGUMENTS =
  /\.\s*(?:push|unshift|splice|concat|max|min|hypot|fromCharCode|fromCodePoint|call)\s*\((?:[^()[\]{}]|\([^()]*\))*?\.\.\.(?![\w.#]+\.(?:subarray|slice)\(0, (?:\d+|[A-Z_]+)\))|\.\s*apply\s*\(|\bReflect\s*\.\s*apply\b/g;

describe("the sources keep the rules", () => {
  test("1: lib/ imports nothing from adapters/, test/, bench/ or a runtime", () => {
    const finder = imports(({ specifier, file }) => {
      const allowed = file === null ? specifier in PACKAGES : file.startsWith("lib/");
      return allowed ? null : `lib/ imports "${specifier}"`;
    });
    nothing(lib.flatMap(finder));
  });

  test("1: lib/ has no clock, randomness, timer, console or other runtime global", () => {
    nothing(lib.flatMap(words(RUNTIME_USE, (word) => `lib/ uses ${word}`)));
  });

  test("1: only the shell of lib/ uses promises; ports name them as types", () => {
    const inCore = words(/(?<![.#\w$])(?:async|await|Promise|queueMicrotask)(?![\w$])/g, (word) => `${word} in the pure core`);
    const inPorts = words(/(?<![.#\w$])(?:async|await|new\s+Promise)(?![\w$])/g, (word) => `${word} among the ports`);
    const pure = lib.filter(({ path }) => !SHELL.some((shell) => path.startsWith(shell)));
    nothing(pure.flatMap((file) => (file.path === "lib/ports.ts" ? inPorts(file) : inCore(file))));
  });

  test("2, 4, 5: each room of lib/ knows only the rooms that it may", () => {
    nothing(lib.flatMap(imports(beyondItsRoom)));
  });

  test("lib/ has no loose file but its ports, and every room has a manual", () => {
    const loose = lib.filter(({ path }) => /^lib\/[^/]+$/.test(path) && path !== "lib/ports.ts");
    const silent = Object.keys(MAY_IMPORT).filter((room) => !existsSync(projectPath("lib", room, "README.md")));
    nothing([
      ...loose.map(({ path }) => `${path}:1: lies loose`),
      ...silent.map((room) => `lib/${room}/README.md:1: is missing`),
    ]);
  });

  test("4: kernel/ imports nothing of broadcast/; broadcast/ never looks inside a txn", () => {
    const ofBroadcast = imports(({ specifier, file }) =>
      file?.startsWith("lib/broadcast/") ? `kernel/ imports "${specifier}"` : null,
    );
    const insideTxn = words(/\.\s*txn\s*(?:\??\.|\[)/g, () => "broadcast/ looks inside a txn");
    nothing([...under("lib/kernel/").flatMap(ofBroadcast), ...under("lib/broadcast/").flatMap(insideTxn)]);
  });

  test("no list becomes the arguments of a call: an engine takes some 100,000, and a list may have more", () => {
    nothing(product.flatMap(words(LIST_AS_ARGUMENTS, (call) => `${call} takes a list for its arguments`)));
  });

  test("7: each package is imported only where it belongs", () => {
    const finder = imports(({ specifier, file: target }, file) => {
      if (target !== null || specifier.startsWith("node:")) return null;
      const where = PACKAGES[specifier];
      if (where === undefined) return `"${specifier}" is none of the project's packages`;
      return where.test(file.path) ? null : `"${specifier}" has no place in ${file.path}`;
    });
    nothing(product.flatMap(finder));
  });

  test("no adapter imports another's folder, the command line and the testing door excepted; the system's clock, log, process and permissions are everybody's", () => {
    const finder = imports(({ specifier, file: target }, file) => {
      if (
        target === null ||
        !target.startsWith("adapters/") ||
        /^adapters\/(system|process_report|permissions)\.ts$/.test(target)
      )
        return null;
      return target.startsWith(`${posix.dirname(file.path)}/`) ? null : `an adapter imports another's "${specifier}"`;
    });
    nothing(adapters.filter(({ path }) => !/^adapters\/(cli|testing)\//.test(path)).flatMap(finder));
  });

  test("every file of lib/ and adapters/ can be reached from an entry point", () => {
    const byPath = new Map(product.map((file) => [file.path, file]));
    const reached = new Set<string>(entryPoints());
    for (const path of reached) {
      for (const { file } of byPath.get(path)?.imports ?? []) if (file !== null) reached.add(file);
    }
    nothing(product.filter(({ path }) => !reached.has(path)).map(({ path }) => `${path}:1: no entry point leads to it`));
  });

  test("every file opens with a comment that says what it is", () => {
    const silent = product.filter(({ text }) => !/^(#![^\n]*\n)?\/[*/]/.test(text));
    nothing(silent.map(({ path }) => `${path}:1: opens without a comment`));
  });
});

describe("the rules see", () => {
  test("an import that the matrix doesn't allow, and none that it does", () => {
    const found = (path: string, specifier: string): string[] =>
      imports(beyondItsRoom)(parseSource(path, `import { a } from "${specifier}";`));
    assert.deepEqual(found("lib/tree/a.ts", "../kernel/b.ts"), ['lib/tree/a.ts:1: tree imports "../kernel/b.ts"']);
    assert.deepEqual(found("lib/model/a.ts", "../options/b.ts"), ['lib/model/a.ts:1: model imports "../options/b.ts"']);
    assert.deepEqual(found("lib/session/a.ts", "../kernel/kernel.ts"), [
      'lib/session/a.ts:1: session imports "../kernel/kernel.ts"',
    ]);
    assert.deepEqual(found("lib/nowhere/a.ts", "../tree/b.ts"), ['lib/nowhere/a.ts:1: nowhere imports "../tree/b.ts"']);
    for (const allowed of ["./b.ts", "../model/b.ts", "../kernel/messages.ts", "../tree/b.ts", "../ports.ts"])
      assert.deepEqual(found("lib/session/a.ts", allowed), []);
  });

  const sample = parseSource(
    "lib/sample/a.ts",
    [
      'import { b } from "./b.ts"; // not: import "./c.ts"',
      'export type { D } from "../d.ts";',
      `const text = \`Date \${b(\`\${Date.now()}\`)} Date\`;`,
      "const half = text.length / 2; const pattern = /[/'] Date/g; const more = 1 / 2;",
      'const word = "Date"; /* Date */ word.process; const at = { performance: 1 };',
      'const later = await import("./e.ts");',
      "const sums = new Date(0).getUTCDay(); const now = new Date().getTime(); const type: Date = new Date;",
    ].join("\n"),
  );

  test("imports, with their lines", () => {
    assert.deepEqual(sample.imports, [
      { specifier: "./b.ts", file: "lib/sample/b.ts", line: 1 },
      { specifier: "../d.ts", file: "lib/d.ts", line: 2 },
      { specifier: "./e.ts", file: "lib/sample/e.ts", line: 6 },
    ]);
  });

  test("lists that become arguments, and not those of a known length or within another list", () => {
    const calls = [
      "due.push(...all);",
      "Math.max(0, ...all);",
      "a.push(f(1), ...b.map((x) => x));",
      "s.fromCharCode.apply(null, all);",
    ];
    const harmless = [
      "a.push([...all]);",
      "String.fromCharCode(...all.subarray(0, 4));",
      "f({ ...all });",
      "a.push({ ...b });",
    ];
    const found = [...calls, ...harmless].filter(
      (call) => words(LIST_AS_ARGUMENTS, (it) => it)(parseSource("lib/a.ts", call)).length > 0,
    );
    assert.deepEqual(found, calls);
  });

  test("code, and neither comments, strings, templates nor regular expressions", () => {
    const findings = words(RUNTIME_USE, (word) => word)(sample);
    assert.deepEqual(findings, ["lib/sample/a.ts:3: Date", "lib/sample/a.ts:7: new Date()", "lib/sample/a.ts:7: new Date"]);
    assert.equal(sample.code.length, sample.text.length);
  });
});

/** An import of lib/ that the matrix doesn't allow. */
function beyondItsRoom({ specifier, file: target }: Import, { path }: SourceFile): string | null {
  if (target === null || !target.startsWith("lib/") || target === "lib/ports.ts" || path === "lib/ports.ts") return null;
  const [room, other] = [path, target].map((file) => file.split("/")[1]!) as [string, string];
  const allowed = [room, "model", "base", ...(MAY_IMPORT[room] ?? [])];
  const isAllowed = allowed.some((name) => name === other || target === `lib/${name}.ts`);
  return isAllowed ? null : `${room} imports "${specifier}"`;
}

type Finder = (file: SourceFile) => string[];

/** Judges each import of a file. */
function imports(judge: (found: Import, file: SourceFile) => string | null): Finder {
  return (file) =>
    file.imports.flatMap((found) => {
      const fault = judge(found, file);
      return fault === null ? [] : [`${file.path}:${found.line}: ${fault}`];
    });
}

/** Finds words in a file's code. */
function words(pattern: RegExp, say: (word: string) => string): Finder {
  return ({ path, code }) =>
    Array.from(code.matchAll(pattern), (match) => `${path}:${lineAt(code, match.index)}: ${say(match[0].trim())}`);
}

function under(folder: string): SourceFile[] {
  return lib.filter(({ path }) => path.startsWith(folder));
}

function nothing(findings: readonly string[]): void {
  assert.ok(findings.length === 0, `\n${findings.join("\n")}`);
}

/** The sources that package.json and deno.json offer to the outside. */
function entryPoints(): string[] {
  const deno = JSON.parse(readFileSync(projectPath("deno.json"), "utf8")) as { exports: Record<string, string> };
  const npm = JSON.parse(readFileSync(projectPath("package.json"), "utf8")) as { bin: Record<string, string> };
  const programs = Object.values(npm.bin).map((file) => file.replace(/^dist\//, "").replace(/\.js$/, ".ts"));
  return [...Object.values(deno.exports).map((file) => posix.normalize(file)), ...programs];
}
