/**
 * The ensemble's configuration as one member goes by it: in memory, in its own tree, and where it is kept for the next start.
 *
 * Not here: how it changes (broadcast/zab), and the streams that follow it. Invariant: what is kept is kept in the order in which it changed.
 */
import { Ensemble, type EnsembleConfig, type EnsembleMember } from "../broadcast/zab/ensemble.ts";
import { ensembleText, hasSameMembers, parseEnsemble } from "../broadcast/zab/ensemble_text.ts";
import { Membership } from "../broadcast/zab/membership.ts";
import type { MemberId } from "../broadcast/zab/messages.ts";
import type { Database } from "../kernel/database.ts";
import type { Clock, Logger } from "../ports.ts";
import { CONFIG_NODE } from "../tree/tree.ts";

/** Keeps an ensemble's configuration beyond this process, where it may change while the ensemble runs (`reconfigEnabled`). */
export interface ConfigStore {
  /** It counts from now on. */
  saveCommitted(config: EnsembleConfig): Promise<void>;
  /** It has been proposed, and may never count; it takes the place of one that was proposed before. */
  saveProposed(config: EnsembleConfig): Promise<void>;
}

export interface OwnConfigOptions {
  readonly id: MemberId;
  /** What the member is started with. */
  readonly config: EnsembleConfig;
  /** What it had seen proposed when it went down; null: nothing, or nothing that is known. */
  readonly lastSeen: EnsembleConfig | null;
  readonly reconfigEnabled: boolean;
  readonly store: ConfigStore | null;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The configuration's znode has no version of its own. */
const CONFIG_VERSION = -1;

export class OwnConfig {
  readonly #options: OwnConfigOptions;
  #membership: Membership;
  /** This member as it is listed, or was before it was removed. */
  #me: EnsembleMember;
  #keeping: Promise<void> = Promise.resolve();

  /** @param database what the member has: its log may hold a later configuration */
  constructor(options: OwnConfigOptions, database: Database) {
    const ensemble = new Ensemble(options.config);
    this.#options = options;
    this.#membership = new Membership(ensemble, this.#lastSeen(database));
    this.#me = ensemble.members.get(options.id)!;
    this.tell(database);
  }

  get membership(): Membership {
    return this.#membership;
  }

  get me(): EnsembleMember {
    return this.#me;
  }

  /** Resolves once all that has changed is kept. */
  get kept(): Promise<void> {
    return this.#keeping;
  }

  /** Another membership holds. Says whether it has other members, or these elsewhere or in other roles. */
  change(membership: Membership, database: Database): boolean {
    const before = this.#membership.committed;
    const { committed, lastSeen } = membership;
    this.#membership = membership;
    if (committed !== before) this.#keep((store) => store.saveCommitted(committed.config));
    // One that is taken back, as its txn was cut off, is replaced: it must not come again with the next start.
    if (membership.isChanging || committed === before) this.#keep((store) => store.saveProposed(lastSeen.config));
    if (committed === before) return false;
    this.#options.logger.info(`The ensemble's configuration is version ${committed.version.toString(16)}`);
    this.tell(database);
    // Who is removed goes on where it is, without a vote.
    this.#me = committed.members.get(this.#options.id) ?? this.#me;
    return !hasSameMembers(before, committed);
  }

  /** Each member writes the configuration into its own tree, unless a later one has come there by a txn. */
  tell(database: Database): void {
    const { committed } = this.#membership;
    const logged = this.#loggedIn(database);
    if (logged !== undefined && logged.version >= committed.version && committed.version > 0n) return;
    const data = new TextEncoder().encode(ensembleText(committed));
    database.tree.setData(CONFIG_NODE, data, CONFIG_VERSION, committed.version, this.#options.clock.now().wall);
  }

  /** The latest configuration that is known, by the log or by what was kept when it was proposed: the txn may never have come to the log. */
  #lastSeen(database: Database): Ensemble | undefined {
    const { lastSeen, reconfigEnabled } = this.#options;
    const logged = this.#loggedIn(database);
    if (lastSeen === null || !reconfigEnabled || lastSeen.version <= (logged?.version ?? 0n)) return logged;
    return new Ensemble(lastSeen);
  }

  /** The last configuration in the log, which may be committed or not. */
  #loggedIn({ tree }: Database): Ensemble | undefined {
    const data = tree.get(CONFIG_NODE)?.data;
    if (!this.#options.reconfigEnabled || data === undefined || data === null || data.length === 0) return undefined;
    try {
      return parseEnsemble(new TextDecoder().decode(data));
    } catch (error) {
      this.#options.logger.warn(`${CONFIG_NODE} is passed over: ${(error as Error).message}`);
      return undefined;
    }
  }

  /** One change after the other. */
  #keep(save: (store: ConfigStore) => Promise<void>): void {
    const { store, logger } = this.#options;
    if (store === null) return;
    this.#keeping = this.#keeping
      .then(() => save(store))
      .catch((error: unknown) => logger.error(`The configuration can't be kept: ${(error as Error).message}`));
  }
}
