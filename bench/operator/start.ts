import { setTimeout as sleep } from 'node:timers/promises';
import { residentBytes } from '../process.ts';
import { atMost, type Figure, told } from '../statistics.ts';
import type { BenchOperator } from './process.ts';

const MIB = 1024 * 1024;
const SETTLED = 30_000;

export const count = (number: number): string => number.toLocaleString('en');

export interface Start {
  readonly figures: readonly Figure[];
  /** Statuses and Events so far. */
  readonly writes: number;
}

/** How long it takes to the first table, what that costs the API server, and the memory half a minute later. */
export async function atStart(operator: BenchOperator, routes: number): Promise<Start> {
  const cost = await apiCost(operator);
  await sleep(SETTLED);
  const figures = [
    atMost(`first table with ${count(routes)} Routes`, operator.readyAfter, 's', 15),
    told('API requests until the first table', cost.requests, ''),
    told('API answers until the first table', cost.bytes / MIB, 'MiB'),
    memory(`memory with ${count(routes)} Routes`, operator),
  ];
  return { figures, writes: (await apiCost(operator)).writes };
}

export const memory = (figure: string, operator: BenchOperator): Figure =>
  atMost(figure, residentBytes(operator.process.pid) / MIB, 'MiB', 350);

export interface ApiCost {
  readonly requests: number;
  /** Of answers, and of what watches brought. */
  readonly bytes: number;
  /** Statuses and Events. */
  readonly writes: number;
  /** Calls by verb, for the eye. */
  readonly verbs: Readonly<Record<string, number>>;
}

const VERBS = ['get', 'watch', 'post', 'put', 'patch', 'delete'];

/** What it has cost so far. */
export async function apiCost(operator: BenchOperator): Promise<ApiCost> {
  const scrape = await operator.scrape();
  const calls = 'postern_kube_api_requests_total';
  const verbs = Object.fromEntries(VERBS.map((verb) => [verb, scrape.sum(calls, `verb="${verb}"`)]));
  return {
    requests: scrape.sum(calls),
    bytes: scrape.sum('postern_kube_api_received_bytes_total'),
    writes: (verbs['patch'] ?? 0) + (verbs['post'] ?? 0),
    verbs,
  };
}
