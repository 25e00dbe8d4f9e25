/** Which release this is, and which releases of ZooKeeper it answers for. */
import type { Compat } from "../model/compat.ts";

/** As in package.json. */
export const VERSION = "0.1.0";

const RELEASED = "2026-11-24 00:00 UTC";
/** As builds up to 3.6 write it: there are clients that parse it. */
const RELEASED_OLD_FORM = "11/24/2026 00:00 GMT";

/** The release of each version whose behaviour was recorded or read. */
const RELEASES: Readonly<Record<Compat, string>> = {
  "3.4": "3.4.14",
  "3.5": "3.5.10",
  "3.6": "3.6.4",
  "3.7": "3.7.2",
  "3.8": "3.8.0",
  "3.9": "3.9.5",
};

/** What monitors read as ZooKeeper's version; they look at the numbers ahead of the first `-`. */
export function versionText(compat: Compat): string {
  const released = compat <= "3.6" ? RELEASED_OLD_FORM : RELEASED;
  return `${RELEASES[compat]}-zookernel-${VERSION}, built on ${released}`;
}
