/**
 * JAAS files, in which ZooKeeper keeps the names and passwords of SASL: section `Server` has a server's users, section `Client` a client's own
 * name. Members of an ensemble have sections of their own for what they are to one another.
 *
 *     Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_bob="secret" user_eve="other"; };
 *     Client { org.apache.zookeeper.server.auth.DigestLoginModule required username="bob" password="secret"; };
 *
 * Invariant: no error message holds an option's value, since it may be a password.
 */
import { checkString } from "../validate.ts";
import type { SaslCredentials } from "./digest_md5.ts";

/** What a JAAS file says of ZooKeeper. */
export interface Jaas {
  /** Passwords by user; null where there is no section `Server`. */
  readonly users: Readonly<Record<string, string>> | null;
  /** null where there is no section `Client`. */
  readonly client: SaslCredentials | null;
}

/** Where a JAAS file has the users, and where one's own name. */
export interface JaasSections {
  readonly users: string;
  readonly client: string;
}

const OF_CLIENTS: JaasSections = { users: "Server", client: "Client" };

const DIGEST_MODULE = "org.apache.zookeeper.server.auth.DigestLoginModule";
const USER_PREFIX = "user_";

/**
 * Reads the text of a JAAS file. Sections other than those two are not judged.
 *
 * @throws TypeError that names the line, for a text that is none or a section that wants another mechanism than DIGEST-MD5
 *
 * @example
 * ```ts
 * const { client } = parseJaas(readFileSync("jaas.conf", "utf8"));
 * const zk = await connect("zk1", client === null ? {} : { sasl: client });
 * ```
 */
export function parseJaas(text: string, names: JaasSections = OF_CLIENTS): Jaas {
  checkString("read a JAAS file", "text", text, '"Client { … };"');
  const sections = new Reader(text).sections();
  const server = sections.get(names.users);
  const client = sections.get(names.client);
  return { users: server === undefined ? null : usersOf(server), client: client === undefined ? null : credentialsOf(client) };
}

interface Section {
  readonly name: string;
  readonly line: number;
  readonly module: string;
  readonly options: ReadonlyMap<string, string>;
}

function usersOf(section: Section): Record<string, string> {
  const users = [...digestOptions(section)].filter(([key]) => key.startsWith(USER_PREFIX));
  return Object.fromEntries(users.map(([key, password]) => [key.slice(USER_PREFIX.length), password]));
}

function credentialsOf(section: Section): SaslCredentials {
  const options = digestOptions(section);
  const [username, password] = [options.get("username"), options.get("password")];
  if (username === undefined || password === undefined)
    throw refusal(section.line, `section ${section.name} needs username and password`);
  return { username, password };
}

function digestOptions({ name, line, module, options }: Section): ReadonlyMap<string, string> {
  if (module !== DIGEST_MODULE) throw refusal(line, `section ${name} wants ${module}; only ${DIGEST_MODULE} is known`);
  return options;
}

interface Token {
  readonly text: string;
  readonly line: number;
}

/** Comments and space; then a quoted text, a sign, or a word. */
const TOKEN = /(?:\s|\/\/[^\n]*|\/\*.*?\*\/)*(?:("(?:[^"\\\n]|\\.)*")|([{};=])|([^\s{};="]+))?/sy;

class Reader {
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(text: string) {
    TOKEN.lastIndex = 0;
    for (let line = 1; TOKEN.lastIndex < text.length; ) {
      const start = TOKEN.lastIndex;
      const [all, quoted, sign, word] = TOKEN.exec(text)!;
      line += all.split("\n").length - 1;
      const token = quoted ?? sign ?? word;
      if (token !== undefined) this.#tokens.push({ text: token, line });
      else if (TOKEN.lastIndex < text.length) throw refusal(line, "a quotation that doesn't end");
      if (TOKEN.lastIndex === start) break;
    }
  }

  sections(): Map<string, Section> {
    const sections = new Map<string, Section>();
    while (this.#at < this.#tokens.length) {
      const section = this.#section();
      sections.set(section.name, section);
    }
    return sections;
  }

  /** Of several modules the first counts. */
  #section(): Section {
    const { text: name, line } = this.#word("a section's name");
    this.#sign("{");
    const modules: Pick<Section, "module" | "options">[] = [];
    while (this.#peek() !== "}") modules.push(this.#module());
    this.#sign("}");
    this.#sign(";");
    const [first] = modules;
    if (first === undefined) throw refusal(line, `section ${name} is empty`);
    return { name, line, ...first };
  }

  #module(): Pick<Section, "module" | "options"> {
    const module = this.#word("a module's name").text;
    this.#word("required, requisite, sufficient or optional");
    const options = new Map<string, string>();
    while (this.#peek() !== ";") {
      const key = this.#word("an option's name").text;
      this.#sign("=");
      options.set(key, unquoted(this.#word("an option's value").text));
    }
    this.#sign(";");
    return { module, options };
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at]?.text;
  }

  #word(what: string): Token {
    const token = this.#next(what);
    if (/^[{};=]$/.test(token.text)) throw refusal(token.line, `${what} belongs where "${token.text}" stands`);
    return token;
  }

  #sign(sign: string): void {
    const token = this.#next(`"${sign}"`);
    if (token.text !== sign) throw refusal(token.line, `"${sign}" is missing`);
  }

  #next(what: string): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw refusal(this.#tokens.at(-1)?.line ?? 1, `the text ends where ${what} belongs`);
    return token;
  }
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replace(/\\(.)/gs, "$1") : text;
}

function refusal(line: number, why: string): TypeError {
  return new TypeError(`JAAS file, line ${line}: ${why}`);
}
