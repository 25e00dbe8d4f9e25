/**
 * Checks of arguments: what passes, and what a message says of the rest, however hostile it is.
 */
import assert from "node:assert/strict";
import { describe as group, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import {
  checkBoolean,
  checkFunction,
  checkOptions,
  checkSignal,
  checkString,
  checkWholeNumber,
  describe,
  nearestName,
} from "../../lib/base/validate.ts";

const elsewhere = createContext({});

group("options", () => {
  const check = (value: unknown) => checkOptions("delete", value, ["version", "signal"], "{ version: 7 }");

  test("objects with known keys pass, whatever made them", () => {
    class Options {
      version = 3;
    }
    for (const value of [{}, { version: 3 }, Object.freeze({ signal: 1 }), Object.create(null), new Options()]) check(value);
    check(runInContext("({ version: 3 })", elsewhere));
    check(Object.assign(Object.create({ version: 3 }), { signal: undefined }));
  });

  test("a key whose value is undefined counts as absent", () => check({ version: undefined, vesrion: undefined }));

  test("an unknown key is named, with the one that is probably meant, or with all", () => {
    assert.throws(() => check({ vesrion: 3 }), {
      name: "TypeError",
      message: 'Cannot delete: options have no "vesrion"; "version" is probably meant',
    });
    assert.throws(() => check({ "a\nb": 3 }), {
      message: 'Cannot delete: options have no "a\\nb"; there are version, signal',
    });
    assert.throws(() => check({ toString: 3 }), /no "toString"/);
    assert.throws(() => check(JSON.parse('{ "__proto__": 3 }')), /no "__proto__"/);
  });

  test("what is no object of options is shown the right form", () => {
    assert.throws(() => check(7), { message: "Cannot delete: options must be an object such as { version: 7 }, not 7" });
    const others: unknown[] = [
      null,
      undefined,
      "x",
      true,
      7n,
      Symbol("x"),
      () => {},
      [],
      [{ version: 7 }],
      new Map(),
      new Date(0),
      /x/,
    ];
    others.push(
      Promise.resolve(),
      new AbortController().signal,
      new Uint8Array(1),
      new ArrayBuffer(1),
      Object(7),
      new Error("x"),
    );
    for (const value of others) assert.throws(() => check(value), { name: "TypeError", message: /options must be an object/ });
  });

  test("no getter of a known key runs; a hostile object's error comes out", () => {
    check(Object.defineProperty({}, "version", { enumerable: true, get: () => assert.fail("looked at") }));
    const hostile = new Proxy({}, { ownKeys: () => assert.fail("mine") });
    assert.throws(() => check(hostile), /mine/);
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    assert.throws(() => check(revoked.proxy), TypeError);
  });
});

group("single values", () => {
  test("whole numbers within a range", () => {
    for (const value of [1, 5, -0 + 2]) checkWholeNumber("open", "port", value, 1, 5);
    for (const value of [0, 6, 0.5, 0.1 * 3 * 10, Number.NaN, Infinity, "1", 1n, Object(1), null, undefined])
      assert.throws(() => checkWholeNumber("open", "port", value, 1, 5), {
        name: "TypeError",
        message: `Cannot open: port must be a whole number from 1 to 5, not ${describe(value)}`,
      });
  });

  test("strings, booleans, functions", () => {
    checkString("create", "path", "", '"/a"');
    checkBoolean("connect", "canBeReadOnly", false);
    checkFunction("getData", "watch", () => {}, "(event) => …");
    assert.throws(() => checkString("create", "path", Object("/a"), '"/a"'), {
      message: 'Cannot create: path must be a string such as "/a", not a String object',
    });
    assert.throws(() => checkBoolean("connect", "canBeReadOnly", "no"), {
      message: 'Cannot connect: canBeReadOnly must be true or false, not "no"',
    });
    assert.throws(() => checkFunction("getData", "watch", {}, "(event) => …"), /watch must be a function/);
  });

  test("signals of any realm", () => {
    checkSignal("getData", AbortSignal.abort());
    checkSignal("getData", { aborted: false, addEventListener() {}, removeEventListener() {} });
    for (const value of [null, {}, new AbortController(), new EventTarget(), "abort", { aborted: true }])
      assert.throws(() => checkSignal("getData", value), { name: "TypeError", message: /signal must be an AbortSignal, not / });
  });
});

group("the nearest name", () => {
  const names = ["version", "signal", "mode", "acl", "ttlMs", "sessionTimeoutMs", "host"];

  test("is found behind slips of all kinds", () => {
    const slips = { vesrion: "version", Version: "version", versoin: "version", signl: "signal", ttlMS: "ttlMs", ttl: "ttlMs" };
    const more = { hots: "host", sessionTimeout: "sessionTimeoutMs", sesionTimeoutMs: "sessionTimeoutMs", ACL: "acl" };
    for (const [slip, meant] of Object.entries({ ...slips, ...more })) assert.equal(nearestName(slip, names), meant, slip);
  });

  test("is none where nothing is near", () => {
    for (const name of ["", "x", "zzzzzz", "constructor", "v".repeat(100_000)]) assert.equal(nearestName(name, names), null);
  });
});

group("a value in a message", () => {
  test("is short, and on one line", () => {
    const texts: [unknown, string][] = [
      ["a\nb", '"a\\nb"'],
      [undefined, "undefined"],
      [null, "null"],
      [-0, "-0"],
      [7n, "7n"],
      [Symbol("s"), "a symbol"],
      [class {}, "a function"],
      [[1], "an Array"],
      [{}, "an object"],
      [new Uint8Array(1), "a Uint8Array"],
      [Object("x"), "a String object"],
      [Promise.resolve(), "a Promise (is an await missing?)"],
      [{ [Symbol.toStringTag]: "x\ny" }, "an object"],
    ];
    for (const [value, text] of texts) assert.equal(describe(value), text);
    for (const value of ["x".repeat(1e6), 10n ** 1000n, { [Symbol.toStringTag]: "x".repeat(1e6) }])
      assert.ok(describe(value).length < 100);
  });

  test("is made without harm of what throws when it is looked at", () => {
    const hostile = {
      toString: () => assert.fail("called"),
      get [Symbol.toStringTag]() {
        return assert.fail("looked at");
      },
    };
    const revoked = Proxy.revocable([], {});
    revoked.revoke();
    for (const value of [hostile, revoked.proxy]) assert.equal(describe(value), "an object");
  });
});
