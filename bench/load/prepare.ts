/**
 * Makes the nodes a job needs, and leaves those that are there as they are, so jobs can be repeated against one server.
 */

import { create } from "./frames.ts";
import type { RequestsJob } from "./job.ts";
import { CHILDREN, dataPath, LISTED_PATH, NODES, nodePath, PAIRS_PATH, PARENT_PATH } from "./script.ts";
import { Session } from "./session.ts";

const NODE_EXISTS = -110;
const NO_DATA = Buffer.alloc(0);

export async function prepareNodes(port: number, job: RequestsJob): Promise<void> {
  const session = await Session.open(port);
  const data = Buffer.alloc(job.dataBytes, "z");
  for (const path of [PARENT_PATH, PAIRS_PATH, LISTED_PATH, dataPath(job.dataBytes)]) await ensure(session, path, NO_DATA);
  for (let index = 0; index < NODES; index++) await ensure(session, nodePath(job.dataBytes, index), data);
  if (job.mix.getChildren !== undefined) {
    for (let index = 0; index < CHILDREN; index++) await ensure(session, `${LISTED_PATH}/child-${index}`, NO_DATA);
  }
  await session.close();
}

/** Creates the node unless it exists. */
export async function ensure(session: Session, path: string, data: Uint8Array): Promise<void> {
  const { error } = await session.call(create(path, data));
  if (error !== 0 && error !== NODE_EXISTS) throw new Error(`create ${path} was answered with error ${error}`);
}
