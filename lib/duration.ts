/**
 * Durations as people write them: `"30s"`, `"1h30m"`, or milliseconds.
 */

/** Milliseconds as a number, or text such as `"250ms"`, `"30s"`, `"5m"`, `"1h30m"`, `"2d"`. */
export type Duration = number | string;

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const TEXT = /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|[smhd])/g;

/**
 * The duration in milliseconds.
 *
 * @throws TypeError for what is none
 */
export function milliseconds(duration: Duration): number {
  if (typeof duration === "number") {
    if (Number.isFinite(duration) && duration >= 0) return duration;
  } else if (TEXT.test(duration)) {
    return Array.from(duration.matchAll(PART), ([, count, unit]) => Number(count) * UNITS_MS[unit!]!).reduce((a, b) => a + b);
  }
  const given = JSON.stringify(duration) ?? String(duration);
  throw new TypeError(`${given} is no duration: write milliseconds as a number, or text such as "250ms", "30s", "1h30m"`);
}

/** The other way round, for messages: `"1h30m"`. */
export function durationText(ms: number): string {
  const parts: string[] = [];
  let left = ms;
  for (const unit of ["d", "h", "m", "s"]) {
    const count = Math.floor(left / UNITS_MS[unit]!);
    if (count > 0) parts.push(`${count}${unit}`);
    left -= count * UNITS_MS[unit]!;
  }
  if (left > 0 || parts.length === 0) parts.push(`${Number(left.toFixed(3))}ms`);
  return parts.join("");
}
