/**
 * A fake ZooKeeper for code that is tested with Jest: real sessions, no port, no mock.
 * @jest-environment ./zookernel-environment.js
 */
const { list, register } = require("./workers.js");

let zk;
beforeEach(async () => {
  zk = await testServer();
});
afterEach(() => zk.close());

test("a worker whose session ends is no longer listed", async () => {
  const [one, two] = [await zk.connect(), await zk.connect()];
  await register(one, "one");
  await register(two, "two");
  zk.expire(one);
  expect(await list(two)).toEqual(["two"]);
});

test("a lost reply reaches the code as an error", async () => {
  const client = await zk.connect();
  zk.faults.on({ op: "create", path: "/workers/*" }).once().loseReply();
  await expect(register(client, "one")).rejects.toMatchObject({ code: "ConnectionLoss" });
});
