/** `zookernel/tcp`: ZooKeeper's protocol over TCP, from both ends: the port that clients connect to, and a client of any server. */
export { connect, type RemoteConnectOptions, type TlsOptions } from "./connect.ts";
export { type TcpOptions, tcp } from "./listener.ts";
export { tcpPeers } from "./peers.ts";
