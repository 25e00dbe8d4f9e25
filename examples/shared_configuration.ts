/** A web server (Hono) whose configuration is shared: every instance follows it, and any may change it. */
import { Hono } from "hono";
import { z } from "zod";
import { open } from "zookernel";

const schema = z.object({ greeting: z.string(), maintenance: z.boolean() });

await using server = await open(); // or connect("zk1:2181,zk2:2181") of zookernel/tcp
await using zk = await server.connect();
const shared = zk.typed("/config/web", { schema });
await zk.mkdirp("/config");
await shared.create({ greeting: "Hello", maintenance: false });

let current = (await shared.get()).value;
const stop = new AbortController();
const follows = (async () => {
  for await (const found of shared.watch({ signal: stop.signal })) if (found !== null) current = found.value;
})().catch((error) => {
  if (!stop.signal.aborted) throw error;
});

const app = new Hono();
app.get("/", (context) => (current.maintenance ? context.text("Back soon", 503) : context.text(`${current.greeting}!`)));
app.post("/maintenance/:state", async (context) => {
  await shared.update((config) => ({ ...config, maintenance: context.req.param("state") === "on" }));
  return context.body(null, 204);
});

// In your program: serve({ fetch: app.fetch }) of @hono/node-server, or `export default app` on Bun.
console.log(await (await app.request("/")).text()); // Hello!
await app.request("/maintenance/on", { method: "POST" });
while (!current.maintenance) await new Promise((resolve) => setTimeout(resolve, 10));
console.log((await app.request("/")).status); // 503

stop.abort();
await follows;
