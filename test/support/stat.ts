/** A Stat for where nobody looks at it. */
import type { Stat } from "../../lib/model/types.ts";

export const NO_STAT: Stat = {
  ...{ czxid: 0n, mzxid: 0n, ctime: 0, mtime: 0, version: 0, cversion: 0, aversion: 0 },
  ...{ ephemeralOwner: 0n, dataLength: 0, numChildren: 0, pzxid: 0n },
};
