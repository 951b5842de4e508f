import type { Log, Timers } from '../world.ts';

export interface TermOptions {
  /** Of the Lease, for the log. */
  readonly name: string;
  readonly identity: string;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  readonly timers: Timers;
  readonly log: Log;
  /** Each time this process begins or ends to lead; what it throws is logged. */
  onChange(leading: boolean): void;
}

/** The time in which this process leads. It ends by itself. */
export interface Term {
  /** As of now, whatever timer is late. */
  leads(): boolean;
  /** Begins it where it isn't running. `until`: of `now`; what is past already proves nothing and changes nothing. */
  extend(until: number): void;
  end(): void;
}

export function createTerm({ name, identity, now, timers, log, onChange }: TermOptions): Term {
  let leadsUntil: number | undefined;
  let cancelDeadline = (): void => {};

  const leads = (): boolean => leadsUntil !== undefined && now() < leadsUntil;

  function watchDeadline(until: number): void {
    cancelDeadline();
    cancelDeadline = timers.after(until - now(), () => {
      // Timers run up to a millisecond early.
      if (leads()) {
        watchDeadline(until);
        return;
      }
      log.warn({ lease: name }, 'the Lease could not be renewed in time');
      end();
    });
  }

  function end(): void {
    cancelDeadline();
    if (leadsUntil === undefined) return;
    leadsUntil = undefined;
    log.info({ lease: name, identity }, 'this replica leads no more; it serves on');
    tell(false);
  }

  function tell(state: boolean): void {
    try {
      onChange(state);
    } catch (error) {
      log.error({ err: error }, 'who listens to the elector failed, which is a bug');
    }
  }

  return {
    leads,
    extend(until) {
      // An answer that was under way for too long proves nothing about now.
      if (now() >= until) return;
      const before = leads();
      // The deadline passed a moment ago and its timer hasn't run yet: that is an end and a new beginning.
      if (!before) end();
      leadsUntil = until;
      watchDeadline(until);
      if (before) return;
      log.info({ lease: name, identity }, 'this replica leads: it writes statuses and events');
      tell(true);
    },
    end,
  };
}
