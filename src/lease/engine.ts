/**
 * What a lease engine does: one holder per key in the whole fleet, expiry by the server's clock, and a number that grows with
 * every holder. Another engine is one more file like `etcd.ts`.
 */

/** The holder of a lease, as its value says; it never contains secrets. */
export interface LeaseRecord {
  readonly worker: string;
  readonly hostname: string;
  readonly bootId: string | null;
  readonly pidNamespace: string | null;
  /** The doctor that keeps it. */
  readonly pid: number;
  readonly startToken: string | null;
  readonly sessionId: string;
  /** RFC 3339, by the holder's clock. */
  readonly acquiredAt: string;
  /** Random text, unique to this holder. */
  readonly nonce: string;
}

/** A lease that is held. */
export interface Lease {
  readonly key: string;
  /** Grows with every holder of every key: a smaller one means an earlier holder. */
  readonly epoch: string;
  /** Milliseconds after which the server drops it, counted from the last confirmed request. */
  readonly ttlMs: number;
  /** The engine's own name for it. */
  readonly id: string;
}

export type Taken =
  | { readonly status: 'taken'; readonly lease: Lease }
  /** Somebody else has it; null where the value is not one of ours. */
  | { readonly status: 'held'; readonly by: LeaseRecord | null }
  | { readonly status: 'failed'; readonly why: string };

/** `lost`: the server says that it is gone. `failed`: not known. */
export type Kept =
  | { readonly status: 'kept' }
  | { readonly status: 'lost'; readonly why: string }
  | { readonly status: 'failed'; readonly why: string };

export type Read =
  | { readonly status: 'free' }
  /** Null where the value is not one of ours. */
  | { readonly status: 'held'; readonly by: LeaseRecord | null }
  | { readonly status: 'failed'; readonly why: string };

/** A server, or a cluster of them. None of these throws for a server's answer, or for a missing one. */
export interface LeaseEngine {
  readonly take: (key: string, record: LeaseRecord, ttlSeconds: number) => Promise<Taken>;
  /** Asks for another whole period; resolves within `withinMs`. */
  readonly keep: (lease: Lease, withinMs: number) => Promise<Kept>;
  /** Reads who holds a key; changes nothing. */
  readonly read: (key: string) => Promise<Read>;
  /** Null where it was given back; else why that is not certain: then it expires by itself. */
  readonly giveBack: (lease: Lease) => Promise<string | null>;
}
