/**
 * Quick look into a zoo.cfg for commands that only want to know where something is.
 *
 * Not here: whether all of the file is right (zoo_cfg.ts). Invariant: nothing is changed, and nothing refused.
 */
import { readFileSync } from "node:fs";
import { parseProperties } from "./properties.ts";

/** The keys with their values; of several entries the last one counts. */
export function readSettings(file: string): ReadonlyMap<string, string> {
  return new Map(parseProperties(readFileSync(file, "utf8")).map(({ key, value }) => [key.trim(), value.trim()]));
}
