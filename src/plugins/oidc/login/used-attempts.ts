/**
 * Attempts that this process has seen come back: each is good once. Across replicas the provider's one-time code decides.
 */
export interface UsedAttempts {
  /** False where it was taken before. */
  take(id: string, now: number): boolean;
}

/** At most `max` are remembered, the oldest go first; each for `ttl` milliseconds, after which it is expired anyway. */
export function createUsedAttempts(ttl: number, max = 50_000): UsedAttempts {
  const until = new Map<string, number>();
  return {
    take(id, now) {
      for (const [old, end] of until) {
        if (end > now && until.size < max) break;
        until.delete(old);
      }
      if (until.has(id)) return false;
      until.set(id, now + ttl);
      return true;
    },
  };
}
