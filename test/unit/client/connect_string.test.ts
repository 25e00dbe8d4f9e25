/** Connect strings: what they say, and what is wrong with those that say nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConnectString, serverName } from "../../../lib/client/connect_string.ts";
import { ZkError } from "../../../lib/model/errors.ts";

const at = (host: string, port = 2181): { host: string; port: number } => ({ host, port });

test("hosts, ports and a chroot", () => {
  for (const [text, servers, chroot] of [
    ["a", [at("a")], ""],
    ["a:1,b:65535", [at("a", 1), at("b", 65_535)], ""],
    [" a:1 , b ,,", [at("a", 1), at("b")], ""],
    ["a,b/app/x", [at("a"), at("b")], "/app/x"],
    ["a/", [at("a")], ""],
    ["10.0.0.1:2182,[::1]:2183,[fd00::3]", [at("10.0.0.1", 2182), at("::1", 2183), at("fd00::3")], ""],
    ["a,b:2181,a:2181", [at("a"), at("b")], ""],
  ] as const) {
    assert.deepEqual(parseConnectString(text), { servers, chroot }, text);
  }
});

test("a server is named as it would be written", () => {
  assert.equal(serverName(at("a", 1)), "a:1");
  assert.equal(serverName(at("::1", 1)), "[::1]:1");
});

test("what is wrong is named", () => {
  for (const [text, reason] of [
    ["", '"" names no server'],
    [",,/app", '",,/app" names no server'],
    ["a:x", '"a:x" is not host:port'],
    ["a:", '"a:" is not host:port'],
    [":2181", '":2181" is not host:port'],
    ["::1:2181", '"::1:2181" is not host:port; an IPv6 address stands in brackets'],
    ["[::1:2181", '"[::1:2181" is not host:port'],
    ["a:0", '"a:0": a port is a number from 1 to 65535'],
    ["a:70000", '"a:70000": a port is a number from 1 to 65535'],
    ["a/x//y", 'chroot "/x//y": Path has an empty name at 3'],
    ["a/x/", 'chroot "/x/": Path must not end with / character'],
  ] as const) {
    const isRight = (error: unknown): boolean => {
      assert.ok(error instanceof ZkError && error.code === "BadArguments");
      assert.equal(error.message, `Cannot connect: BadArguments (${reason})`);
      return true;
    };
    assert.throws(() => parseConnectString(text), isRight, text);
  }
});
