/**
 * Answers to four-letter words as text that can be compared: what no two runs share is made equal, and everything else stays.
 *
 * Times, ports, session ids, folders, what was sent and received before the recorder looked, lists without an order; and of `mntr` the
 * keys whose values follow from what clients did. Its other keys are held by test/unit/mntr_keys.test.ts.
 */

/** Made equal in any answer. */
const SHARED_BY_NO_TWO: readonly (readonly [RegExp, string])[] = [
  [/^(Zookeeper version: |zookeeper\.version=|zk_version\t).*$/gm, "$1"],
  [/127\.0\.0\.1:\d+/g, "127.0.0.1:port"],
  [/0x1[0-9a-f]{14}/g, "session"],
  [/^(Latency min\/avg\/max: ).*$/gm, "$1"],
  [/^((?:Received|Sent): )\d+$/gm, "$1"],
  [/\b(est|lresp|llat|minlat|avglat|maxlat)=\d+/g, "$1="],
  [/^((?:data|log)dir_size: )\d+$/gm, "$1"],
];

const SETTLED_KEYS: RegExp =
  /^zk_(server_state|ephemerals_count|num_alive_connections|outstanding_requests|znode_count|global_sessions|local_sessions|watch_count|approximate_data_size|connection_drop_probability|auth_failed_count|(last|min|max)_client_response_size|response_bytes|connection_request_count|cnt_(read|update)latency)\t/;

/** What is done to the answers to one word. */
const BY_WORD: Readonly<Record<string, (text: string) => string>> = {
  stat: sortedLines,
  cons: sortedLines,
  wchc: sortedLines,
  wchp: sortedLines,
  conf: (text) => text.replace(/^(clientPort|dataDir|dataDirSize|dataLogDir|dataLogSize)=.*$/gm, "$1="),
  // Ours tells its runtime, too.
  envi: (text) => text.replace(/^runtime\..*\n/gm, "").replace(/=.*$/gm, "="),
  // How many fall due together is a matter of milliseconds.
  dump: (text) => sortedLines(text.replace(/^\d+ expire at .*\n/gm, "").replace(/Sets \(\d+\)/g, "Sets ()")),
  mntr: (text) =>
    sortedLines(
      text
        .split("\n")
        .filter((line) => SETTLED_KEYS.test(line))
        .join("\n"),
    ),
};

export function comparableAnswer(word: string, answer: string): string {
  const text = SHARED_BY_NO_TWO.reduce((rest, [pattern, by]) => rest.replace(pattern, by), answer);
  return BY_WORD[word]?.(text) ?? text;
}

function sortedLines(text: string): string {
  return text.split("\n").sort().join("\n");
}
