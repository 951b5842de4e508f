import { describe, expect, it } from 'vitest';
import { ask, compileAll, gate, gateRef, type Raw, route, service } from './support.ts';

const GUARDED = { serviceRef: { name: 's' }, plugins: [gateRef('p')] };
const open = route('m/open', ['open'], ['/'], { serviceRef: { name: 'same' }, access: 'Public' });
const SAME = [service('m/same', 'http://one'), open];

/** Whether the client's Authorization is removed on the Public Route to `http://one`. */
function removed(...objects: readonly Raw[]): boolean | undefined {
  const found = ask(compileAll([...SAME, ...objects]).table, { method: 'GET', host: 'open', path: '/', headers: {} });
  return found?.kind === 'Route' && found.entry.exposure === 'Public' ? found.entry.removeAuthorization : undefined;
}

describe('A041: Authorization on a Public Route', () => {
  const guardedRoute = route('n/guarded', ['h'], ['/'], GUARDED);
  const byFloor = route('n/floor', ['h'], ['/'], { serviceRef: { name: 's' } });
  const floor = service('n/s', 'http://one', [gateRef('p')]);

  it('passes where nothing guards the backend', () => {
    expect(removed()).toBe(false);
    expect(removed(service('n/s', 'http://two'), gate('n/p'), guardedRoute)).toBe(false);
    expect(
      removed(service('n/s', 'http://one'), route('n/r', ['h'], ['/'], { ...GUARDED, plugins: [], access: 'Public' })),
    ).toBe(false);
  });

  it('is removed where a Route guards it, itself or by its Service, whatever became of the plugin', () => {
    expect(removed(service('n/s', 'http://one'), gate('n/p'), guardedRoute)).toBe(true);
    expect(removed(service('n/s', 'http://one'), guardedRoute)).toBe(true);
    expect(removed(floor, gate('n/p'), byFloor)).toBe(true);
  });

  it.each(['127.0.0.1', '127.9.9.9', '0.0.0.0', '[::1]', '[::]', 'localhost', 'a.localhost'])(
    'is removed where the guarded backend is this machine under another name: %s',
    (host) => {
      for (const [guarded, opened] of [
        [host, 'localhost'],
        ['localhost', host],
      ]) {
        const world = compileAll([
          service('n/s', `http://${guarded}:81`),
          gate('n/p'),
          guardedRoute,
          service('m/same', `http://${opened}:81`),
          open,
        ]);
        const found = ask(world.table, { method: 'GET', host: 'open', path: '/', headers: {} });
        expect(found?.kind === 'Route' && found.entry.removeAuthorization).toBe(true);
      }
    },
  );

  it('stays removed when the guard, its Service or its access breaks', () => {
    expect(removed(service('n/s', 'http://one'), route('n/guarded', ['h'], ['/'], { ...GUARDED, methods: 7 }))).toBe(
      true,
    );
    expect(removed(guardedRoute)).toBe(true);
    expect(removed(byFloor)).toBe(true);
    expect(removed(service('n/s', 'one'), byFloor)).toBe(true);
    const contradicting = route('n/floor', ['h'], ['/'], { serviceRef: { name: 's' }, access: 'Public' });
    expect(removed(floor, gate('n/p'), contradicting)).toBe(true);
    expect(removed(contradicting)).toBe(true);
  });

  it('is nothing that a Service alone, which no Route leads to, guards', () => {
    expect(removed(floor, gate('n/p'))).toBe(false);
  });
});
