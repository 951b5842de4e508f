/** The process's own timers, for parts that are given theirs. */
export const timers = {
  after(ms: number, work: () => void): () => void {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};
