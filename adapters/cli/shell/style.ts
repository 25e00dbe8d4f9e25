/** Versions of zkCli.sh whose output the shell has: 3.8, or 3.4, which prints Stats without being asked. */

export const STYLES = ["3.8", "3.4"] as const;
export type Style = (typeof STYLES)[number];
