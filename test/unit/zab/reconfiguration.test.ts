/** Reconfiguration, step by step: which configuration is asked for what, who leads afterwards, and what a member learns by the way. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ensemble, type EnsembleMember, type WeightedGroups } from "../../../lib/broadcast/zab/ensemble.ts";
import { ensembleText, hasSameMembers, parseEnsemble } from "../../../lib/broadcast/zab/ensemble_text.ts";
import { History } from "../../../lib/broadcast/zab/history.ts";
import { Membership } from "../../../lib/broadcast/zab/membership.ts";
import { NOBODY } from "../../../lib/broadcast/zab/messages.ts";
import { nextEnsemble, type ReconfigurationLimits } from "../../../lib/broadcast/zab/reconfigure.ts";
import type { ReconfigOp } from "../../../lib/model/ops.ts";
import type { Proposal } from "../../../lib/model/txns.ts";
import { makeZxid } from "../../../lib/model/zxid.ts";
import { fromHex, goldenRows } from "../../support/golden.ts";
import { Leading } from "../../support/leading.ts";
import { active, elected, established, member, Rig, synchronising, txn } from "../../support/zab_rig.ts";

const CHANGING = { reconfiguration: { votersMin: 2 } } as const;
/** What the members of the rig begin with, once a first leader has given it a version. */
const FIRST = makeZxid(1, 0);

function ensembleOf(version: bigint, members: readonly EnsembleMember[], hierarchy: WeightedGroups | null = null): Ensemble {
  return new Ensemble({ members, hierarchy, version });
}

function voters(version: bigint, ...ids: readonly number[]): Ensemble {
  return ensembleOf(
    version,
    ids.map((id) => member(id)),
  );
}

function reconfig(ensemble: Ensemble): Proposal {
  const header = { session: 1n, cxid: 1, zxid: ensemble.version, time: 0 };
  const data = new TextEncoder().encode(ensembleText(ensemble));
  return { header, txn: { kind: "reconfig", path: "/zookeeper/config", data, version: -1 }, digest: null };
}

const ids = (...numbers: readonly number[]): bigint[] => numbers.map(BigInt);

describe("a configuration", () => {
  test("is read as Apache's members wrote it, and written as it was read", () => {
    const texts = goldenRows<{ readonly hex?: string }>("quorum", "12-reconfig.jsonl")
      .map(({ hex }) => new TextDecoder("latin1").decode(fromHex(hex ?? "")))
      .flatMap((bytes) => /server\.1=[\s\S]*?version=[0-9a-f]+/.exec(bytes)?.[0] ?? []);
    assert.ok(texts.length > 30);
    for (const text of texts) assert.equal(ensembleText(parseEnsemble(text)), text);
    assert.deepEqual([...new Set(texts.map((text) => parseEnsemble(text).version))].sort(), [
      0n,
      ...[0, 3, 4, 6, 8].map((counter) => makeZxid(1, counter)),
    ]);
  });

  test("with groups and weights, in whatever order; a line that is none is named", () => {
    const text = "version=a\nweight.1=2\nserver.2=[::1]:3:4:observer;5\n\ngroup.1=1\nserver.1=h:1:2";
    const ensemble = parseEnsemble(text);
    const written = "server.1=h:1:2:participant\nserver.2=[::1]:3:4:observer;0.0.0.0:5\ngroup.1=1\nweight.1=2\nversion=a";
    assert.equal(ensembleText(ensemble), written);
    assert.throws(() => parseEnsemble("server.1=h:1:2\nclientPort=1"), /clientPort=1 is no line/);
  });

  test("is the same as another whatever their versions", () => {
    assert.equal(hasSameMembers(voters(1n, 1, 2), voters(2n, 2, 1)), true);
    assert.equal(hasSameMembers(voters(1n, 1, 2), ensembleOf(1n, [member(1), member(2, "observer")])), false);
  });
});

