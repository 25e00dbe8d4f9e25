/**
 * Request of `zookernel snapshot take` to a server that runs: a file in the data directory, which the server looks for. That takes
 * no port and no signal, and whoever may do it is who may write there.
 *
 * Invariant: a request that nobody takes is withdrawn. What stands in the answer is said once.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { clearInterval, setInterval } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "@std/path";
import { formatZxid } from "../../lib/model/zxid.ts";
import type { Logger } from "../../lib/ports.ts";
import { StorageError } from "../../lib/store/storage_error.ts";
import type { Server } from "../../mod.ts";
import { VERSION_FOLDER } from "../storage/file_names.ts";
import { LOCK_FILE } from "../storage/lock.ts";
import { Progress } from "./output.ts";

const REQUEST = "zookernel-snapshot-wanted";
const ANSWER = "zookernel-snapshot-answer";
const LOOK_MS = 500;
/** A server that runs has looked by then, however busy it is. */
const TAKEN_WITHIN_MS = 10_000;
const STEP_MS = 50;

/** Looks for requests until it is told to stop. */
export function answerSnapshotRequests(server: Pick<Server, "saveSnapshot">, dataDir: string, logger: Logger): () => void {
  const { request, answer } = pathsIn(dataDir);
  const look = (): void => {
    if (!existsSync(request)) return;
    rmSync(request, { force: true });
    logger.info("A snapshot is asked for");
    const reply = (text: string): void => writeFileSync(answer, text, { mode: 0o600 });
    const failed = (error: unknown): void => reply(`failed: ${error instanceof Error ? error.message : String(error)}`);
    server
      .saveSnapshot()
      .then((zxid) => reply(`snapshot taken at ${formatZxid(zxid)}`))
      .catch(failed)
      .catch((error: unknown) => logger.warn(`The snapshot that was asked for can't be answered: ${String(error)}`));
  };
  const timer = setInterval(() => {
    try {
      look();
    } catch (error) {
      logger.warn(`A request for a snapshot can't be taken: ${String(error)}`);
    }
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Asks the server that has the directory, and waits for what it says.
 *
 * @throws StorageError if it does not answer, or can't do it
 */
export async function askForSnapshot(dataDir: string): Promise<string> {
  const { request, answer, lock } = pathsIn(dataDir);
  rmSync(answer, { force: true });
  writeFileSync(request, "", { mode: 0o600 });
  for (let waited = 0; existsSync(request); waited += STEP_MS) {
    if (waited >= TAKEN_WITHIN_MS) {
      rmSync(request, { force: true });
      throw new StorageError({
        place: dataDir,
        problem: "a server has it open that does not answer",
        advice:
          "Only one that was started with `zookernel start-foreground` is asked in this way; in a program of your own call server.saveSnapshot()",
      });
    }
    await sleep(STEP_MS);
  }
  const progress = new Progress("seconds that the server has been writing");
  for (let waited = 0; !existsSync(answer); waited += STEP_MS) {
    if (!existsSync(lock))
      throw new StorageError({ place: dataDir, problem: "the server ended before the snapshot was taken" });
    progress.done(Math.round(waited / 1000));
    await sleep(STEP_MS);
  }
  const said = readFileSync(answer, "utf8");
  rmSync(answer, { force: true });
  if (said.startsWith("failed")) throw new StorageError({ place: dataDir, problem: `no snapshot was taken, ${said}` });
  return said;
}

function pathsIn(dataDir: string): { readonly request: string; readonly answer: string; readonly lock: string } {
  const folder = join(dataDir, VERSION_FOLDER);
  return { request: join(folder, REQUEST), answer: join(folder, ANSWER), lock: join(folder, LOCK_FILE) };
}
