/**
 * SHA-256, SHA-384 and SHA-512 (FIPS 180-4), synchronous and without a platform, for short inputs such as `user:password`.
 *
 * The standard defines its constants as the first bits of roots of primes; they are computed from that definition on first use.
 * SHA-256 uses the upper halves of what SHA-512 uses.
 *
 * A 64-bit word is two 32-bit halves here, upper half first: with bigints it is seven times slower.
 */
import { hashBlocks } from "./hash_blocks.ts";

/** The 32 bytes of the hash. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const { squareRoots } = constants();
  const state = Uint32Array.from({ length: 8 }, (_, i) => squareRoots[2 * i]!);
  hashBlocks(bytes, { blockBytes: 64, littleEndian: false }, (view, offset) => compress256(state, view, offset));
  return bigEndian(state);
}

/** The 48 bytes of the hash. */
export function sha384(bytes: Uint8Array): Uint8Array {
  return hash512(bytes, constants().squareRoots.slice(16, 32)).slice(0, 48);
}

/** The 64 bytes of the hash. */
export function sha512(bytes: Uint8Array): Uint8Array {
  return hash512(bytes, constants().squareRoots.slice(0, 16));
}

function hash512(bytes: Uint8Array, state: Uint32Array): Uint8Array {
  hashBlocks(bytes, { blockBytes: 128, littleEndian: false }, (view, offset) => compress512(state, view, offset));
  return bigEndian(state);
}

function bigEndian(words: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setUint32(4 * i, word);
  });
  return bytes;
}

const words256 = new Int32Array(64);

function compress256(state: Uint32Array, block: DataView, offset: number): void {
  const w = words256;
  for (let i = 0; i < 16; i++) w[i] = block.getInt32(offset + 4 * i);
  for (let i = 16; i < 64; i++) {
    const far = w[i - 15]!;
    const near = w[i - 2]!;
    const farMix = rotateRight(far, 7) ^ rotateRight(far, 18) ^ (far >>> 3);
    const nearMix = rotateRight(near, 17) ^ rotateRight(near, 19) ^ (near >>> 10);
    w[i] = w[i - 16]! + farMix + w[i - 7]! + nearMix;
  }
  const { cubeRoots } = constants();
  const v = Int32Array.from(state);
  for (let i = 0; i < 64; i++) {
    // The eight variables a … h stay where they are; which of them is called a moves on by one each round.
    const at = (name: number): number => (name - i) & 7;
    const a = v[at(0)]!;
    const e = v[at(4)]!;
    const choice = (e & v[at(5)]!) ^ (~e & v[at(6)]!);
    const majority = (a & v[at(1)]!) ^ (a & v[at(2)]!) ^ (v[at(1)]! & v[at(2)]!);
    const first =
      v[at(7)]! + (rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25)) + choice + cubeRoots[2 * i]! + w[i]!;
    const second = (rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22)) + majority;
    v[at(3)]! += first;
    v[at(7)] = first + second;
  }
  for (let i = 0; i < 8; i++) state[i]! += v[i]!;
}

function rotateRight(word: number, places: number): number {
  return (word >>> places) | (word << (32 - places));
}

const words512 = new Uint32Array(160);

