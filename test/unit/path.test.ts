import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  hasCreatableForm,
  nameOf,
  parentOf,
  pathProblem,
  sequenceSuffix,
  withChroot,
  withoutChroot,
} from "../../lib/model/path.ts";

const unit = (code: number): string => `/a${String.fromCharCode(code)}b`;

describe("pathProblem", () => {
  test("accepts what ZooKeeper accepts", () => {
    const names = [
      "a",
      "...",
      ".x",
      "x..",
      "..x",
      ".x.",
      "a b",
      "é中",
      "\u00a0",
      "\ud7ff",
      "\uf900",
      "\uffef",
      "~",
      "x".repeat(4000),
    ];
    for (const path of ["/", ...names.map((name) => `/${name}`), ...names.map((name) => `/p/${name}/c`)]) {
      assert.equal(pathProblem(path), null, JSON.stringify(path));
    }
  });

  test("names what is wrong, and where", () => {
    assert.equal(pathProblem(""), "Path must not be empty");
    assert.equal(pathProblem("a"), "Path must start with / character");
    assert.equal(pathProblem("/a/"), "Path must not end with / character");
    assert.equal(pathProblem("//"), "Path must not end with / character");
    assert.equal(pathProblem("/a//b"), "Path has an empty name at 3");
    assert.equal(pathProblem("//b"), "Path has an empty name at 1");
    for (const path of ["/.", "/..", "/a/.", "/a/..", "/a/./b", "/a/../b"])
      assert.match(pathProblem(path) ?? "", /relative name/, path);
    assert.equal(pathProblem("/a\u0000"), "Path has the forbidden character U+0000 at 2");
    assert.equal(pathProblem("/ab\ue000"), "Path has the forbidden character U+E000 at 3");
  });

  test("forbids exactly the ranges of the rule", () => {
    for (let code = 0; code <= 0xffff; code++) {
      if (code === 0x2f) continue;
      const forbidden = code <= 0x1f || (code >= 0x7f && code <= 0x9f) || (code >= 0xd800 && code <= 0xf8ff) || code >= 0xfff0;
      if ((pathProblem(unit(code)) !== null) !== forbidden)
        assert.fail(`U+${code.toString(16)} should be ${forbidden ? "refused" : "accepted"}`);
    }
    assert.notEqual(pathProblem("/a/😀"), null);
  });

  test("as 3.4: the ends of the ranges pass, their neighbours don't", () => {
    for (const code of [0x1f, 0x7f, 0x9f, 0xf8ff, 0xfff0, 0xffff]) {
      assert.notEqual(pathProblem(unit(code)), null);
      assert.equal(pathProblem(unit(code), { allowRangeEnds: true }), null, code.toString(16));
    }
    for (const code of [0, 1, 0x1e, 0x80, 0x9e, 0xd800, 0xd801, 0xf8fe, 0xfff1, 0xfffe]) {
      assert.notEqual(pathProblem(unit(code), { allowRangeEnds: true }), null, code.toString(16));
    }
  });
});

test("create and delete only ask for a slash and no NUL at first", () => {
  for (const path of ["/", "/a", "/a//b", "a/b", "/a/", "/.."]) assert.equal(hasCreatableForm(path), true, path);
  for (const path of ["", "a", "/a\0b", "\0/"]) assert.equal(hasCreatableForm(path), false, path);
});

test("parent and name", () => {
  assert.deepEqual(["/a", "/a/b", "/a/b/c", "/", "/a/", "/a//b", "a/b"].map(parentOf), [
    "/",
    "/a",
    "/a/b",
    "/",
    "/a",
    "/a/",
    "a",
  ]);
  assert.deepEqual(["/a", "/a/b", "/", "/a/"].map(nameOf), ["a", "b", "", ""]);
});

test("sequence suffix is Java's %010d", () => {
  assert.equal(sequenceSuffix(0), "0000000000");
  assert.equal(sequenceSuffix(42), "0000000042");
  assert.equal(sequenceSuffix(2147483647), "2147483647");
  assert.equal(sequenceSuffix(-1), "-000000001");
  assert.equal(sequenceSuffix(-2147483647), "-2147483647");
  assert.equal(sequenceSuffix(-2147483648), "-2147483648");
});

test("chroot", () => {
  for (const none of ["", "/"]) {
    assert.equal(withChroot(none, "/a"), "/a");
    assert.equal(withoutChroot(none, "/a"), "/a");
    assert.equal(withChroot(none, "/"), "/");
  }
  assert.equal(withChroot("/app", "/a/b"), "/app/a/b");
  assert.equal(withChroot("/app", "/"), "/app");
  assert.equal(withoutChroot("/app", "/app/a"), "/a");
  assert.equal(withoutChroot("/app", "/app"), "/");
  assert.equal(withoutChroot("/app", "/apple"), "/apple");
  assert.equal(withoutChroot("/app", "/"), "/");
});
