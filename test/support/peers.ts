/**
 * The programs that nobody here wrote and that tests hold us against: where they are, or why a test must do without.
 *
 * Nothing is started here beyond a short probe. A missing peer is a skip whose reason is printed, so that the tests pass on a
 * machine with Node and npm alone. With ZOOKERNEL_REQUIRE_PEERS=1 it is a failure: a run that claims to have met them has. With
 * ZOOKERNEL_WITHOUT_PEERS=1 none is found.
 *
 *     const kazoo = findKazoo();
 *     test("kazoo takes a lock", { skip: kazoo.skip }, async () => { … });
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { skipReason } from "./skip.ts";

/** A peer that is there (`skip` is false, the rest says where), or the reason why it is not. */
export type Peer<Found> = ({ readonly skip: false } & Found) | { readonly skip: string };

/** As on a machine that has none: what they would be asked is skipped. */
const WITHOUT_PEERS = process.env.ZOOKERNEL_WITHOUT_PEERS === "1";
const JAR_FOLDER = "/usr/share/java";

/** Apache ZooKeeper: `java -cp <classpath> org.apache.zookeeper.server.quorum.QuorumPeerMain zoo.cfg` starts a server. */
export function findJavaZooKeeper(): Peer<{ readonly java: string; readonly classpath: string }> {
  const jar = join(JAR_FOLDER, "zookeeper.jar");
  const java = findJava();
  if (java === null) return missing("Apache ZooKeeper", "no java on this machine");
  if (!existsSync(jar)) return missing("Apache ZooKeeper", `no ${jar} (Debian: apt-get install libzookeeper-java)`);
  return { skip: false, java, classpath: jar };
}

/** Apache's admin server: Java finds what it needs beside ZooKeeper's own jar. */
export function findAdminServer(): Peer<object> {
  const zookeeper = findJavaZooKeeper();
  const jar = join(JAR_FOLDER, "servlet-api.jar");
  if (zookeeper.skip !== false || existsSync(jar)) return zookeeper;
  return missing("Apache ZooKeeper's admin server", `no ${jar} (Debian: apt-get install libservlet-api-java)`);
}

/** Prometheus' checker of metrics: `promtool check metrics`. */
export function findPromtool(): Peer<object> {
  if (!WITHOUT_PEERS && runs("promtool", ["--version"])) return { skip: false };
  return missing("promtool", "no promtool on this machine (Debian: apt-get install prometheus)");
}

/** The shell that comes with Apache ZooKeeper: `<command> -server host:port`. */
export function findZkCli(): Peer<{ readonly command: string }> {
  const command = "/usr/share/zookeeper/bin/zkCli.sh";
  if (findJava() === null) return missing("zkCli.sh", "no java on this machine");
  if (!existsSync(command)) return missing("zkCli.sh", `no ${command} (Debian: apt-get install zookeeper)`);
  return { skip: false, command };
}

/** The C client's shell: `<command> host:port`. */
export function findCliMt(): Peer<{ readonly command: string }> {
  const command = "/usr/lib/zookeeper/bin/cli_mt";
  if (WITHOUT_PEERS || !existsSync(command)) return missing("cli_mt", `no ${command} (Debian: apt-get install zookeeper-bin)`);
  return { skip: false, command };
}

/** Curator and a compiler for what is written with it: `<javac> -cp <classpath> …`, `<java> -cp <classpath> …`. */
export function findCurator(): Peer<{ readonly java: string; readonly javac: string; readonly classpath: string }> {
  const jars = ["curator-recipes.jar", "slf4j-nop.jar"].map((name) => join(JAR_FOLDER, name));
  const java = findJava();
  if (java === null) return missing("Curator", "no java on this machine");
  const javac = java.replace(/java$/, "javac");
  if (!runs(javac, ["-version"]))
    return missing("Curator", "no javac beside java (Debian: apt-get install default-jdk-headless)");
  const absent = jars.find((jar) => !existsSync(jar));
  if (absent !== undefined) return missing("Curator", `no ${absent} (Debian: apt-get install libcurator-recipes-java)`);
  return { skip: false, java, javac, classpath: jars.join(delimiter) };
}

/** kazoo: `<python> script.py` may import it. Debian's python is tried first: a newer one in PATH doesn't see Debian's packages. */
export function findKazoo(): Peer<{ readonly python: string }> {
  return findPython("kazoo", ["kazoo.client"], "python3-kazoo");
}

/** kazoo with its two cooperative handlers, on gevent and on eventlet. */
export function findKazooHandlers(): Peer<{ readonly python: string }> {
  return findPython("kazoo on gevent and eventlet", ["kazoo.client", "gevent", "eventlet"], "python3-gevent python3-eventlet");
}

/** kazoo with its own test-suite and all that it needs: `<python> -m pytest --pyargs kazoo.tests`. */
export function findKazooSuite(): Peer<{ readonly python: string }> {
  const modules = ["kazoo.tests.util", "gevent", "eventlet", "puresasl", "pytest", "mock", "objgraph"];
  const packages = "python3-gevent python3-eventlet python3-pure-sasl python3-pytest python3-mock python3-objgraph";
  return findPython("kazoo's test-suite", modules, `python3-kazoo ${packages}`);
}

function findPython(what: string, modules: readonly string[], packages: string): Peer<{ readonly python: string }> {
  const python = ["/usr/bin/python3", "python3"].find((candidate) => runs(candidate, ["-c", `import ${modules.join(", ")}`]));
  if (python === undefined)
    return missing(what, `no python3 that imports ${modules.join(", ")} (Debian: apt-get install ${packages})`);
  return { skip: false, python };
}

function findJava(): string | null {
  const home = process.env.JAVA_HOME;
  const candidates = [...(home === undefined ? [] : [join(home, "bin", "java")]), "/usr/bin/java", "java"];
  return candidates.find((candidate) => runs(candidate, ["-version"])) ?? null;
}

const probes = new Map<string, boolean>();

function runs(command: string, args: readonly string[]): boolean {
  if (WITHOUT_PEERS) return false;
  const key = [command, ...args].join(" ");
  const known = probes.get(key);
  if (known !== undefined) return known;
  const answer = spawnSync(command, args, { stdio: "ignore", timeout: 30_000 }).status === 0;
  probes.set(key, answer);
  return answer;
}

function missing(what: string, why: string): { readonly skip: string } {
  const reason = `${what} is missing: ${why}`;
  if (process.env.ZOOKERNEL_REQUIRE_PEERS === "1") throw new Error(`${reason}; ZOOKERNEL_REQUIRE_PEERS=1 demands it`);
  return { skip: skipReason(reason) };
}
