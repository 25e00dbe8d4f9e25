/**
 * Randomness that is the same in every run: a test that depends on it fails the same way twice.
 *
 * Not for secrets, and not for statistics.
 */

/** Numbers in [0, 1) that follow from the seed: a 32-bit counter, well mixed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
