/**
 * Schedules of repeated work: a period, a cron expression, or a function that names the next time.
 *
 * A period counts from 1970, so that every process names the same times. Cron expressions are read by the package `croner`, which whoever uses them
 * installs.
 *
 * Invariant: a schedule gives, for a time, the first of its own times behind it; always the same one.
 */
import { type Duration, milliseconds } from "../base/duration.ts";

/** The first time of the schedule after `wallMs`, both in milliseconds since 1970; null: there is none any more. */
export type NextTime = (wallMs: number) => number | null;

/** Milliseconds or text such as `"5m"`; a cron expression such as `"0 3 * * *"`; or a function. */
export type Schedule = Duration | NextTime;

const FORMS = 'a period such as "5m", a cron expression such as "0 3 * * *", or a function (now) => next';

/**
 * The schedule as a function. `timezone` is for cron expressions, such as `"Europe/Berlin"`.
 *
 * @throws TypeError for what is no schedule, and for a cron expression where `croner` is not installed
 */
export async function nextTimeOf(schedule: Schedule, timezone = "UTC"): Promise<NextTime> {
  if (typeof schedule === "function") return schedule;
  if (typeof schedule === "string" && schedule.includes(" ")) return await cron(schedule, timezone);
  if (typeof schedule !== "string" && typeof schedule !== "number") throw new TypeError(`A schedule is ${FORMS}`);
  const periodMs = milliseconds(schedule);
  if (periodMs < 1) throw new TypeError(`A schedule's period is at least a millisecond, not ${JSON.stringify(schedule)}`);
  return (wallMs) => (Math.floor(wallMs / periodMs) + 1) * periodMs;
}

async function cron(expression: string, timezone: string): Promise<NextTime> {
  const { Cron } = await import("croner").catch((cause: unknown) => {
    throw new TypeError(`"${expression}" is a cron expression: install the package "croner", or give ${FORMS}`, { cause });
  });
  const pattern = new Cron(expression, { paused: true, timezone });
  return (wallMs) => pattern.nextRun(new Date(wallMs))?.getTime() ?? null;
}
