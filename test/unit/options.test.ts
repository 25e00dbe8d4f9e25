/** What `open()` may be told: every setting is judged, by itself and before anything starts, and an error names the one that is wrong. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { completed, type OpenSettings, type Settings, settingsOf } from "../../lib/options/options.ts";
import { open } from "../../mod.ts";

/** Paths of all settings, with their defaults. */
function leaves(settings: object, under = ""): (readonly [path: string, value: unknown])[] {
  return Object.entries(settings).flatMap(([name, value]) => {
    const isGroup = typeof value === "object" && value !== null && !Array.isArray(value) && `${under}${name}` !== "sasl.users";
    return isGroup ? leaves(value, `${under}${name}.`) : [[`${under}${name}`, value] as const];
  });
}

function given(path: string, value: unknown): OpenSettings {
  const [group, name] = path.split(".") as [string, string | undefined];
  return (name === undefined ? { [group]: value } : { [group]: { [name]: value } }) as OpenSettings;
}

const DEFAULTS: Settings = completed({}, false);
const SETTINGS = leaves(DEFAULTS);

describe("settings of open()", () => {
  for (const [path, value] of SETTINGS) {
    test(`${path}: its default is accepted, nonsense is refused by name`, async () => {
      await settingsOf(given(path, value), false);
      for (const nonsense of [Symbol("nonsense"), -2, 0.5, Number.NaN, "", {}, ["", 1]]) {
        if (isAllowed(path, nonsense)) continue;
        await assert.rejects(settingsOf(given(path, nonsense), false), (error: Error) => {
          assert.ok(error instanceof TypeError);
          assert.ok(error.message.startsWith(`Cannot open a server: ${path}`), error.message);
          return true;
        });
      }
    });
  }

  test("what is wrong is told all at once", async () => {
    const wrong = { tickTimeMs: 0, limits: { frameBytesMax: 0 }, reaper: { perMinuteMax: 0 } };
    await assert.rejects(settingsOf(wrong, false), /tickTimeMs: .*; limits\.frameBytesMax: .*; reaper\.perMinuteMax: /);
  });

  test("a name that is none is refused, in groups too", async () => {
    await assert.rejects(open({ tickTime: 2000 } as never), /^TypeError: Cannot open a server: .*tickTime/);
    await assert.rejects(open({ limits: { frames: 1 } } as never), /^TypeError: Cannot open a server: limits: .*frames/);
  });

  test("an error says what is allowed, and never repeats a text", async () => {
    const allowed: readonly (readonly [OpenSettings, string])[] = [
      [given("tickTimeMs", "500"), "tickTimeMs: must be a number, not a text"],
      [given("tickTimeMs", 0.5), "tickTimeMs: must be a whole number, not 0.5"],
      [given("limits.frameBytesMax", 2 ** 31), "limits.frameBytesMax: must be at most 1073741824, not 2147483648"],
      [given("reaper.intervalMs", 0), "reaper.intervalMs: must be at least 1, not 0"],
      [given("compat", "2.0"), 'compat: must be "3.4" or "3.5" or "3.6" or "3.7" or "3.8" or "3.9", not this text'],
      [given("extendedTypes", "yes"), 'extendedTypes: must be true or false or "3.5.3", not this text'],
      [given("sessionSecret", "tell-nobody"), "sessionSecret: must be a text of at least 16 characters, not this text"],
      [given("sasl.users", { "": "tell-nobody" }), 'sasl.users.: must be a name that is not empty, not ""'],
      [given("fourLetterWords", [1]), "fourLetterWords.0: must be a text, not 1"],
      [given("acl", []), "acl: must be an object, not a list"],
    ];
    for (const [settings, message] of allowed)
      await assert.rejects(settingsOf(settings, false), new TypeError(`Cannot open a server: ${message}`));
  });

  test("the least session timeout is not above the greatest", async () => {
    await assert.rejects(
      settingsOf({ minSessionTimeoutMs: 5000, maxSessionTimeoutMs: 4000 }, false),
      /^TypeError: Cannot open a server: minSessionTimeoutMs: 5000 is above maxSessionTimeoutMs 4000$/,
    );
  });
});

/** Texts are not judged, and neither are ratios between 0 and 1. */
function isAllowed(path: string, value: unknown): boolean {
  if (value === "") return ["superDigest", "letAnySaslUserDoX", "x509SuperUser"].some((name) => path.endsWith(name));
  if (value === 0.5) return /connectionDrop|connectionDecreaseRatio/.test(path);
  return typeof value === "object" && path === "sasl.users" && !Array.isArray(value);
}
