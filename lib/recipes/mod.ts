/**
 * zookernel/recipes: what applications build on ZooKeeper, safe by construction, on any handle: in this process or over TCP, on this server or on Apache's.
 *
 * @module
 */
export type { LossRule } from "../client/lease.ts";
export type { Layout } from "./layouts.ts";
export { type AcquireOptions, type LockOptions, Mutex, mutex } from "./mutex.ts";
export { type Owned, Ownership } from "./ownership.ts";
export type { WaitOptions } from "./waiting.ts";
export { withLock } from "./with_lock.ts";
