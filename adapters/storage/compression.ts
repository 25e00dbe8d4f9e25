/**
 * Snapshots packed by gzip or snappy, as ZooKeeper reads and writes them since 3.6.
 */
import { createGunzip, createGzip } from "node:zlib";
import { SnapshotError } from "../../lib/store/storage_error.ts";
import type { Compression } from "./file_names.ts";
import { snappied, unsnappy } from "./snappy.ts";

/** The bytes that were packed. */
export function unpacked(chunks: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Uint8Array> {
  if (compression === "gzip") return through(chunks, createGunzip());
  return compression === "snappy" ? unsnappy(chunks) : chunks;
}

/** The bytes packed. */
export function packed(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  compression: Compression,
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  if (compression === "gzip") return through(chunks, createGzip());
  return compression === "snappy" ? snappied(chunks) : chunks;
}

async function* through(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  transform: ReturnType<typeof createGzip> | ReturnType<typeof createGunzip>,
): AsyncGenerator<Uint8Array, void, void> {
  let cause: unknown = null;
  const feeding = (async () => {
    for await (const chunk of chunks) {
      // The transform may still be at work when the next chunk is asked for.
      if (!transform.write(chunk.slice())) await new Promise((resolve) => transform.once("drain", resolve));
      if (transform.destroyed) return;
    }
    transform.end();
  })().catch((error: unknown) => {
    cause = error;
    transform.destroy();
  });
  try {
    for await (const chunk of transform) yield chunk as Uint8Array;
    await feeding;
    if (cause !== null) throw cause;
  } catch (error) {
    if (cause !== null) throw cause;
    throw new SnapshotError(`the compressed bytes are damaged: ${(error as Error).message}`);
  } finally {
    transform.destroy();
  }
}
