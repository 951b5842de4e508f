import { describe, expect, it } from 'vitest';
import { responseCorpus } from '../proxy/corpus/responses.ts';
import { difference } from './differential.ts';
import { seededRandom } from './mutate.ts';
import { tryResponse } from './response-cases.ts';

describe('what our parser gives to a client, llhttp gives too', () => {
  it('A070 for all responses of the corpus', () => {
    const found = responseCorpus()
      .filter(({ bytes }) => bytes.length < 5000)
      .map(({ name, bytes, method }) => [name, difference(Buffer.from(bytes, 'latin1'), method, [7, 30])])
      .filter(([, problem]) => problem !== undefined);
    expect(found).toEqual([]);
  });

  it('A070 for a million that are made from them', () => {
    const random = seededRandom(20_261_124);
    const found: string[] = [];
    for (let i = 0; i < 1_000_000 && found.length < 10; i++) {
      const problem = tryResponse(random);
      if (problem !== undefined) found.push(problem);
    }
    expect(found).toEqual([]);
  }, 600_000);
});
