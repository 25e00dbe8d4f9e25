/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Types of the platform that our declarations stand on, so that they compile in any program: also in one whose settings name neither a browser's
 * types nor Node's, and no newer library than ES2022. No code, and nothing that changes anybody's global types.
 */

/** The platform's `AbortSignal`, by whichever types the program has; where it has none, what of it is used here. */
export type AbortSignal = typeof globalThis extends { readonly AbortSignal: { readonly prototype: infer Signal } }
  ? Signal
  : AbortSignalUsed;

interface AbortSignalUsed {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
