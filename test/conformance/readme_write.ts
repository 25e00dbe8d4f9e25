/** Writes the README's generated parts anew: `bun test/conformance/readme_write.ts`. */

import { writeFileSync } from "node:fs";
import { README, readme } from "./readme.ts";

writeFileSync(README, readme().ought);
