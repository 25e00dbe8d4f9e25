/** `zookernel/storage`: where a server keeps its data. */
export { StorageError } from "../../lib/store/storage_error.ts";
export { type FileStorageOptions, fileStorage } from "./file.ts";
export { memoryStorage } from "./memory.ts";
