/** Private keys that are kept under a passphrase. */
import type { SecureContextOptions } from "node:tls";

/**
 * The same options with a key that needs no passphrase: Deno's TLS can't use any other.
 *
 * @throws Error for a key that the passphrase doesn't open
 */
export async function unlocked<Options extends Pick<SecureContextOptions, "key" | "passphrase">>(
  tls: Options,
): Promise<Options> {
  const { key, passphrase, ...rest } = tls;
  if (passphrase === undefined || !(typeof key === "string" || key instanceof Uint8Array)) return tls;
  const { createPrivateKey } = await import("node:crypto");
  return { ...rest, key: open() } as Options;

  function open(): string | Buffer {
    try {
      return createPrivateKey({ key: key as string, passphrase: passphrase as string }).export({
        type: "pkcs8",
        format: "pem",
      });
    } catch (cause) {
      throw new Error(`The private key can't be opened with its passphrase: ${(cause as Error).message}`, { cause });
    }
  }
}
