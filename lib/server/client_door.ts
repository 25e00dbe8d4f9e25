/**
 * The door for clients that come through listeners: their connections, the report that they may ask for, and the four-letter words.
 *
 * Not here: listeners (server.ts), who may come and whose turn it is (service/). Most servers inside a process have no listener, so this is loaded
 * with the first one.
 */
import type { ServerControl } from "../report/report.ts";
import { type ReportSources, StandaloneReport } from "../report/server_report.ts";
import { ClientService, type ClientWorld } from "../service/client_service.ts";
import { answerWord, enabledWords } from "../wire/words.ts";

/** Who comes through it, and the report of the server that goes with them. */
export interface ClientDoor {
  readonly clients: ClientService;
  readonly report: ServerControl;
}

/** Opens the door of a server. */
export function clientDoor(sources: Omit<ReportSources, "clients">, world: ClientWorld): ClientDoor {
  const { host, settings } = sources;
  const enabled = enabledWords(settings.fourLetterWords, settings.compat, settings.readOnlyMode);
  const clients: ClientService = new ClientService(host, settings, world, {
    enabled,
    answer: (word, mask) => answerWord(word, mask, enabled, report),
  });
  const report: StandaloneReport = new StandaloneReport({ ...sources, clients });
  return { clients, report };
}
