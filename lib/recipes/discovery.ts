/**
 * Service discovery: instances of services, registered for as long as they live, and picked by whoever wants one.
 *
 * Each service is a group, each instance a member of it. Guarantees and limits are the group's (group.ts): who is picked may be dead for as long as its
 * session still lives, so try another one where it doesn't answer. Layout: Curator's ServiceDiscovery, with its JSON.
 */
import { argumentError, checkOneOf, checkOptions, checkString, describe } from "../base/validate.ts";
import type { EventStream } from "../client/event_stream.ts";
import type { ZooKeeper } from "../client/zookeeper.ts";
import { group, type Members, type Membership } from "./group.ts";
import { newGuid } from "./layouts.ts";
import type { WaitOptions } from "./waiting.ts";

/** An instance of a service. */
export interface ServiceInstance {
  /** Which of them it is: a name of its own among those of its service. */
  readonly id: string;
  readonly address: string;
  readonly port: number | null;
  /** Whatever JSON can hold. */
  readonly payload: unknown;
}

/** What is said of an instance when it is registered. */
export interface Registration {
  readonly address: string;
  readonly port?: number;
  readonly payload?: unknown;
  /** Default: a text that never comes twice. */
  readonly id?: string;
}

/** In turn; by chance; always the same one while it is there. */
export type Strategy = "roundRobin" | "random" | "sticky";

const STRATEGIES: readonly Strategy[] = ["roundRobin", "random", "sticky"];

/**
 * The services below a path.
 *
 * @example
 * ```ts
 * const services = discovery(zk, "/services");
 * await using me = await services.register("web", { address: "10.0.0.1", port: 8080 });
 * await using web = await services.provider("web");
 * console.log(web.pick()?.address); // 10.0.0.1
 * ```
 */
export function discovery(zk: ZooKeeper, path: string): Discovery {
  return new Discovery(zk, path);
}

/** See {@link discovery}. */
export class Discovery {
  readonly #zk: ZooKeeper;
  readonly #path: string;

  /** Made by {@link discovery}. */
  constructor(zk: ZooKeeper, path: string) {
    this.#zk = zk;
    this.#path = path;
  }

  /** Registers an instance until it leaves, or its session ends. Errors: those of joining a group. */
  async register(service: string, instance: Registration, wait: WaitOptions = {}): Promise<Membership> {
    checkString("register", "service", service, '"web"');
    checkOptions("register", instance, ["address", "port", "payload", "id"], '{ address: "10.0.0.1", port: 8080 }');
    const { address, port = null, payload = null, id = newGuid(this.#zk) } = instance;
    checkString("register", "address", address, '"10.0.0.1"');
    checkString("register", "id", id, '"web-1"');
    if (port !== null && !(Number.isInteger(port) && port >= 0 && port <= PORT_MAX))
      throw argumentError("register", `port must be a whole number from 0 to ${PORT_MAX}, not ${describe(port)}`);
    const registrationTimeUTC = this.#zk.clock.now().wall;
    const more = { sslPort: null, registrationTimeUTC, serviceType: "DYNAMIC", uriSpec: null, enabled: true };
    const data = JSON.stringify({ name: service, id, address, port, payload, ...more });
    return await group(this.#zk, `${this.#path}/${service}`).join(id, data, wait);
  }

  /** The instances of a service, by their ids in the order of names. What can't be read is left out. */
  async instances(service: string): Promise<ServiceInstance[]> {
    return instancesOf(await group(this.#zk, `${this.#path}/${service}`).members());
  }

  /** Follows a service, so that {@link Provider.pick} needs no request. Resolves once its instances are known. */
  async provider(service: string, options: { readonly strategy?: Strategy } = {}): Promise<Provider> {
    checkString("provide a service", "service", service, '"web"');
    checkOptions("provide a service", options, ["strategy"], '{ strategy: "random" }');
    const { strategy = "roundRobin" } = options;
    checkOneOf("provide a service", "strategy", strategy, STRATEGIES);
    const changes = group(this.#zk, `${this.#path}/${service}`).watch();
    const { value } = await changes.next();
    return new Provider(this.#zk, strategy, value as Members, changes);
  }
}

/** Instances of one service, one of which is picked at a time. */
export class Provider implements AsyncDisposable {
  readonly #zk: ZooKeeper;
  readonly #strategy: Strategy;
  readonly #changes: EventStream<Members>;
  #instances: readonly ServiceInstance[];
  #turn = 0;
  #stuckTo: string | null = null;

  /** Made by {@link Discovery.provider}. */
  constructor(zk: ZooKeeper, strategy: Strategy, members: Members, changes: EventStream<Members>) {
    this.#zk = zk;
    this.#strategy = strategy;
    this.#instances = instancesOf(members);
    this.#changes = changes;
    // With the session ends what is known: nobody is there that could be found.
    void this.#follow().catch(() => {
      this.#instances = [];
    });
  }

  /** All that are known now. */
  get instances(): readonly ServiceInstance[] {
    return this.#instances;
  }

  /** One of them; null where there is none. */
  pick(): ServiceInstance | null {
    const instances = this.#instances;
    if (instances.length === 0) return null;
    if (this.#strategy === "roundRobin") return instances[this.#turn++ % instances.length]!;
    const chosen = instances[Math.floor(this.#zk.random() * instances.length)]!;
    if (this.#strategy === "random") return chosen;
    const same = instances.find(({ id }) => id === this.#stuckTo) ?? chosen;
    this.#stuckTo = same.id;
    return same;
  }

  /** Follows no more; what is known stays. */
  async close(): Promise<void> {
    await this.#changes.return();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #follow(): Promise<void> {
    for await (const members of this.#changes) this.#instances = instancesOf(members);
  }
}

const PORT_MAX = 65_535;

function instancesOf(members: Members): ServiceInstance[] {
  return [...members].flatMap(([id, data]) => instanceOf(id, data) ?? []);
}

/** Others write there, too: what is no instance is none. */
function instanceOf(id: string, data: Uint8Array | null): ServiceInstance | null {
  try {
    const {
      address,
      port = null,
      payload = null,
      enabled = true,
    } = JSON.parse(new TextDecoder().decode(data ?? EMPTY)) as Record<string, unknown>;
    const isPort = port === null || (typeof port === "number" && Number.isInteger(port));
    return typeof address === "string" && isPort && enabled !== false
      ? { id, address, port: port as number | null, payload }
      : null;
  } catch {
    return null;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