describe("while a reconfiguration is on its way", () => {
  const membership = new Membership(voters(1n, 1, 2, 3)).sees(voters(2n, 3, 4, 5));

  test("it takes a quorum of both configurations", () => {
    assert.equal(membership.isQuorum(ids(1, 2)), false);
    assert.equal(membership.isQuorum(ids(3, 4)), false);
    assert.equal(membership.isQuorum(ids(2, 3, 4)), true);
    assert.deepEqual([...membership.voters], ids(1, 2, 3, 4, 5));
  });

  test("what is committed ends it, and what is older never begins one", () => {
    const after = membership.commits(voters(2n, 3, 4, 5));
    assert.deepEqual([after.isChanging, after.isQuorum(ids(3, 4))], [false, true]);
    assert.equal(after.sees(voters(1n, 1, 2, 3)).isChanging, false);
    assert.equal(membership.sees(voters(1n, 1, 2, 3)).isChanging, false, "a leader that never heard of it takes it back");
  });
});

describe("what is asked for", () => {
  const committed = ensembleOf(9n, [member(1), member(2), member(3)]);
  const JOINER = "server.4=h4:1:2:observer;h4:3";
  const ask = (change: Partial<ReconfigOp>, membership = new Membership(committed), votersMin: 1 | 2 = 2): string => {
    const nothing = {
      kind: "reconfig",
      joiningServers: null,
      leavingServers: null,
      newMembers: null,
      curConfigId: -1n,
    } as const;
    const next = nextEnsemble({ ...nothing, ...change }, membership, 12n, { votersMin });
    if (typeof next === "string") return next;
    return `${next.version}: ${next.config.members.map(({ id, role }) => `${id}${role === "observer" ? "o" : ""}`).join(" ")}`;
  };

  for (const [what, change, answer] of [
    ["who joins", { joiningServers: JOINER }, "12: 1 2 3 4o"],
    ["who leaves, if it is there", { leavingServers: "3, 7" }, "12: 1 2"],
    ["another role", { joiningServers: "server.3=h3:1:2:observer;h3:3" }, "12: 1 2 3o"],
    ["both at once", { joiningServers: JOINER, leavingServers: "1" }, "12: 2 3 4o"],
    ["the whole list", { newMembers: "server.1=a:1:2,server.9=b:1:2\nversion=77" }, "12: 1 9"],
    ["of a version that is past", { leavingServers: "3", curConfigId: 8n }, "BadVersion"],
    ["of the version that is there", { leavingServers: "3", curConfigId: 9n }, "12: 1 2"],
    ["too few voters", { leavingServers: "2,3" }, "BadArguments"],
    ["a line that is none", { joiningServers: "server.4=nonsense" }, "BadArguments"],
    ["a place that is taken", { joiningServers: "server.4=h4:1:2;h3:1" }, "BadArguments"],
    ["a number that is none", { leavingServers: "three" }, "MarshallingError"],
    ["observers alone", { newMembers: "server.1=a:1:2:observer" }, "MarshallingError"],
  ] as const)
    test(`${what}: ${answer}`, () => assert.equal(ask(change), answer));

  test("waits for what is on its way", () => {
    const changing = new Membership(committed).sees(voters(10n, 1, 2));
    assert.equal(ask({ curConfigId: 1n }, changing), "ReconfigInProgress");
  });

  test("of groups is the whole list or nothing", () => {
    const groups = { groups: new Map([[1n, ids(1, 2, 3)]]), weights: new Map() };
    assert.equal(
      ask({ leavingServers: "3" }, new Membership(ensembleOf(9n, committed.config.members, groups))),
      "BadArguments",
    );
  });

  test("may leave one alone where one alone is an ensemble", () => {
    assert.equal(ask({ leavingServers: "2,3" }, undefined, 1), "12: 1");
    assert.equal(ask({ leavingServers: "1,2,3" }, undefined, 1), "BadArguments");
  });
});

/** Member 3, leading 1 and 4, which has no vote. */
function leading(options: typeof CHANGING | { readonly reconfiguration: ReconfigurationLimits } = CHANGING): Rig {
  const rig = established(options);
  rig.step({ kind: "opened", link: 4 });
  rig.packet(4, { kind: "learnerInfo", observer: false, acceptedEpoch: 1, id: 4n, configVersion: FIRST });
  rig.packet(4, { kind: "ackEpoch", zxid: FIRST, currentEpoch: null });
  rig.packet(4, { kind: "ack", zxid: FIRST });
  return rig;
}

