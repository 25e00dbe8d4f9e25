/** Versions of zkCli.sh whose output the shell has: 3.8; 3.4, which prints Stats without being asked; 3.9, whose events have zxids. */

export const STYLES = ["3.8", "3.4", "3.9"] as const;
export type Style = (typeof STYLES)[number];
