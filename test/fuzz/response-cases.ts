import { responseCorpus } from '../proxy/corpus/responses.ts';
import { difference } from './differential.ts';
import { mutated, type Random } from './mutate.ts';

const SEEDS = responseCorpus()
  .map(({ bytes }) => bytes)
  .filter((bytes) => bytes.length < 1000);
const METHODS = ['GET', 'GET', 'GET', 'HEAD'];

/** Tries one response made from the corpus; what is wrong with it, with its bytes. */
export function tryResponse(random: Random): string | undefined {
  const text = mutated(SEEDS[random(SEEDS.length)] ?? '', SEEDS, random);
  const method = METHODS[random(METHODS.length)] ?? 'GET';
  const cuts = Array.from({ length: random(5) }, () => random(text.length + 1));
  const found = difference(Buffer.from(text, 'latin1'), method, cuts);
  return found === undefined ? undefined : `${found}\n  to ${method}: ${JSON.stringify(text)}`;
}
