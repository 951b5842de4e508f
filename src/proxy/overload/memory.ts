import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const MIB = 1024 * 1024;
/** Of V8 where --max-semi-space-size doesn't say otherwise. */
const USUAL_SEMI_SPACE = 64 * MIB;
/** V8 counts three of them into its limit, and only what is left bounds the old generation, which is what runs out. */
const SEMI_SPACES = 3;

/** What is read of the process; stood in for in tests. */
export interface MemorySource {
  /** Bytes of the old generation, what nobody uses any more included. */
  oldGeneration(): number;
  /** Bytes that all of the process has in memory. */
  resident(): number;
  /** Of the container (cgroup v1 or v2), in bytes; 0 or more than any machine has: none. */
  containerLimit(): number;
}

export const PROCESS_MEMORY: MemorySource = {
  oldGeneration() {
    let bytes = 0;
    for (const space of getHeapSpaceStatistics())
      if (!space.space_name.startsWith('new_')) bytes += space.space_used_size;
    return bytes;
  },
  resident: () => process.memoryUsage.rss(),
  containerLimit: () => process.constrainedMemory(),
};

/** Bytes that the old generation may have. `flags`: those that this process was started with, in one text. */
export function oldGenerationLimit(flags: string, heapLimit: number = getHeapStatistics().heap_size_limit): number {
  const written = /--max[-_]semi[-_]space[-_]size[= ]([0-9]+)/.exec(flags)?.[1];
  const semiSpace = written === undefined ? USUAL_SEMI_SPACE : Number(written) * MIB;
  const left = heapLimit - SEMI_SPACES * semiSpace;
  // A version of V8 that reckons otherwise must not make this nonsense.
  return left > heapLimit / 8 ? left : heapLimit / 2;
}

/** More than this is the value that stands for no limit. */
const NO_MACHINE = 2 ** 50;
/** Samples between two looks at the limit of the container, which can change while a Pod runs. */
const LIMIT_EVERY = 100;

/** Samples over which a resident size that doesn't grow is taken for memory that was freed and isn't given back. */
const SETTLED = 300;
/** Growth beyond which it is in use after all. */
const GROWTH = 1.02;

/** The share of the memory that is in use, 0 to 1: of the heap, or of the container, whichever is more. */
export class MemoryGauge {
  readonly #source: MemorySource;
  readonly #heapLimit: number;
  #containerLimit = 0;
  #age = LIMIT_EVERY;
  #highest = 0;
  #still = 0;
  #retained = 0;

  constructor(source: MemorySource, heapLimit: number) {
    this.#source = source;
    this.#heapLimit = heapLimit;
  }

  read(): number {
    this.#age += 1;
    if (this.#age >= LIMIT_EVERY) {
      this.#age = 0;
      this.#containerLimit = this.#source.containerLimit();
    }
    const heap = this.#source.oldGeneration() / this.#heapLimit;
    const limit = this.#containerLimit;
    if (limit <= 0 || limit > NO_MACHINE) return heap;
    return Math.max(heap, this.#inUse(this.#source.resident()) / limit);
  }

  /**
   * An allocator keeps much of what is freed, for its next use: a process that once was full looks full for ever. What has
   * not grown for half a minute is memory that may be used again; from there on growth counts.
   */
  #inUse(resident: number): number {
    if (resident > this.#highest * GROWTH || resident < this.#highest / GROWTH ** 4) {
      this.#highest = resident;
      this.#still = 0;
      this.#retained = 0;
    } else if (this.#still < SETTLED) this.#still += 1;
    else this.#retained = this.#highest;
    return resident <= this.#retained * GROWTH ? 0 : resident;
  }
}

/**
 * Collects garbage now. V8 would do so by itself before it runs out, but not before a mark of ours: without this, garbage
 * would count as memory in use, and a process with nothing to do would stay overloaded for want of a reason to collect.
 */
export function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  // Contexts that are made from here on have none again.
  setFlagsFromString('--no-expose-gc');
  return typeof collect === 'function' ? () => void collect() : () => {};
}