describe("a leader", () => {
  test("gives the first configuration a version, which counts once a quorum has it", () => {
    const rig = elected(CHANGING);
    rig.packet(1, { kind: "learnerInfo", observer: false, acceptedEpoch: 0, id: 1n, configVersion: 0n });
    assert.deepEqual(rig.step({ kind: "epochsSaved" }), ["membership 0:0 to 1:0", "to 1: leaderInfo 1"]);
    rig.packet(1, { kind: "ackEpoch", zxid: 0n, currentEpoch: 0 });
    rig.step({ kind: "epochsSaved" });
    assert.deepEqual(rig.packet(1, { kind: "ack", zxid: FIRST }), ["membership 1:0", "role leader", "to 1: upToDate"]);
  });

  test("completes what it has seen with those who vote by it, also where they still observe, and gives way to one of them", () => {
    const ensemble = ensembleOf(FIRST, [member(1), member(3), member(4, "observer")]);
    const lastSeen = voters(makeZxid(1, 5), 4, 5);
    const rig = new Rig(3, undefined, undefined, { ...CHANGING, ensemble, lastSeen });
    for (const id of [1, 4, 5]) rig.vote(id, 3);
    rig.pass(0);
    const said: string[] = [];
    for (const [link, observer] of [
      [1, false],
      [4, true],
    ] as const) {
      rig.step({ kind: "opened", link });
      rig.packet(link, { kind: "learnerInfo", observer, acceptedEpoch: 0, id: BigInt(link), configVersion: FIRST });
    }
    rig.step({ kind: "epochsSaved" });
    for (const link of [1, 4]) rig.packet(link, { kind: "ackEpoch", zxid: 0n, currentEpoch: 0 });
    rig.step({ kind: "epochsSaved" });
    for (const link of [1, 4]) said.push(...rig.packet(link, { kind: "ack", zxid: FIRST }));
    assert.deepEqual(said, [], "one of two of the new is not there");
    rig.step({ kind: "opened", link: 5 });
    rig.packet(5, { kind: "learnerInfo", observer: false, acceptedEpoch: 0, id: 5n, configVersion: 0n });
    rig.packet(5, { kind: "ackEpoch", zxid: 0n, currentEpoch: 0 });
    assert.ok(rig.packet(5, { kind: "ack", zxid: FIRST }).includes("membership 1:5"));
    const gone = [1, 4, 5].flatMap((link) => rig.step({ kind: "closed", link }));
    assert.deepEqual(gone, ["role looking", "accept", "cut", "dial 4"]);
  });

  test("refuses who knows a later configuration", () => {
    const rig = elected(CHANGING);
    assert.deepEqual(
      rig.packet(1, { kind: "learnerInfo", observer: false, acceptedEpoch: 0, id: 1n, configVersion: makeZxid(1, 5) }),
      ["cut"],
    );
  });

  test("commits a reconfiguration, and what comes behind it, by a quorum of both configurations", () => {
    const rig = leading();
    const next = voters(makeZxid(1, 1), 3, 4, 5);
    assert.deepEqual(rig.step({ kind: "propose", proposal: reconfig(next) }), [
      "to 1: proposal 1:1",
      "to 4: proposal 1:1",
      "append 1:1",
      "membership 1:0 to 1:1",
    ]);
    rig.step({ kind: "propose", proposal: txn(1, 2) });
    rig.step({ kind: "durable", zxid: makeZxid(1, 2) });
    assert.deepEqual(rig.packet(1, { kind: "ack", zxid: makeZxid(1, 2) }), [], "all of the old, and one of three of the new");
    assert.deepEqual(rig.packet(4, { kind: "ack", zxid: makeZxid(1, 2) }), [
      "membership 1:1",
      "to 1: commitAndActivate 1:1 to 3",
      "to 4: commitAndActivate 1:1 to 3",
      "commit 1:1",
      "to 1: commit 1:2",
      "to 4: commit 1:2",
      "commit 1:2",
    ]);
  });

  test("tells who joins meanwhile the configuration that counts, and then the one that is proposed (simulation, seed 905)", () => {
    const rig = leading();
    const next = voters(makeZxid(1, 1), 3, 4, 5);
    rig.step({ kind: "propose", proposal: reconfig(next) });
    rig.step({ kind: "opened", link: 5 });
    rig.packet(5, { kind: "learnerInfo", observer: false, acceptedEpoch: 1, id: 5n, configVersion: FIRST });
    const packet = { kind: "ackEpoch", zxid: FIRST, currentEpoch: null } as const;
    const told = rig.zab
      .step({ kind: "packet", link: 5, packet }, { mono: rig.mono, wall: rig.mono })
      .flatMap((effect) => (effect.kind === "send" ? [effect.packet] : []));
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ["diff", "proposal", "newLeader"],
    );
    const newLeader = told.at(-1)!;
    assert.equal("config" in newLeader && parseEnsemble(newLeader.config).version, FIRST);
  });

  test("tells an observer all at once", () => {
    const rig = leading();
    rig.step({ kind: "opened", link: 9 });
    rig.packet(9, { kind: "learnerInfo", observer: true, acceptedEpoch: 1, id: 9n, configVersion: FIRST });
    rig.packet(9, { kind: "ackEpoch", zxid: FIRST, currentEpoch: null });
    rig.packet(9, { kind: "ack", zxid: FIRST });
    rig.step({ kind: "propose", proposal: reconfig(voters(makeZxid(1, 1), 1, 3)) });
    rig.step({ kind: "durable", zxid: makeZxid(1, 1) });
    const said = rig.packet(1, { kind: "ack", zxid: makeZxid(1, 1) });
    assert.ok(said.includes("to 9: informAndActivate 1:1 to 3"), said.join(", "));
  });

  test("that is removed names the one who has most, commits nothing more, and follows it once its followers have gone", () => {
    const rig = leading();
    rig.step({ kind: "propose", proposal: reconfig(voters(makeZxid(1, 1), 1, 4)) });
    rig.step({ kind: "propose", proposal: txn(1, 2) });
    rig.step({ kind: "durable", zxid: makeZxid(1, 2) });
    rig.packet(4, { kind: "ack", zxid: makeZxid(1, 2) });
    const said = rig.packet(1, { kind: "ack", zxid: makeZxid(1, 1) });
    assert.ok(said.includes("to 1: commitAndActivate 1:1 to 4"), said.join(", "));
    assert.deepEqual(rig.packet(1, { kind: "ack", zxid: makeZxid(1, 2) }), [], "that is the next leader's to decide");
    rig.step({ kind: "closed", link: 4 });
    assert.deepEqual(rig.zab.term?.constructor.name, "Learner");
  });

  test("judges what is asked for: only with those who follow it is there a quorum", () => {
    const rig = leading();
    const asked = { kind: "reconfig", leavingServers: null, newMembers: null, curConfigId: -1n } as const;
    const join = (id: number): unknown =>
      rig.zab.judgeReconfig({ ...asked, joiningServers: `server.${id}=h${id}:1:2:participant;h${id}:3` }, makeZxid(1, 1));
    assert.ok(typeof join(4) === "object");
    const whole = { ...asked, joiningServers: null, newMembers: "server.3=h3:1:2,server.5=h5:1:2,server.6=h6:1:2" };
    assert.equal(rig.zab.judgeReconfig(whole, makeZxid(1, 1)), "NewConfigNoQuorum");
    assert.equal(new Rig(1).zab.judgeReconfig(whole, makeZxid(1, 1)), "Unimplemented");
  });
});

