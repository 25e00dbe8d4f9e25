/** `zookernel/tcp`: ZooKeeper's protocol over TCP, from both ends: the port that clients connect to, and a client of any server. */

export type { SaslCredentials } from "../../lib/sasl/digest_md5.ts";
export { type Jaas, parseJaas } from "../../lib/sasl/jaas.ts";
export { type ClientTlsOptions, connect, type RemoteConnectOptions } from "./connect.ts";
export { type ServerTlsOptions, type TcpOptions, tcp } from "./listener.ts";
export { type PeerSaslOptions, type PeerTlsOptions, type TcpPeersOptions, tcpPeers } from "./peers.ts";
