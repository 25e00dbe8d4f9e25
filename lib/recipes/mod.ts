/**
 * zookernel/recipes: what applications build on ZooKeeper, safe by construction, on any handle: in this process or over TCP, on this server or on Apache's.
 *
 * @module
 */
export type { LossRule } from "../client/lease.ts";
export { Barrier, barrier } from "./barrier.ts";
export { Counter, type CounterOptions, counter } from "./counter.ts";
export {
  Discovery,
  discovery,
  Provider,
  type Registration,
  type ServiceInstance,
  type Strategy,
} from "./discovery.ts";
export { DoubleBarrier, doubleBarrier } from "./double_barrier.ts";
export { type EveryOptions, every, type Run } from "./every.ts";
export { Group, group, type Members, Membership } from "./group.ts";
export { Ids, type IdsOptions, ids } from "./ids.ts";
export type { Layout } from "./layouts.ts";
export { Election, type ElectionLayout, type ElectionOptions, election } from "./leader.ts";
export { leaderOnly } from "./leader_only.ts";
export type { AcquireOptions, Lock, LockOptions } from "./lock.ts";
export { type MultiOwnership, multiLock } from "./multi_lock.ts";
export { mutex } from "./mutex.ts";
export { type OnceOptions, once } from "./once.ts";
export { type Owned, Ownership } from "./ownership.ts";
export { type PutOptions, Queue, type QueueOptions, queue } from "./queue.ts";
export { type ReadWriteLock, readWriteLock } from "./read_write_lock.ts";
export type { NextTime, Schedule } from "./schedule.ts";
export { Semaphore, type SemaphoreOptions, semaphore } from "./semaphore.ts";
export { SharedValue, sharedValue, type ValueRead } from "./shared_value.ts";
export { type CachedZnode, TreeCache, treeCache } from "./tree_cache.ts";
export type { WaitOptions } from "./waiting.ts";
export { withLock } from "./with_lock.ts";
export { Job, WorkQueue, type WorkQueueOptions, workQueue } from "./work_queue.ts";
