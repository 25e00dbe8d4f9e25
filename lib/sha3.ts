/**
 * SHA-3 (FIPS 202), for digests that are told to use it.
 *
 * Lanes are bigints: a permutation takes far longer than with pairs of numbers, and is asked for once an identity is proved.
 */

const ROUNDS = 24;
const LANES = 25;
const STATE_BYTES = 200;
const LANE_BITS = 64n;

/** Where a lane goes, and by how much it is rotated on the way. */
interface Step {
  readonly to: number;
  readonly by: bigint;
}

/** The hash, so many bytes of it. */
export function sha3(bytes: Uint8Array, digestBytes: 28 | 32 | 48 | 64): Uint8Array {
  const rate = STATE_BYTES - 2 * digestBytes;
  const padded = new Uint8Array((Math.floor(bytes.length / rate) + 1) * rate);
  padded.set(bytes);
  padded[bytes.length]! ^= 0x06;
  padded[padded.length - 1]! ^= 0x80;
  const view = new DataView(padded.buffer);
  // Made anew each time: they take a moment, and a server that never needs them should not make them when it starts.
  const [constants, steps] = [roundConstants(), rotations()];
  let state: bigint[] = new Array(LANES).fill(0n);
  for (let block = 0; block < padded.length; block += rate) {
    for (let lane = 0; lane * 8 < rate; lane++) state[lane]! ^= view.getBigUint64(block + lane * 8, true);
    for (const constant of constants) state = mixed(state, steps, constant);
  }
  const out = new DataView(new ArrayBuffer(STATE_BYTES));
  for (const [lane, value] of state.entries()) out.setBigUint64(lane * 8, value, true);
  return new Uint8Array(out.buffer, 0, digestBytes);
}

/** One round: theta, rho and pi, chi, iota. */
function mixed(state: readonly bigint[], steps: readonly Step[], constant: bigint): bigint[] {
  const columns = [0, 1, 2, 3, 4].map((x) => state[x]! ^ state[x + 5]! ^ state[x + 10]! ^ state[x + 15]! ^ state[x + 20]!);
  const moved: bigint[] = new Array(LANES).fill(0n);
  for (let at = 0; at < LANES; at++) {
    const x = at % 5;
    const lane = state[at]! ^ columns[(x + 4) % 5]! ^ rotated(columns[(x + 1) % 5]!, 1n);
    const { to, by } = steps[at]!;
    moved[to] = rotated(lane, by);
  }
  const out = moved.map((lane, at) => {
    const row = at - (at % 5);
    return lane ^ (BigInt.asUintN(64, ~moved[row + ((at + 1) % 5)]!) & moved[row + ((at + 2) % 5)]!);
  });
  out[0]! ^= constant;
  return out;
}

function rotated(lane: bigint, by: bigint): bigint {
  return BigInt.asUintN(64, (lane << by) | (lane >> (LANE_BITS - by)));
}

function rotations(): Step[] {
  const steps: Step[] = Array.from({ length: LANES }, () => ({ to: 0, by: 0n }));
  let [x, y] = [1, 0];
  for (let t = 0; t < LANES - 1; t++) {
    const [toX, toY] = [y, (2 * x + 3 * y) % 5];
    steps[x + 5 * y] = { to: toX + 5 * toY, by: BigInt((((t + 1) * (t + 2)) / 2) % 64) };
    [x, y] = [toX, toY];
  }
  return steps;
}

/** What is mixed into the first lane, round by round: bits of a shift register of eight, as in the standard. */
function roundConstants(): bigint[] {
  let register = 1;
  const nextBit = (): number => {
    const bit = register & 1;
    register = (register << 1) ^ ((register >> 7) * 0x171);
    return bit;
  };
  return Array.from({ length: ROUNDS }, () => {
    let constant = 0n;
    for (let j = 0; j < 7; j++) if (nextBit() === 1) constant |= 1n << BigInt(2 ** j - 1);
    return constant;
  });
}
