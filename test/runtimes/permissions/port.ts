/** A program that serves a port and is its client, also of every word that describes the process. */

import { connect as dial } from "node:net";
import { connect, tcp } from "../../../adapters/tcp/mod.ts";
import { open } from "../../../mod.ts";

await using server = await open({ fourLetterWords: ["*"] });
const { port } = await server.listen(tcp({ port: 0 }));
await using zk = await connect(`127.0.0.1:${port}`);
await zk.create("/a", "port");
const answers = await Promise.all(["mntr", "envi", "conf", "srvr"].map(ask));
console.log((await zk.getData("/a")).stat.version, answers.filter((answer) => answer !== "").length);

function ask(word: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = dial(port, "127.0.0.1", () => socket.write(word));
    socket.on("data", (bytes) => {
      answer += bytes;
    });
    socket.on("close", () => resolve(answer));
  });
}