test("a new member whose ephemerals would be TTL znodes is refused behind all that ZooKeeper refuses", () => {
  const rig = leading({ reconfiguration: { votersMin: 2, memberIdMax: 254 } });
  const refusalOf = (change: Partial<ReconfigOp>): unknown => {
    const nothing = {
      kind: "reconfig",
      joiningServers: null,
      leavingServers: null,
      newMembers: null,
      curConfigId: -1n,
    } as const;
    const judged = rig.zab.judgeReconfig({ ...nothing, ...change }, makeZxid(1, 1));
    return typeof judged === "string" ? judged : judged.refusal;
  };
  const observer = (id: number): string => `server.${id}=h${id}:1:2:observer;h${id}:3`;
  assert.equal(refusalOf({ joiningServers: observer(254) }), null);
  assert.equal(refusalOf({ joiningServers: observer(255) }), "BadArguments");
  assert.equal(refusalOf({ joiningServers: observer(999) }), "BadArguments");
  assert.equal(refusalOf({ newMembers: `server.3=h3:1:2,server.1=h1:1:2,${observer(255)}` }), "BadArguments");
  assert.equal(refusalOf({ newMembers: "server.3=h3:1:2,server.998=h5:1:2,server.999=h6:1:2" }), "NewConfigNoQuorum");
});

