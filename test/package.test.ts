/** What package.json and deno.json promise, and the lock file must not hold. */

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { publicSurface, undocumented } from "./api/surface.ts";
import { projectPath } from "./support/root.ts";

const npm = readJson("package.json") as {
  readonly name: string;
  readonly version: string;
  readonly homepage: string;
  readonly main: string;
  readonly types: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly scripts: Readonly<Record<string, string>>;
};
const deno = readJson("deno.json") as {
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly tasks: Readonly<Record<string, string>>;
};

/** A package in the lock file, as npm describes it. */
interface Locked {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly cpu?: readonly string[];
  readonly os?: readonly string[];
}

test("npm and Deno are offered the same version and entry points, each with its source", () => {
  assert.equal(deno.version, npm.version);
  const sources = Object.entries(npm.exports).flatMap(([entry, target]) =>
    typeof target === "string" ? [] : [[entry, target.default.replace("./dist/", "./").replace(/\.js$/, ".ts")]],
  );
  assert.deepEqual(Object.fromEntries(sources), deno.exports);
  for (const [entry, source] of Object.entries(deno.exports))
    assert.ok(existsSync(projectPath(source)), `${entry}: no ${source}`);
});

test("an entry point's types lie beside its JavaScript", () => {
  for (const target of Object.values(npm.exports)) {
    if (typeof target !== "string") assert.equal(target.types, target.default.replace(/\.js$/, ".d.ts"));
  }
});

test("resolvers that don't know exports find the main entry point", () => {
  assert.deepEqual(npm.exports["."], { types: npm.types, default: npm.main });
});

test("every npm script has a Deno task of the same name", () => {
  const scripts = Object.keys(npm.scripts).filter((name) => name !== "prepack");
  assert.deepEqual(Object.keys(deno.tasks).sort(), scripts.sort());
});

test("the public surface is as test/api/public.txt has it, where a change of it shows in review", { timeout: 60_000 }, () => {
  const report = projectPath("test", "api", "public.txt");
  const surface = publicSurface(deno.exports);
  if (process.env.UPDATE === "1") writeFileSync(report, surface);
  const [found, reported] = [surface.split("\n"), readFileSync(report, "utf8").split("\n")];
  assert.ok(found.length > 500, "it sees the declarations");
  const changed = {
    gone: reported.filter((line) => !found.includes(line)),
    added: found.filter((line) => !reported.includes(line)),
  };
  const how = "write it anew, and commit it: UPDATE=1 npx bun test ./test/package.test.ts";
  assert.deepEqual(changed, { gone: [], added: [] }, `${JSON.stringify(changed, null, 1)}\n${how}`);
  assert.ok(surface === reported.join("\n"), `lines stand in another order; ${how}`);
});

test("every export is documented", () => assert.deepEqual(undocumented(deno.exports), []));

test("links of the README lead to the project's home, from a registry's page, too", () => {
  const home = `${npm.homepage.replace(/#.*/, "")}/blob/main/`;
  const links = readFileSync(projectPath("README.md"), "utf8").match(/(?<=\]\()[^)\s]+(?=\))/g) ?? [];
  const isRight = (link: string): boolean =>
    link.startsWith(home) ? existsSync(projectPath(link.slice(home.length).replace(/#.*/, ""))) : /^(#|https?:)/.test(link);
  const wrong = links.filter((link) => !isRight(link));
  assert.ok(links.length > 5);
  assert.deepEqual(wrong, [], `ours begin with ${home}, and name a file that there is`);
});

test("the lock file names no registry", () => {
  const resolved = readFileSync(projectPath("package-lock.json"), "utf8").match(/"resolved": .*/g) ?? [];
  assert.deepEqual(resolved, []);
});

test("what npm installs with the package has no native code and no install script", () => {
  const lock = readJson("package-lock.json") as { readonly packages: Readonly<Record<string, Locked>> };
  const installed = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && dev !== true);
  assert.ok(installed.some(([path]) => path.endsWith("/zod")));
  const native = installed.filter(
    ([, { hasInstallScript, cpu, os }]) => hasInstallScript === true || cpu !== undefined || os !== undefined,
  );
  assert.deepEqual(
    native.map(([path]) => path),
    [],
  );
});

test("the manual of the tests names files that exist", () => {
  const named = readFileSync(projectPath("test/README.md"), "utf8").match(
    /(?<=[ (`])[\w.-]+\/[\w./-]+\.(?:js|md|ts)(?=[` )])/g,
  );
  const sources = named!.map((name) => name.replace(/^(?:dist\/)?test\//, "").replace(/\.js$/, ".ts"));
  assert.ok(sources.includes("runtimes/run.ts"));
  const gone = sources.filter((source) => !existsSync(projectPath("test", source)));
  assert.deepEqual(gone, []);
});

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(projectPath(file), "utf8"));
}
