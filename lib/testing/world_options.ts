/**
 * Options of a test's world beside the settings of its servers, as it holds from the call on.
 *
 * Not here: defaults (test_server.ts, test_ensemble.ts).
 */
import { flag, type Shape, wholeNumber } from "../options/shape.ts";
import type { TestServerOptions } from "./test_server.ts";

/** The last millisecond that a date can be. */
const DATE_MAX = 8.64e15;

/** Of one server or several. */
export type WorldOptions = Pick<TestServerOptions, "startAt" | "seed" | "reportLeaks" | "historyEntriesMax">;

export const WORLD_SHAPE: Shape<WorldOptions> = {
  startAt: wholeNumber(0, DATE_MAX),
  seed: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  reportLeaks: flag,
  historyEntriesMax: wholeNumber(1, Number.MAX_SAFE_INTEGER),
};
