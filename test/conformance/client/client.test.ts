/** Every verb of the client on every server: see suite.ts. */
import { after, before, describe, test } from "node:test";
import { acl } from "./acl.ts";
import { create } from "./create.ts";
import { deleting } from "./delete.ts";
import { exists } from "./exists.ts";
import { getChildren } from "./get_children.ts";
import { getData } from "./get_data.ts";
import { identity } from "./identity.ts";
import { session } from "./session.ts";
import { setData } from "./set_data.ts";
import { runCase, type Target, type Verb } from "./suite.ts";
import { targets } from "./targets.ts";
import { transaction } from "./transaction.ts";
import { tree } from "./tree.ts";
import { watch } from "./watch.ts";

const verbs: readonly Verb[] = [
  ...[create, deleting, setData, getData, exists, getChildren, acl],
  ...[transaction, watch, identity, tree, session],
];

for (const { name, skip, exceptions, start } of targets) {
  describe(name, { skip }, () => {
    let target: Target;
    before(async () => {
      target = await start();
    });
    after(() => target?.stop());

    for (const { verb, cases } of verbs) {
      describe(verb, () => {
        for (const [title, run] of Object.entries(cases)) {
          const reason = exceptions[`${verb}: ${title}`];
          if (reason !== undefined) console.log(`not a case of ${name}: ${verb}: ${title}: ${reason}`);
          else test(title, { timeout: 60_000 }, () => runCase(target, run));
        }
      });
    }
  });
}
