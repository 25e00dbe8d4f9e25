import { memoryStorage } from "../../adapters/storage/mod.ts";
import { storageContract } from "../contracts/storage.ts";

storageContract("memory", async () => {
  const storage = memoryStorage();
  return () => storage;
});
