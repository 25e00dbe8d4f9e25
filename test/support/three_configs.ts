/** A zoo.cfg for each of three members, with its data directory and myid. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, zooCfg } from "./server_process.ts";

export async function threeConfigs(folder: string): Promise<readonly string[]> {
  const ids = [1, 2, 3];
  const members: Record<string, string> = {};
  for (const id of ids) members[`server.${id}`] = `127.0.0.1:${await freePort()}:${await freePort()}`;
  const files: string[] = [];
  for (const id of ids) {
    const dataDir = join(folder, `member-${id}`);
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, "myid"), `${id}\n`);
    const file = join(folder, `zoo${id}.cfg`);
    const config = { tickTime: 2000, initLimit: 10, syncLimit: 5, dataDir, clientPort: await freePort(), ...members };
    writeFileSync(file, zooCfg(config));
    files.push(file);
  }
  return files;
}
