/**
 * JAAS files, in which ZooKeeper keeps the names and passwords of SASL: section `Server` has a server's users, section `Client` a client's own
 * name. Members of an ensemble have sections of their own for what they are to one another.
 *
 *     Server { org.apache.zookeeper.server.auth.DigestLoginModule required user_bob="secret" user_eve="other"; };
 *     Client { org.apache.zookeeper.server.auth.DigestLoginModule required username="bob" password="secret"; };
 *
 * Invariant: no error message holds an option's value, since it may be a password.
 */
import { TextScanner } from "../base/text_scanner.ts";
import { checkString } from "../base/validate.ts";
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
  if (module === DIGEST_MODULE) return options;
  // Where the words are out of order, a password may stand in the place of a module.
  const wanted = module.endsWith("LoginModule") ? module : "another module";
  throw refusal(line, `section ${name} wants ${wanted}; only ${DIGEST_MODULE} is known`);
}

interface Token {
  readonly text: string;
  readonly isSign: boolean;
  readonly line: number;
}

const SPACE = /\s*/y;
const LINE = /[^\n]*/y;
const SIGN = /[{};=]?/y;
const WORD = /[^\s{};="]*/y;
const QUOTABLE = /[^"\\\n]*/y;

class Reader {
  readonly #text: TextScanner;
  readonly #tokens: Token[] = [];
  #line = 1;
  #at = 0;

  constructor(text: string) {
    this.#text = new TextScanner(text);
    for (let token = this.#token(); token !== null; token = this.#token()) this.#tokens.push(token);
  }

  /** A sign, a word or a quoted text; null at the end. */
  #token(): Token | null {
    const text = this.#text;
    this.#skip();
    if (text.isAtEnd) return null;
    const line = this.#line;
    const sign = text.run(SIGN);
    if (sign !== "") return { text: sign, isSign: true, line };
    const word = text.next === '"' ? text.quoted(QUOTABLE) : text.run(WORD);
    if (word === null) throw refusal(line, "a quotation that doesn't end");
    return { text: word, isSign: false, line };
  }

  /** Goes over space and comments. */
  #skip(): void {
    const text = this.#text;
    for (;;) {
      this.#line += linesIn(text.run(SPACE));
      if (text.passes("//")) text.run(LINE);
      else if (text.passes("/*")) {
        const comment = text.through("*/");
        if (comment === null) throw refusal(this.#line, "a comment that doesn't end");
        this.#line += linesIn(comment);
      } else return;
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
    while (!this.#isBefore("}")) modules.push(this.#module());
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
    while (!this.#isBefore(";")) {
      const key = this.#word("an option's name").text;
      this.#sign("=");
      options.set(key, this.#word("an option's value").text);
    }
    this.#sign(";");
    return { module, options };
  }

  #isBefore(sign: string): boolean {
    const token = this.#tokens[this.#at];
    return token?.isSign === true && token.text === sign;
  }

  #word(what: string): Token {
    const token = this.#next(what);
    if (token.isSign) throw refusal(token.line, `${what} belongs where "${token.text}" stands`);
    return token;
  }

  #sign(sign: string): void {
    const token = this.#next(`"${sign}"`);
    if (!token.isSign || token.text !== sign) throw refusal(token.line, `"${sign}" is missing`);
  }

  #next(what: string): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw refusal(this.#tokens.at(-1)?.line ?? 1, `the text ends where ${what} belongs`);
    return token;
  }
}

function linesIn(text: string): number {
  return text.split("\n").length - 1;
}

function refusal(line: number, why: string): TypeError {
  return new TypeError(`JAAS file, line ${line}: ${why}`);
}
