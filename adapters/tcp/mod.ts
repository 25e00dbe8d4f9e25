/** `zookernel/tcp`: the port that ZooKeeper's clients connect to. */
export { type TcpOptions, tcp } from "./listener.ts";
