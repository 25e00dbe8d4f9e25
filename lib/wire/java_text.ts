/** Numbers and dates as Java prints them, where monitors parse what Java printed. */

/** A mean, rounded to four decimals, with one at least: `4.4`, `0.3333`, `0.0`. */
export function decimals(value: number): string {
  const rounded = Math.round(value * 10_000) / 10_000;
  return Number.isInteger(rounded) ? `${rounded}.0` : String(rounded);
}

const DAYS = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]; // 1970 began on a Thursday
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_MS = 86_400_000;

/** A time after 1970, in UTC: `Sun Nov 22 09:44:07 UTC 2026`. The core has no Date, so the calendar is counted out. */
export function javaDate(wallMs: number): string {
  const days = Math.floor(wallMs / DAY_MS);
  const seconds = Math.floor((wallMs - days * DAY_MS) / 1000);
  const { year, month, day } = civil(days);
  const clock = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) => two(Math.floor(part))).join(":");
  return `${DAYS[days % 7]} ${MONTHS[month]} ${two(day)} ${clock} UTC ${year}`;
}

/** Days since 1970 → date of the Gregorian calendar, month counted from 0. */
function civil(days: number): { year: number; month: number; day: number } {
  let year = 1970;
  while (days >= yearDays(year)) days -= yearDays(year++);
  let month = 0;
  while (days >= monthDays(year, month)) days -= monthDays(year, month++);
  return { year, month, day: days + 1 };
}

function yearDays(year: number): number {
  return monthDays(year, 1) === 29 ? 366 : 365;
}

function monthDays(year: number, month: number): number {
  if (month === 1) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [3, 5, 8, 10].includes(month) ? 30 : 31;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