function compress512(state: Uint32Array, block: DataView, offset: number): void {
  const w = words512;
  for (let i = 0; i < 32; i++) w[i] = block.getUint32(offset + 4 * i);
  for (let i = 32; i < 160; i += 2) {
    const [farHigh, farLow] = [w[i - 30]!, w[i - 29]!];
    const [nearHigh, nearLow] = [w[i - 4]!, w[i - 3]!];
    const farMixHigh = rotatedHalf(farHigh, farLow, 1) ^ rotatedHalf(farHigh, farLow, 8) ^ (farHigh >>> 7);
    const farMixLow = rotatedHalf(farLow, farHigh, 1) ^ rotatedHalf(farLow, farHigh, 8) ^ rotatedHalf(farLow, farHigh, 7);
    const nearMixHigh = rotatedHalf(nearHigh, nearLow, 19) ^ rotatedHalf(nearHigh, nearLow, 61) ^ (nearHigh >>> 6);
    const nearMixLow =
      rotatedHalf(nearLow, nearHigh, 19) ^ rotatedHalf(nearLow, nearHigh, 61) ^ rotatedHalf(nearLow, nearHigh, 6);
    const low = w[i - 31]! + (farMixLow >>> 0) + w[i - 13]! + (nearMixLow >>> 0);
    w[i] = w[i - 32]! + farMixHigh + w[i - 14]! + nearMixHigh + carry(low);
    w[i + 1] = low;
  }
  const { cubeRoots } = constants();
  const v = state.slice();
  for (let i = 0; i < 160; i += 2) {
    const at = (name: number): number => (2 * name - i) & 15;
    const [aHigh, aLow] = [v[at(0)]!, v[at(0) + 1]!];
    const [bHigh, bLow] = [v[at(1)]!, v[at(1) + 1]!];
    const [cHigh, cLow] = [v[at(2)]!, v[at(2) + 1]!];
    const [eHigh, eLow] = [v[at(4)]!, v[at(4) + 1]!];
    const choiceHigh = (eHigh & v[at(5)]!) ^ (~eHigh & v[at(6)]!);
    const choiceLow = (eLow & v[at(5) + 1]!) ^ (~eLow & v[at(6) + 1]!);
    const majorityHigh = (aHigh & bHigh) ^ (aHigh & cHigh) ^ (bHigh & cHigh);
    const majorityLow = (aLow & bLow) ^ (aLow & cLow) ^ (bLow & cLow);
    const eMixHigh = rotatedHalf(eHigh, eLow, 14) ^ rotatedHalf(eHigh, eLow, 18) ^ rotatedHalf(eHigh, eLow, 41);
    const eMixLow = rotatedHalf(eLow, eHigh, 14) ^ rotatedHalf(eLow, eHigh, 18) ^ rotatedHalf(eLow, eHigh, 41);
    const aMixHigh = rotatedHalf(aHigh, aLow, 28) ^ rotatedHalf(aHigh, aLow, 34) ^ rotatedHalf(aHigh, aLow, 39);
    const aMixLow = rotatedHalf(aLow, aHigh, 28) ^ rotatedHalf(aLow, aHigh, 34) ^ rotatedHalf(aLow, aHigh, 39);

    const firstLow = v[at(7) + 1]! + (eMixLow >>> 0) + (choiceLow >>> 0) + cubeRoots[i + 1]! + w[i + 1]!;
    const firstHigh = v[at(7)]! + eMixHigh + choiceHigh + cubeRoots[i]! + w[i]! + carry(firstLow);
    const dLow = v[at(3) + 1]! + (firstLow >>> 0);
    const nextLow = (firstLow >>> 0) + (aMixLow >>> 0) + (majorityLow >>> 0);
    v[at(3)]! += firstHigh + carry(dLow);
    v[at(3) + 1] = dLow;
    v[at(7)] = firstHigh + aMixHigh + majorityHigh + carry(nextLow);
    v[at(7) + 1] = nextLow;
  }
  for (let i = 0; i < 16; i += 2) {
    const low = state[i + 1]! + v[i + 1]!;
    state[i]! += v[i]! + carry(low);
    state[i + 1] = low;
  }
}

/**
 * One half of a 64-bit word turned right: `here` is that half before the turn, `other` the other one. For the upper half of a turn by 32
 * and more the halves change places.
 */
function rotatedHalf(here: number, other: number, places: number): number {
  if (places > 32) return rotatedHalf(other, here, places - 32);
  return (here >>> places) | (other << (32 - places));
}

/** What a sum of lower halves adds to the upper half. */
function carry(low: number): number {
  return Math.floor(low / 2 ** 32);
}

interface Constants {
  /** First 64 bits of the fractional parts of the cube roots of the first 80 primes, as halves. */
  readonly cubeRoots: Uint32Array;
  /** The same of the square roots of the first 16 primes. */
  readonly squareRoots: Uint32Array;
}

let computed: Constants | undefined;

function constants(): Constants {
  computed ??= { cubeRoots: rootsOfPrimes(3n, 80), squareRoots: rootsOfPrimes(2n, 16) };
  return computed;
}

function rootsOfPrimes(degree: bigint, count: number): Uint32Array {
  const halves = new Uint32Array(2 * count);
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) {
    if (primes.some((prime) => candidate % prime === 0)) continue;
    const root = integerRoot(degree, BigInt(candidate) << (64n * degree));
    halves[2 * primes.length] = Number(BigInt.asUintN(32, root >> 32n));
    halves[2 * primes.length + 1] = Number(BigInt.asUintN(32, root));
    primes.push(candidate);
  }
  return halves;
}

/** The largest integer whose power of that degree is not above the value, by Newton's method from above. */
function integerRoot(degree: bigint, value: bigint): bigint {
  for (let guess = 1n << 70n; ; ) {
    const better = ((degree - 1n) * guess + value / guess ** (degree - 1n)) / degree;
    if (better >= guess) return guess;
    guess = better;
  }
}
