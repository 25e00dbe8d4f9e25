/**
 * Lengths of tests that could go on for ever: seeds, rounds, kills. `npm test` plays a few of them, `npm run test:all` many.
 */

/** Whether all is asked for that takes long. */
export const isAll: boolean = process.env.ZOOKERNEL_ALL === "1";

/** What the environment variable says, else the length that the run is to have. */
export function campaign(variable: string, lengths: { readonly quick: number; readonly all: number }): number {
  return Number(process.env[variable] ?? (isAll ? lengths.all : lengths.quick));
}
