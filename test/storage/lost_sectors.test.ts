/** A log that has lost a sector: what a start makes of it, near its end and further from it; and that the writer holds to what the reader takes for granted. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { FileStorage } from "../../adapters/storage/file.ts";
import { fileStorage } from "../../adapters/storage/mod.ts";
import type { Logger } from "../../lib/ports.ts";
import { GROUP_BYTES_MAX } from "../../lib/store/log_records.ts";
import { open } from "../../mod.ts";
import { SimulatedDisk } from "../simulation/disk.ts";
import { Random } from "../support/random.ts";
import { temporaryFolder } from "../support/temporary.ts";

const folder = temporaryFolder("lost-sectors");
after(() => rmSync(folder, { recursive: true, force: true }));
let places = 0;
const SECTOR = 512;

/** A directory whose log has so many znodes of 1,000 bytes, one after the other, all acknowledged. */
async function filled(count: number): Promise<{ readonly dataDir: string; readonly log: string }> {
  const dataDir = join(folder, String(places++));
  await using server = await open({ storage: fileStorage({ dataDir, forceSync: false }) });
  await using zk = await server.connect();
  for (let number = 0; number < count; number++) await zk.create(`/n${number}`, new Uint8Array(1000).fill(1 + (number % 255)));
  const name = readdirSync(join(dataDir, "version-2")).find((one) => one.startsWith("log."))!;
  return { dataDir, log: join(dataDir, "version-2", name) };
}

/** Zeros over a sector that lies so far from the end of the log. */
function loseSector(log: string, fromEnd: number): Buffer {
  const bytes = readFileSync(log);
  const at = Math.floor((bytes.findLastIndex((byte) => byte !== 0) - fromEnd) / SECTOR) * SECTOR;
  bytes.fill(0, at, at + SECTOR);
  writeFileSync(log, bytes);
  return bytes;
}

function heard(): { readonly said: string[]; readonly logger: Logger } {
  const said: string[] = [];
  return {
    said,
    logger: {
      debug() {},
      info() {},
      warn: (line) => void said.push(`warn ${line}`),
      error: (line) => void said.push(`error ${line}`),
    },
  };
}

describe("a log that has lost a sector", () => {
  for (const fromEnd of [3_000, 200_000]) {
    test(`${fromEnd} bytes from its end is cut there; what stood behind it is kept, and logged`, async () => {
      const { dataDir, log } = await filled(400);
      const before = loseSector(log, fromEnd);
      const { said, logger } = heard();
      {
        await using server = await open({ storage: fileStorage(dataDir), logger });
        const children = server.inspect("/")!.children.length - 1;
        assert.ok(children < 400 && children > 0);
      }
      const [, offset = "", first = "", last = "", kept = ""] =
        /^error \S+log\.\w+ at offset (\d+): .*; the log is cut there, and txns (0x\w+) to (0x\w+), .* are in (\S+)$/.exec(
          said.join("\n"),
        ) ?? [];
      assert.ok(BigInt(first) < BigInt(last), said.join("\n"));
      assert.equal(kept, join(dataDir, "version-2", `cut-of-${log.split("/").at(-1)}-at-${offset}`));
      assert.deepEqual(readFileSync(kept), before.subarray(Number(offset)));
      const again = heard();
      await using server = await open({ storage: fileStorage(dataDir), logger: again.logger });
      assert.deepEqual(again.said, []);
      assert.notEqual(server.inspect("/n0"), null);
    });
  }

  for (const fromEnd of [GROUP_BYTES_MAX + 3000, 2_500_000]) {
    test(`${fromEnd} bytes from its end is refused, with the place and what can be done`, async () => {
      const { dataDir, log } = await filled(3000);
      const before = loseSector(log, fromEnd);
      const problem = new RegExp(
        `^StorageError: ${log} at offset \\d+: .*, and txn 0x\\w+ stands whole behind it.*zookernel log repair --force ${log}`,
      );
      await assert.rejects(open({ storage: fileStorage(dataDir), logger: heard().logger }), problem);
      assert.deepEqual(readFileSync(log), before);
    });
  }
});

test("no more than a group is written before a sync, unless it is a single record", async () => {
  for (const [count, bytes] of [
    [5000, 1000],
    [40, 100_000],
    [6, 700_000],
    [4, 2_000_000],
  ] as const) {
    const disk = new SimulatedDisk(new Random(1));
    const storage = new FileStorage({ dataDir: "/sim", preAllocBytes: 0 }, disk.mount());
    await storage.open(heard().logger);
    const records = Array.from({ length: count }, (_, index) => {
      const record = new Uint8Array(bytes).fill(1);
      new DataView(record.buffer).setBigInt64(12, BigInt(index + 1));
      return { zxid: BigInt(index + 1), bytes: record };
    });
    await Promise.all([storage.append(records.slice(0, count / 2)), storage.append(records.slice(count / 2))]);
    assert.ok(
      disk.unsyncedBytesMax <= Math.max(GROUP_BYTES_MAX + 16, bytes + 13 + 16),
      `${count} of ${bytes}: ${disk.unsyncedBytesMax}`,
    );
    await storage.close();
  }
});
