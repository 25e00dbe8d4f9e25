/**
 * The manuals are true: every example in them is run as it stands, in a clean folder, on this runtime, and prints what its comments say. So are the
 * programs of `examples/`.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import process from "node:process";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { parseZooCfg } from "../../adapters/cli/zoo_cfg.ts";
import { projectPath } from "../support/root.ts";
import { runtimeName } from "../support/runtime.ts";
import { type Example, examples, filesBelow, MANUALS } from "./manuals.ts";

/** An example, laid for this runtime. */
interface Laid extends Example {
  /** By this name its output is found, too. */
  readonly file: string;
}

/** The public names, and the sources behind them. */
const DOORS: Readonly<Record<string, string>> = (
  JSON.parse(readFileSync(projectPath("deno.json"), "utf8")) as { readonly exports: Readonly<Record<string, string>> }
).exports;
const BUILT = runtimeName === "node";
const KILLED_AFTER_MS = 120_000;

const folder = mkdtempSync(projectPath(".examples-"));
const laid: readonly Laid[] = examples()
  .filter(({ runner }) => runner === null || runner === runtimeName)
  .map((example, index) => ({ ...example, file: join(folder, `example_${index}.test.${BUILT ? "js" : "ts"}`) }));
const outputs = new Map<string, string>();

/** Examples with fixed ports may run on several runtimes at once. */
const PORTS_APART = { bun: 0, node: 200, deno: 400 }[runtimeName];

/** The code with the package's names replaced by what a clone has of them: sources, or on Node what was built. */
function inThisClone(code: string): string {
  const apart = code.replace(/(?<=:)28\d{3}\b/g, (port) => String(Number(port) + PORTS_APART));
  return apart.replace(/from "zookernel([^"]*)"/g, (_, name: string) => {
    const source = DOORS[`.${name}`];
    assert.ok(source !== undefined, `an example imports zookernel${name}, which this package does not have`);
    const file = BUILT ? projectPath("dist", source.replace(/\.ts$/, ".js")) : projectPath(source);
    return `from "${pathToFileURL(file).href}"`;
  });
}

function layOut(): void {
  mkdirSync(join(folder, "clean"));
  for (const name of ["ca.pem", "server.pem"]) copyFileSync(projectPath("test/support/tls", name), join(folder, "clean", name));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const sources = laid.map(({ file }) => file.replace(/\.js$/, ".ts"));
  for (const [index, { code }] of laid.entries()) writeFileSync(sources[index]!, inThisClone(code));
  if (!BUILT) return;
  // Node 20 knows neither types nor `await using`.
  const options = ["--noCheck", "--ignoreConfig", "--target", "es2022", "--module", "nodenext", "--types", "node"];
  execFileSync(process.execPath, [projectPath("node_modules/typescript/bin/tsc"), ...options, ...sources]);
}

function linksOf(paper: string): string[] {
  return [...readFileSync(projectPath(paper), "utf8").matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
}

/** Whether there is such a file, and in it such a heading. Links to elsewhere are not followed. */
function leadsSomewhere(paper: string, link: string): boolean {
  if (/^\w+:/.test(link)) return true;
  const [path, anchor] = link.split("#") as [string, string | undefined];
  const target = path === "" ? paper : posix.join(posix.dirname(paper), path);
  if (!existsSync(projectPath(target))) return false;
  return anchor === undefined || headingsOf(target).includes(anchor);
}

/** As the project's host makes anchors of them. */
function headingsOf(paper: string): string[] {
  const headings = readFileSync(projectPath(paper), "utf8").matchAll(/^#+ (.+)$/gm);
  return Array.from(headings, ([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function spawn(args: readonly string[]): Ended {
  return spawnSync(process.execPath, args, { cwd: join(folder, "clean"), encoding: "utf8", timeout: KILLED_AFTER_MS });
}

const DENO = ["--quiet", "--allow-all", "--no-check"];

function runPrograms(files: readonly string[]): void {
  const runner = BUILT ? projectPath("dist/test/examples/run_programs.js") : projectPath("test/examples/run_programs.ts");
  const { stdout, stderr } = spawn([...(runtimeName === "deno" ? ["run", ...DENO] : []), runner, ...files]);
  for (const part of stdout.split(/^@@ (?=.*[\\/])/m).slice(1)) {
    const end = part.indexOf("\n");
    const output = part.slice(end);
    outputs.set(part.slice(0, end), output.includes("\n@@ passed") ? output : `${output}\n${stderr}`);
  }
}

/** All in one process, as files of one run of the runtime's own tests. */
function runTests(files: readonly string[]): Ended {
  if (runtimeName === "bun") return spawn(["test", ...files]);
  if (runtimeName === "deno") return spawn(["test", ...DENO, ...files]);
  const all = join(folder, "all.js");
  writeFileSync(all, files.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)};\n`).join(""));
  return spawn([all]);
}

const isTest = ({ code, runner }: Example): boolean => runner !== null || code.includes('from "node:test"');
const programs = laid.filter((example) => !isTest(example));

// While the file loads, since a hook of Bun's may take five seconds at most.
layOut();
runPrograms(programs.map(({ file }) => file));

describe("the examples of manuals", () => {
  after(() => rmSync(folder, { recursive: true, force: true }));

  test("there are some in each that should have", () => {
    for (const manual of MANUALS.slice(0, 4))
      assert.ok(
        laid.some(({ title }) => title.startsWith(manual)),
        manual,
      );
  });

  test("their links lead somewhere", () => {
    const papers = [...MANUALS, ...filesBelow("examples", /\.md$/), "CONTRIBUTING.md", "SECURITY.md", "llms.txt"];
    const broken = papers.flatMap((paper) =>
      linksOf(paper)
        .filter((link) => !leadsSomewhere(paper, link))
        .map((link) => `${paper}: ${link}`),
    );
    assert.deepEqual(broken, []);
  });

  test("the configuration for containers is served as it stands", () => {
    const { ensemble, notices } = parseZooCfg(readFileSync(projectPath("examples/ensemble/zoo.cfg"), "utf8"), "zoo.cfg");
    assert.equal(ensemble?.members.length, 3);
    assert.deepEqual(notices, []);
  });

  for (const { title, code, file } of programs) {
    test(title, () => {
      const output = outputs.get(file) ?? "did not run: one before it ended the process";
      assert.ok(output.includes("\n@@ passed"), output);
      for (const [, comment = ""] of code.matchAll(/console\.log\(.*\); \/\/ (.+)$/gm)) {
        for (const part of comment.split(", ")) assert.ok(output.includes(part), `no "${part}" in:\n${output}`);
      }
    });
  }

  test("those that are tests pass", { timeout: KILLED_AFTER_MS }, () => {
    const { status, stdout, stderr } = runTests(laid.filter(isTest).map(({ file }) => file));
    assert.equal(status, 0, `${stdout}\n${stderr}`);
  });
});
