/**
 * The server's side of a connection's SASL exchange: token in, answer out.
 *
 * Not here: the mechanism itself (digest_md5.ts), and what a proved identity may do (kernel). Invariant: a connection proves at most one identity.
 */
import type { SaslAnswer } from "../kernel/messages.ts";
import type { SaslSettings } from "../options/options.ts";
import { DigestMd5Server } from "./digest_md5.ts";

export class SaslExchange {
  readonly #mechanism: DigestMd5Server;
  readonly #mayFail: boolean;
  #hasBegun = false;

  constructor({ users, allowFailedClients }: SaslSettings, nonce: string) {
    const passwords = new Map(Object.entries(users));
    this.#mechanism = new DigestMd5Server((username) => passwords.get(username), nonce);
    this.#mayFail = allowFailedClients;
  }

  /** The first token only asks for the challenge, whatever it holds. */
  answer(token: Uint8Array): SaslAnswer {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      return { token: this.#mechanism.challenge, username: null, mayFail: this.#mayFail };
    }
    const proved = this.#mechanism.answer(token);
    return { token: proved?.token ?? null, username: proved?.username ?? null, mayFail: this.#mayFail };
  }
}
