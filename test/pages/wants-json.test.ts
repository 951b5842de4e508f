import { describe, expect, it } from 'vitest';
import { wantsJson } from '../../src/proxy/pages/wants-json.ts';

const CHROMIUM = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

const asks = (headers: Readonly<Record<string, string>>): boolean => wantsJson((name) => headers[name]);

describe('wantsJson', () => {
  it.each([
    ['a browser that loads a page', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', accept: CHROMIUM }],
    ['a browser without Fetch Metadata', { accept: CHROMIUM }],
    ['a client that likes HTML better', { accept: 'application/json;q=0.5, text/html' }],
    ['a client that likes both alike', { accept: 'application/json, text/html' }],
    ['an upper-case media type', { accept: 'TEXT/HTML' }],
    ['any text', { accept: 'text/*' }],
  ])('%s gets a page', (_, headers) => {
    expect(asks(headers)).toBe(false);
  });

  it.each([
    ['curl', { accept: '*/*' }],
    ['a client that says nothing', {}],
    ['fetch() in a page', { 'sec-fetch-mode': 'cors', accept: '*/*' }],
    ['fetch() that asks for HTML', { 'sec-fetch-mode': 'same-origin', accept: 'text/html' }],
    ['an image', { 'sec-fetch-mode': 'no-cors', accept: 'image/webp,*/*' }],
    ['XMLHttpRequest of an older browser', { 'x-requested-with': 'XMLHttpRequest', accept: CHROMIUM }],
    ['a client that asks for JSON', { accept: 'application/json' }],
    ['a client that likes JSON better', { accept: 'application/json, text/html;q=0.9' }],
    ['a client of a JSON format', { accept: 'application/problem+json, text/html;q=0.1' }],
    ['a client that refuses HTML', { accept: 'text/html;q=0, */*' }],
    ['a weight that is none', { accept: 'text/html;q=x' }],
  ])('%s gets JSON', (_, headers) => {
    expect(asks(headers)).toBe(true);
  });
});
