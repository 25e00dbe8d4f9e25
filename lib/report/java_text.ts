/** Numbers and dates as Java prints them, where monitors parse what Java printed. */

/** A mean, rounded to four decimals, with one at least: `4.4`, `0.3333`, `0.0`. */
export function decimals(value: number): string {
  const rounded = Math.round(value * 10_000) / 10_000;
  return Number.isInteger(rounded) ? `${rounded}.0` : String(rounded);
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A time in UTC: `Sun Nov 22 09:44:07 UTC 2026`. */
export function javaDate(wallMs: number): string {
  const date = new Date(wallMs);
  const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(":");
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate())} ${clock} UTC ${date.getUTCFullYear()}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