test("who may not change the members is told so before a refusal of our own", () => {
  const leader = new Leading({ reconfigEnabled: true }, () => ({ data: new Uint8Array(1), refusal: "BadArguments" }));
  const asked = { kind: "reconfig", joiningServers: "", leavingServers: null, newMembers: null, curConfigId: -1n } as const;
  assert.deepEqual(leader.forward(asked).txn, { kind: "error", code: "NoAuth" });
  const { txn } = leader.forward(asked, [{ scheme: "super", id: "" }]);
  assert.deepEqual(txn, { kind: "error", code: "BadArguments" });
});

describe("a learner", () => {
  const REMOVES_3 = voters(makeZxid(1, 1), 1, 2);

  test("sees what is proposed, and goes to the one who leads then, without an election", () => {
    const rig = active(1, CHANGING);
    assert.deepEqual(rig.packet(-1, { kind: "proposal", proposal: reconfig(REMOVES_3) }), [
      "append 1:1",
      "membership 0:0 to 1:1",
    ]);
    rig.step({ kind: "durable", zxid: makeZxid(1, 1) });
    assert.deepEqual(rig.packet(-1, { kind: "commitAndActivate", zxid: makeZxid(1, 1), leader: 2n }), [
      "commit 1:1",
      "membership 1:1",
      "role looking",
      "cut",
      "dial 2",
    ]);
  });

  test("leads if it is the one, as soon as its log has come to rest", () => {
    const rig = active(1, CHANGING);
    rig.packet(-1, { kind: "proposal", proposal: reconfig(REMOVES_3) });
    rig.packet(-1, { kind: "commitAndActivate", zxid: makeZxid(1, 1), leader: 1n });
    assert.deepEqual(rig.step({ kind: "durable", zxid: makeZxid(1, 1) }), ["accept"]);
  });

  test("comes again in another role, to the same leader", () => {
    const rig = active(1, CHANGING);
    const next = ensembleOf(makeZxid(1, 1), [member(1, "observer"), member(2), member(3)]);
    rig.packet(-1, { kind: "proposal", proposal: reconfig(next) });
    rig.step({ kind: "durable", zxid: makeZxid(1, 1) });
    const said = rig.packet(-1, { kind: "commitAndActivate", zxid: makeZxid(1, 1), leader: 3n });
    assert.equal(said.at(-1), "dial 3");
    rig.step({ kind: "opened", link: -2 });
    rig.packet(-2, { kind: "leaderInfo", epoch: 1 });
    rig.packet(-2, { kind: "diff", zxid: makeZxid(1, 1) });
    rig.packet(-2, { kind: "newLeader", epoch: 1, config: ensembleText(next) });
    rig.step({ kind: "epochsSaved" });
    assert.ok(rig.packet(-2, { kind: "upToDate" }).includes("role observer"));
  });

  test("stays where neither its role nor its leader changes, also if it is removed", () => {
    const rig = active(1, CHANGING);
    rig.packet(-1, { kind: "proposal", proposal: reconfig(voters(makeZxid(1, 1), 2, 3)) });
    assert.deepEqual(rig.packet(-1, { kind: "commitAndActivate", zxid: makeZxid(1, 1), leader: 3n }), [
      "commit 1:1",
      "membership 1:1",
    ]);
    assert.equal(rig.zab.term?.constructor.name, "Learner");
  });

  test("takes a proposal back that the next leader never heard of", () => {
    const rig = synchronising(undefined, 1, { ...CHANGING, lastSeen: voters(makeZxid(1, 7), 1, 2) });
    assert.equal(rig.zab.membership.isChanging, true);
    rig.packet(-1, { kind: "diff", zxid: 0n });
    rig.packet(-1, { kind: "newLeader", epoch: 1, config: ensembleText(rig.zab.membership.committed) });
    assert.equal(rig.zab.membership.isChanging, false);
  });

  test("passes over a configuration that it can't read, and leaves a leader that proposes one", () => {
    const rig = synchronising(undefined, 1, CHANGING);
    rig.packet(-1, { kind: "diff", zxid: 0n });
    rig.packet(-1, { kind: "newLeader", epoch: 1, config: "server.1=?" });
    rig.step({ kind: "epochsSaved" });
    assert.ok(rig.packet(-1, { kind: "upToDate" }).includes("role follower"));
    const { header } = reconfig(REMOVES_3);
    const nonsense = { kind: "reconfig", path: "/zookeeper/config", data: null, version: -1 } as const;
    const proposal = { header, txn: { ...nonsense, data: new TextEncoder().encode("x") }, digest: null };
    assert.deepEqual(rig.packet(-1, { kind: "proposal", proposal }), ["role looking", "cut"]);
  });

  test("changes nothing where it was not told that its ensemble may change", () => {
    const rig = active(1);
    assert.deepEqual(rig.packet(-1, { kind: "proposal", proposal: reconfig(REMOVES_3) }), ["append 1:1"]);
    assert.deepEqual(rig.packet(-1, { kind: "commitAndActivate", zxid: makeZxid(1, 1), leader: 2n }), ["commit 1:1"]);
  });
});

