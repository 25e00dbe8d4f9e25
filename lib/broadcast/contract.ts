/**
 * Contract between a kernel and whatever orders its proposals and makes them durable: the whole difference between a server that stands alone
 * and a member of an ensemble.
 *
 * Invariant: proposals are committed in zxid order, each once, and none before it is durable where it must be.
 */
import type { ErrorCode } from "../model/errors.ts";
import type { Forwarded, NextConfiguration, ReconfigOp } from "../model/ops.ts";
import type { Proposal } from "../model/txns.ts";
import type { Now, Role, SessionId, Zxid } from "../model/types.ts";
import type { Membership } from "./zab/membership.ts";
import type { Image, LeaderPacket, LearnerPacket, LinkId, MemberId, Notification, Touched } from "./zab/messages.ts";

/** What the kernel says. All but `propose` belongs to ensembles. */
export type FromKernel =
  | { readonly kind: "propose"; readonly proposal: Proposal }
  /** A learner passes a client's request on. */
  | { readonly kind: "forward"; readonly request: Forwarded }
  /** A learner has heard of a session. */
  | { readonly kind: "touch"; readonly session: SessionId; readonly timeoutMs: number }
  /** A learner asks whether a session lives, and takes it over if it does. */
  | { readonly kind: "revalidate"; readonly session: SessionId; readonly timeoutMs: number }
  /** The leader answers that to whoever asked. */
  | { readonly kind: "revalidated"; readonly origin: LinkId; readonly session: SessionId; readonly valid: boolean }
  /** Wants `synced` once all that has been proposed so far is committed. */
  | { readonly kind: "sync"; readonly request: Forwarded }
  /** On a learner: after this txn the tree's digest is another than the leader says. */
  | { readonly kind: "differs"; readonly zxid: Zxid };

/** What the host says: the disk, and in ensembles the other members and time. */
export type FromHost =
  /** Everything appended up to this zxid is on disk. */
  | { readonly kind: "durable"; readonly zxid: Zxid }
  | { readonly kind: "epochsSaved" }
  /** The database that came from the leader is on disk, and nothing else is. */
  | { readonly kind: "restored" }
  /** The log was cut; this is what is left. */
  | { readonly kind: "truncated"; readonly image: Image }
  /** It can't be cut there, as nothing would be left to start from. Nothing has changed. */
  | { readonly kind: "notTruncated" }
  /** What `readLog` asked for, oldest first; null where that can't be had, or a database would be less. */
  | { readonly kind: "logRead"; readonly link: LinkId; readonly txns: readonly Proposal[] | null }
  | { readonly kind: "notified"; readonly from: MemberId; readonly notification: Notification }
  /** A stream is there: accepted on the quorum port, or the one that was dialled. */
  | { readonly kind: "opened"; readonly link: LinkId }
  /** Part of a database has come, or has been taken: the member at the other end lives. */
  | { readonly kind: "alive"; readonly link: LinkId }
  | { readonly kind: "packet"; readonly link: LinkId; readonly packet: LearnerPacket | LeaderPacket }
  /** It is gone, or could not be had. Nothing more comes from it. */
  | { readonly kind: "closed"; readonly link: LinkId }
  | { readonly kind: "due" };

export type BroadcastInput = FromKernel | FromHost;

/** What the kernel hears. */
export type ToKernel =
  | { readonly kind: "commit"; readonly proposal: Proposal }
  /** A new term begins: the kernel starts anew on the same database. A leader's first zxid is given. */
  | { readonly kind: "role"; readonly role: Role; readonly zxid: Zxid | null }
  | { readonly kind: "forwarded"; readonly origin: LinkId; readonly request: Forwarded }
  | { readonly kind: "touched"; readonly touched: readonly Touched[] }
  | { readonly kind: "revalidation"; readonly origin: LinkId; readonly session: SessionId; readonly timeoutMs: number }
  | { readonly kind: "valid"; readonly session: SessionId; readonly valid: boolean }
  | { readonly kind: "synced" };

/** What the host is to do. */
export type ToHost =
  /** Write it to the log; `durable` answers. */
  | { readonly kind: "append"; readonly proposal: Proposal }
  /** Keep them, whole or not at all; null leaves one as it is. `epochsSaved` answers. */
  | { readonly kind: "saveEpochs"; readonly accepted: number | null; readonly current: number | null }
  /** The database is replaced by this one, in memory and on disk. `cutsLog`: the log goes on behind it, and must not. `restored` answers. */
  | { readonly kind: "restore"; readonly image: Image; readonly cutsLog: boolean }
  /** Drop everything behind this zxid, and build the database anew. `truncated` or `notTruncated` answers. */
  | { readonly kind: "truncate"; readonly zxid: Zxid }
  | { readonly kind: "notify"; readonly to: MemberId; readonly notification: Notification }
  /** Accept learners, or no more. */
  | { readonly kind: "accept"; readonly accepting: boolean }
  /** Reach the leader; `opened` or `closed` answers. */
  | { readonly kind: "dial"; readonly link: LinkId; readonly leader: MemberId }
  | { readonly kind: "send"; readonly link: LinkId; readonly packet: LearnerPacket | LeaderPacket }
  /** Read the txns of the log from one on, up to another; `logRead` answers. */
  | { readonly kind: "readLog"; readonly link: LinkId; readonly from: Zxid; readonly to: Zxid }
  /** Send the database as it is now. */
  | { readonly kind: "sendDatabase"; readonly link: LinkId; readonly zxid: Zxid }
  /** End the stream without another word. `closed` does not answer. */
  | { readonly kind: "cut"; readonly link: LinkId }
  /** Who belongs to the ensemble has changed, or is about to: it is to be kept, and the members are to be found where they are now. */
  | { readonly kind: "membership"; readonly membership: Membership }
  /** For the log; `warn` what an operator should look into. */
  | { readonly kind: "tell" | "warn" | "error"; readonly message: string };

export type BroadcastEffect = ToKernel | ToHost;

export interface Broadcast {
  step(input: BroadcastInput, now: Now): readonly BroadcastEffect[];
  /** When `due` is to be said, in monotonic milliseconds; null: never, as things stand. */
  readonly deadline: number | null;
  /** What a change of the membership comes to if it gets this zxid, or why it is refused. Changes nothing. */
  judgeReconfig(op: ReconfigOp, zxid: Zxid): NextConfiguration | ErrorCode;
}
