/**
 * Checks of what recipes are told: options by their names, whose programs share the recipe, the rule of loss, the limits of a wait.
 *
 * Not here: what a single recipe knows alone, such as the number of its leases (the recipe's own file).
 *
 * Invariant: a wrong option is named before anything is asked of the server.
 */
import { argumentError, checkOneOf, checkOptions, checkSignal, checkString, describe } from "../base/validate.ts";
import { LOSS_RULES } from "../client/lease.ts";

/** Options of whoever stands in line, of one recipe or another. */
interface ContenderOptions {
  readonly layout?: string;
  readonly id?: string;
  readonly rule?: string;
}

/** Checks the options of a recipe that is owned. `layouts` are those it has; `more` are options that it checks itself. @throws TypeError */
export function checkOwnedOptions(
  action: string,
  options: ContenderOptions,
  layouts: readonly string[],
  more: readonly string[] = [],
): void {
  checkOptions(action, options, [...more, "layout", "id", "rule"], `{ layout: "${layouts.at(-1)}" }`);
  const { layout, id, rule } = options;
  if (layout !== undefined) checkOneOf(action, "layout", layout, layouts);
  if (id !== undefined) checkString(action, "id", id, '"host-1"');
  checkRule(action, rule);
}

/** Checks when something counts as lost; undefined is the default. @throws TypeError */
export function checkRule(action: string, rule: unknown): void {
  if (rule !== undefined) checkOneOf(action, "rule", rule, LOSS_RULES);
}

/** Checks the limits of a wait. @throws TypeError */
export function checkWait(action: string, options: { readonly signal?: unknown; readonly timeoutMs?: unknown }): void {
  checkOptions(action, options, ["signal", "timeoutMs"], "{ timeoutMs: 5000 }");
  const { signal, timeoutMs } = options;
  if (signal !== undefined) checkSignal(action, signal);
  if (timeoutMs !== undefined && !(typeof timeoutMs === "number" && timeoutMs >= 0))
    throw argumentError(action, `timeoutMs must be a number of milliseconds such as 5000, not ${describe(timeoutMs)}`);
}