describe("who looks for a leader", () => {
  const LATER = ensembleText(voters(makeZxid(1, 5), 2, 3));

  test("believes whoever knows a later configuration, and begins anew if it has other members", () => {
    const rig = new Rig(1, undefined, undefined, CHANGING);
    rig.takeTold();
    assert.deepEqual(rig.vote(2, 3, "following", 1n, LATER), ["membership 1:5"]);
    assert.deepEqual(rig.takeTold(), ids(2, 3), "it asks those who vote now");
    assert.deepEqual(rig.vote(3, 3, "leading", 1n, LATER), []);
    rig.vote(2, 3, "following", 1n, LATER);
    assert.equal(rig.zab.term?.constructor.name, "Learner");
  });

  test("counts rounds from the first again among other members: theirs say nothing of its own", () => {
    const rig = new Rig(1, undefined, undefined, CHANGING);
    rig.vote(2, 3, "looking", 1n, LATER);
    rig.vote(2, 3);
    rig.vote(3, 3);
    assert.deepEqual(rig.pass(0), ["dial 3"]);
  });

  test("passes over what makes no sense, and over all of it unless told that its ensemble may change", () => {
    assert.deepEqual(new Rig(1, undefined, undefined, CHANGING).vote(2, 3, "following", 1n, "server.1=x"), []);
    assert.deepEqual(new Rig(1).vote(2, 3, "following", 1n, LATER), []);
  });

  test("tells what its history is worth if it is not listed, and not even that if it observes", () => {
    const history = (): History => new History(makeZxid(1, 3), []);
    const votes = (me: number): unknown[] => {
      const rig = new Rig(me, history(), [1, 1], { ...CHANGING, ensemble: ensembleOf(1n, [member(1), member(4, "observer")]) });
      const [effect] = rig.zab.step({ kind: "due" }, { mono: 200, wall: 0 });
      return effect?.kind === "notify" ? [effect.notification.vote.leader, effect.notification.vote.zxid] : [];
    };
    assert.deepEqual(votes(9), [NOBODY, makeZxid(1, 3)]);
    assert.deepEqual(votes(4), [NOBODY, NOBODY]);
  });

  test("serves reads after a while if it may, until there is a leader", () => {
    const rig = new Rig(1, undefined, undefined, { readOnlyMode: true });
    assert.deepEqual(rig.pass(1999), []);
    assert.deepEqual(rig.pass(1), ["role readOnly"]);
    assert.deepEqual(rig.pass(5000), []);
    rig.vote(2, 3, "following");
    assert.deepEqual(rig.vote(3, 3, "leading"), ["role looking", "dial 3"]);
    assert.deepEqual(new Rig(1).pass(60_000), []);
  });
});
