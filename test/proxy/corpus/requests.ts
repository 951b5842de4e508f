import { Corpus, type RequestCase } from './case.ts';
import { addChunkedRequests } from './chunked-requests.ts';
import { addFramingRequests } from './framing-requests.ts';
import { addHeadRequests } from './head-requests.ts';
import { addMixedRequests } from './mixed-requests.ts';

/** Malformed and ambiguous requests, and sound ones that look it, each with what becomes of it. */
export function requestCorpus(): readonly RequestCase[] {
  const corpus = new Corpus();
  addFramingRequests(corpus);
  addChunkedRequests(corpus);
  addHeadRequests(corpus);
  addMixedRequests(corpus);
  return corpus.cases;
}
