import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { describeProcess } from "../../adapters/process_report.ts";
import { consoleLogger, systemClock } from "../../adapters/system.ts";
import { programCommand, runtimeName } from "../support/runtime.ts";
import { until } from "../support/until.ts";

test("the clock wakes no earlier than asked, and not at all once cancelled", async () => {
  const clock = systemClock();
  const woken: string[] = [];
  const due = clock.now().mono + 3.7;
  let early = false;
  clock.wakeAt(due, () => {
    early = clock.now().mono < due;
    woken.push("due");
  });
  clock.wakeAt(due, () => woken.push("cancelled"))();
  clock.wakeAt(due - 1000, () => woken.push("overdue"));
  const cancelFar = clock.wakeAt(due + 1e12, () => woken.push("far"));
  await until(() => woken.includes("due") && woken.includes("overdue"), "both wake-ups");
  cancelFar();
  // In either order: a process that is held up after the first call finds both due at once.
  assert.deepEqual(woken.toSorted(), ["due", "overdue"]);
  assert.equal(early, false);
});

test("after a stall, what has come meanwhile is heard before the wake-up that is late", async () => {
  const clock = systemClock();
  const heard: string[] = [];
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket] = (await once(server, "connection")) as [Socket];
  try {
    socket.on("data", (bytes) => {
      heard.push(String(bytes));
      if (heard.length > 1) return;
      clock.wakeAt(clock.now().mono + 5, () => heard.push("woken"));
      client.write("second");
      for (const { mono } = clock.now(); clock.now().mono < mono + 100; );
    });
    client.write("first");
    await until(() => heard.length === 3, "all to be heard");
    assert.deepEqual(heard, ["first", "second", "woken"]);
  } finally {
    client.destroy();
    socket.destroy();
    server.close();
  }
});

test("a wake-up does not keep the process alive", () => {
  const { command, args } = programCommand("test/unit/fixtures/armed_clock.ts");
  const child = spawnSync(command, args, { encoding: "utf8", timeout: 20_000 });
  assert.deepEqual([child.stdout, child.status], ["armed\n", 0], child.stderr);
});

test("the process tells what Java's environment has, and the runtime", () => {
  const { environment, fileDescriptors } = describeProcess();
  const told = new Map(environment);
  assert.equal(told.get("runtime.name"), runtimeName);
  assert.match(told.get("runtime.version")!, /^\d+\.\d+\.\d+/);
  assert.match(told.get("os.memory.total")!, /^\d+MB$/);
  for (const key of ["host.name", "java.version", "os.name", "user.dir"]) assert.ok(told.get(key), key);
  if (process.platform === "linux") assert.ok(fileDescriptors!.open > 0 && fileDescriptors!.max >= fileDescriptors!.open);
});

test("the log writes from its level up, one line a message, control characters escaped", () => {
  const lines: string[] = [];
  const log = consoleLogger({ level: "warn", write: (line) => lines.push(line), colour: false });
  log.debug("no");
  log.info("no");
  log.warn("a\x1b[2J\rb");
  log.error("two\nlines");
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARN {2}a\\x1b\[2J\\x0db$/);
  assert.match(lines[1]!, / ERROR two\\x0alines$/);
});

test("the log is coloured only when asked or on a terminal", () => {
  const lines: string[] = [];
  consoleLogger({ write: (line) => lines.push(line), colour: true }).error("x");
  consoleLogger({ write: (line) => lines.push(line) }).error("x");
  assert.ok(lines[0]!.startsWith("\x1b[31m") && lines[0]!.endsWith("\x1b[0m"));
});
